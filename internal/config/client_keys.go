package config

import "runtime"

// clientValues are the keys of Java's NettyClientConfig that have no meaning here. They
// are known, so that a file that sets them draws no warning, and -p prints them.
type clientValues struct {
	workerThreads                int
	callbackExecutorThreads      int
	onewaySemaphoreValue         int
	asyncSemaphoreValue          int
	channelNotActiveInterval     int64
	scanAvailableNameSrv         bool
	channelMaxIdleTimeSeconds    int
	socketSndBufSize             int
	socketRcvBufSize             int
	pooledByteBufAllocatorEnable bool
	closeSocketIfTimeout         bool
	useTLS                       bool
	socksProxyConfig             string
	disableCallbackExecutor      bool
	disableNettyWorkerGroup      bool
	maxReconnectIntervalTime     int64
	enableReconnectForGoAway     bool
}

func defaultClientValues() clientValues {
	return clientValues{
		workerThreads:             4,
		callbackExecutorThreads:   runtime.NumCPU(),
		onewaySemaphoreValue:      65535,
		asyncSemaphoreValue:       65535,
		channelNotActiveInterval:  60_000,
		scanAvailableNameSrv:      true,
		channelMaxIdleTimeSeconds: 120,
		closeSocketIfTimeout:      true,
		socksProxyConfig:          "{}",
		maxReconnectIntervalTime:  60,
		enableReconnectForGoAway:  true,
	}
}

// clientKeys in the order of Java's fields. The two water marks appear in both Netty
// classes, so -p prints them twice.
var clientKeys = []key{
	{name: "clientWorkerThreads", field: func(v *values) any { return &v.client.workerThreads }},
	{name: "clientCallbackExecutorThreads", field: func(v *values) any { return &v.client.callbackExecutorThreads }},
	{name: "clientOnewaySemaphoreValue", field: func(v *values) any { return &v.client.onewaySemaphoreValue }},
	{name: "clientAsyncSemaphoreValue", field: func(v *values) any { return &v.client.asyncSemaphoreValue }},
	{name: "connectTimeoutMillis", field: func(v *values) any { return &v.ConnectTimeoutMillis }},
	{name: "channelNotActiveInterval", field: func(v *values) any { return &v.client.channelNotActiveInterval }},
	// Java prints the field's name, and sets it by the name of its setter.
	{name: "scanAvailableNameSrv", printed: "isScanAvailableNameSrv", field: func(v *values) any { return &v.client.scanAvailableNameSrv }},
	{name: "clientChannelMaxIdleTimeSeconds", field: func(v *values) any { return &v.client.channelMaxIdleTimeSeconds }},
	{name: "clientSocketSndBufSize", field: func(v *values) any { return &v.client.socketSndBufSize }},
	{name: "clientSocketRcvBufSize", field: func(v *values) any { return &v.client.socketRcvBufSize }},
	{name: "clientPooledByteBufAllocatorEnable", field: func(v *values) any { return &v.client.pooledByteBufAllocatorEnable }},
	{name: "clientCloseSocketIfTimeout", field: func(v *values) any { return &v.client.closeSocketIfTimeout }},
	{name: "useTLS", field: func(v *values) any { return &v.client.useTLS }},
	{name: "socksProxyConfig", field: func(v *values) any { return &v.client.socksProxyConfig }},
	{name: "writeBufferHighWaterMark", field: func(v *values) any { return &v.WriteBufferHighWaterMark }},
	{name: "writeBufferLowWaterMark", field: func(v *values) any { return &v.WriteBufferLowWaterMark }},
	{name: "disableCallbackExecutor", field: func(v *values) any { return &v.client.disableCallbackExecutor }},
	{name: "disableNettyWorkerGroup", field: func(v *values) any { return &v.client.disableNettyWorkerGroup }},
	{name: "maxReconnectIntervalTimeSeconds", field: func(v *values) any { return &v.client.maxReconnectIntervalTime }},
	{name: "enableReconnectForGoAway", field: func(v *values) any { return &v.client.enableReconnectForGoAway }},
}

package config

import "math"

// owner says whose key it is; 319 always lists those of the two Java server classes.
type owner uint8

const (
	ownerNamesrv     owner = iota // Java: NamesrvConfig
	ownerNettyServer              // Java: NettyServerConfig
	ownerPharos
)

// change says what 318 may do with a key.
type change uint8

const (
	changeRestart change = iota
	changeLive
	changeProtected
)

// values is everything a file can set.
type values struct {
	Settings
	Live
	client clientValues
}

// key describes one property. field points at its value: *string, *bool, *int (a Java
// int: 32 bits) or *int64 (a Java long).
type key struct {
	name     string
	printed  string // by -p, when it is not name
	owner    owner
	change   change
	field    func(*values) any
	min, max int64 // numbers only; both 0: any
}

// keys in the order in which Java's -p prints the fields of its two server classes, ours
// last. 319 lists Java's always, ours when they are set.
var keys = []key{
	{name: "rocketmqHome", owner: ownerNamesrv, change: changeProtected, field: func(v *values) any { return &v.RocketmqHome }},
	{name: "kvConfigPath", owner: ownerNamesrv, change: changeProtected, field: func(v *values) any { return &v.KVConfigPath }},
	{name: "configStorePath", owner: ownerNamesrv, change: changeProtected, field: func(v *values) any { return &v.ConfigStorePath }},
	{name: "productEnvName", owner: ownerNamesrv, field: func(v *values) any { return &v.ProductEnvName }},
	{name: "clusterTest", owner: ownerNamesrv, field: func(v *values) any { return &v.ClusterTest }},
	{name: "orderMessageEnable", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.OrderMessageEnable }},
	{name: "returnOrderTopicConfigToBroker", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.ReturnOrderTopicConfigToBroker }},
	{name: "clientRequestThreadPoolNums", owner: ownerNamesrv, field: func(v *values) any { return &v.ClientRequestThreadPoolNums }},
	{name: "defaultThreadPoolNums", owner: ownerNamesrv, field: func(v *values) any { return &v.DefaultThreadPoolNums }},
	{name: "clientRequestThreadPoolQueueCapacity", owner: ownerNamesrv, field: func(v *values) any { return &v.ClientRequestThreadPoolQueueCapacity }},
	{name: "defaultThreadPoolQueueCapacity", owner: ownerNamesrv, field: func(v *values) any { return &v.DefaultThreadPoolQueueCapacity }},
	{name: "scanNotActiveBrokerInterval", owner: ownerNamesrv, field: func(v *values) any { return &v.ScanNotActiveBrokerInterval }, min: 1, max: math.MaxInt64 / 1_000_000},
	{name: "unRegisterBrokerQueueCapacity", owner: ownerNamesrv, field: func(v *values) any { return &v.UnRegisterBrokerQueueCapacity }},
	{name: "supportActingMaster", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.SupportActingMaster }},
	{name: "enableAllTopicList", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.EnableAllTopicList }},
	{name: "enableTopicList", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.EnableTopicList }},
	{name: "notifyMinBrokerIdChanged", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.NotifyMinBrokerIDChanged }},
	{name: "enableControllerInNamesrv", owner: ownerNamesrv, field: func(v *values) any { return &v.EnableControllerInNamesrv }},
	{name: "needWaitForService", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.NeedWaitForService }},
	{name: "waitSecondsForService", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.WaitSecondsForService }},
	{name: "deleteTopicWithBrokerRegistration", owner: ownerNamesrv, change: changeLive, field: func(v *values) any { return &v.DeleteTopicWithBrokerRegistration }},
	{name: "configBlackList", owner: ownerNamesrv, change: changeProtected, field: func(v *values) any { return &v.ConfigBlackList }},

	{name: "bindAddress", owner: ownerNettyServer, change: changeProtected, field: func(v *values) any { return &v.BindAddress }},
	{name: "listenPort", owner: ownerNettyServer, change: changeProtected, field: func(v *values) any { return &v.ListenPort }, min: 0, max: 65535},
	{name: "serverWorkerThreads", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerWorkerThreads }},
	{name: "serverCallbackExecutorThreads", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerCallbackExecutorThreads }},
	{name: "serverSelectorThreads", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerSelectorThreads }},
	{name: "serverOnewaySemaphoreValue", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerOnewaySemaphoreValue }},
	{name: "serverAsyncSemaphoreValue", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerAsyncSemaphoreValue }},
	{name: "serverChannelMaxIdleTimeSeconds", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerChannelMaxIdleTimeSeconds }},
	{name: "serverSocketSndBufSize", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerSocketSndBufSize }},
	{name: "serverSocketRcvBufSize", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerSocketRcvBufSize }},
	{name: "writeBufferHighWaterMark", owner: ownerNettyServer, field: func(v *values) any { return &v.WriteBufferHighWaterMark }},
	{name: "writeBufferLowWaterMark", owner: ownerNettyServer, field: func(v *values) any { return &v.WriteBufferLowWaterMark }},
	{name: "serverSocketBacklog", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerSocketBacklog }},
	{name: "serverNettyWorkerGroupEnable", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerNettyWorkerGroupEnable }},
	{name: "serverPooledByteBufAllocatorEnable", owner: ownerNettyServer, field: func(v *values) any { return &v.ServerPooledByteBufAllocatorEnable }},
	{name: "enableShutdownGracefully", owner: ownerNettyServer, field: func(v *values) any { return &v.EnableShutdownGracefully }},
	{name: "shutdownWaitTimeSeconds", owner: ownerNettyServer, field: func(v *values) any { return &v.ShutdownWaitTimeSeconds }},
	{name: "useEpollNativeSelector", owner: ownerNettyServer, field: func(v *values) any { return &v.UseEpollNativeSelector }},

	{name: "adminListen", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.AdminListen }},
	{name: "connectionHealth", owner: ownerPharos, field: func(v *values) any { return &v.ConnectionHealth }},
	{name: "tcpTracing", owner: ownerPharos, field: func(v *values) any { return &v.TCPTracing }},
	{name: "configStrict", owner: ownerPharos, field: func(v *values) any { return &v.ConfigStrict }},
	{name: "eventLoops", owner: ownerPharos, field: func(v *values) any { return &v.EventLoops }, min: 0, max: 1024},
	{name: "lanes", owner: ownerPharos, field: func(v *values) any { return &v.Lanes }, min: 0, max: 1024},
	{name: "connectionsMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.ConnectionsMax }, min: 0, max: math.MaxInt32},
	{name: "frameBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.FrameBytesMax }, min: 1 << 10, max: 1 << 30},
	{name: "headerBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.HeaderBytesMax }, min: 0, max: 1<<24 - 1},
	{name: "extFieldsMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.ExtFieldsMax }, min: 0, max: math.MaxInt32},
	{name: "inflatedBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.InflatedBytesMax }, min: 0, max: math.MaxInt32},
	{name: "jsonDepthMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.JSONDepthMax }, min: 0, max: 10_000},
	{name: "topicsMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.TopicsMax }, min: 0, max: math.MaxInt32},
	{name: "partialFrameBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.PartialFrameBytesMax }, min: 1 << 20, max: 1 << 40},
	{name: "partialFrameStallSeconds", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.PartialFrameStallSeconds }, min: 1, max: 86_400},
	{name: "laneBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.LaneBytesMax }, min: 1 << 20, max: 1 << 40},
	{name: "outboundBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.OutboundBytesMax }, min: 1 << 20, max: 1 << 40},
	{name: "connectionOutboundBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.ConnectionOutboundBytesMax }, min: 0, max: 1 << 40},
	{name: "outboundStallSeconds", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.OutboundStallSeconds }, min: 1, max: 86_400},
	{name: "routeCacheBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.RouteCacheBytesMax }, min: 0, max: 1 << 40},
	{name: "kvNamespaceBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.KVNamespaceBytesMax }, min: 1 << 10, max: 1 << 30},
	{name: "logDir", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.LogDir }},
	{name: "logLevel", owner: ownerPharos, field: func(v *values) any { return &v.LogLevel }},
	{name: "logToStderr", owner: ownerPharos, field: func(v *values) any { return &v.LogToStderr }},
	{name: "logFileBytesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.LogFileBytesMax }, min: 1 << 20, max: 1 << 40},
	{name: "logFilesMax", owner: ownerPharos, change: changeProtected, field: func(v *values) any { return &v.LogFilesMax }, min: 0, max: 10_000},
}

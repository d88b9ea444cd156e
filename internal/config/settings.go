package config

// Settings are the values the process started with. They never change while it runs, so
// they need no lock; what can change is in [Live]. Field names are the property names
// with Go's capitals.
type Settings struct {
	// Java: NamesrvConfig.
	RocketmqHome                         string
	KVConfigPath                         string
	ConfigStorePath                      string // where 318 persists; the -c file as typed
	ProductEnvName                       string
	ClusterTest                          bool // refused at the start
	ClientRequestThreadPoolNums          int
	DefaultThreadPoolNums                int
	ClientRequestThreadPoolQueueCapacity int
	DefaultThreadPoolQueueCapacity       int
	ScanNotActiveBrokerInterval          int64 // milliseconds
	UnRegisterBrokerQueueCapacity        int
	EnableControllerInNamesrv            bool // refused at the start
	ConfigBlackList                      string

	// Java: NettyServerConfig.
	BindAddress                        string
	ListenPort                         int // 0: any free port
	ServerWorkerThreads                int
	ServerCallbackExecutorThreads      int
	ServerSelectorThreads              int
	ServerOnewaySemaphoreValue         int
	ServerAsyncSemaphoreValue          int
	ServerChannelMaxIdleTimeSeconds    int // <= 0: never
	ServerSocketSndBufSize             int // bytes; 0: the kernel's choice
	ServerSocketRcvBufSize             int // bytes; 0: the kernel's choice
	WriteBufferHighWaterMark           int
	WriteBufferLowWaterMark            int
	ServerSocketBacklog                int
	ServerNettyWorkerGroupEnable       bool
	ServerPooledByteBufAllocatorEnable bool
	EnableShutdownGracefully           bool
	ShutdownWaitTimeSeconds            int
	UseEpollNativeSelector             bool

	// Java: NettyClientConfig, of which only this one means something here.
	ConnectTimeoutMillis int // to a broker, for NOTIFY_MIN_BROKER_ID_CHANGE

	// Pharos' own. A limit of 0 is the default of the code that applies it.
	AdminListen                string // host:port of the HTTP port; empty: off
	ConnectionHealth           string // evict, observe, off
	TCPTracing                 string // auto, on, off: the kernel's events by BPF
	ConfigStrict               bool   // a line Java would ignore stops the start
	EventLoops                 int    // 0: one per processor
	Lanes                      int    // 0: the server's choice
	ConnectionsMax             int    // 0: from the descriptor limit
	FrameBytesMax              int    // counts the 4 bytes of the length field
	HeaderBytesMax             int
	ExtFieldsMax               int
	InflatedBytesMax           int
	JSONDepthMax               int
	TopicsMax                  int   // topics in one registration
	PartialFrameBytesMax       int64 // unfinished frames over all connections
	PartialFrameStallSeconds   int   // a partial frame without progress closes
	LaneBytesMax               int64 // bytes waiting in brokers' lanes
	OutboundBytesMax           int64 // unsent replies over all connections
	ConnectionOutboundBytesMax int64 // 0: the largest single reply + 1 MiB
	OutboundStallSeconds       int   // unsent bytes without progress close
	RouteCacheBytesMax         int64 // pre-encoded route bodies
	KVNamespaceBytesMax        int   // one encoded KV namespace: it travels in every 103 reply
	LogDir                     string
	LogLevel                   string // debug, info, warn, error
	LogToStderr                string // auto (when it is a terminal), always, never
	LogFileBytesMax            int64
	LogFilesMax                int

	// SerializeType is the header form of every reply, "JSON" or "ROCKETMQ" (environment
	// ROCKETMQ_SERIALIZE_TYPE, -Drocketmq.serialize.type; not a key of the file).
	SerializeType string
	// UserHome is Java's user.home: -Duser.home, else the passwd entry, never $HOME
	// unless there is no usable entry.
	UserHome string
}

// Live are the settings that 318 changes while the server runs. A value is immutable:
// load it once per request with [Namesrv.Live] and read what you need from that one.
type Live struct {
	OrderMessageEnable                bool
	ReturnOrderTopicConfigToBroker    bool
	SupportActingMaster               bool
	EnableAllTopicList                bool
	EnableTopicList                   bool
	NotifyMinBrokerIDChanged          bool
	NeedWaitForService                bool
	WaitSecondsForService             int
	DeleteTopicWithBrokerRegistration bool
}

// DefaultSettings returns the built-in defaults of a server whose user.home is home:
// Java's for Java's keys.
func DefaultSettings(home string) Settings {
	return Settings{
		KVConfigPath:                         home + "/namesrv/kvConfig.json",
		ConfigStorePath:                      home + "/namesrv/namesrv.properties",
		ProductEnvName:                       "center",
		ClientRequestThreadPoolNums:          8,
		DefaultThreadPoolNums:                16,
		ClientRequestThreadPoolQueueCapacity: 50000,
		DefaultThreadPoolQueueCapacity:       10000,
		ScanNotActiveBrokerInterval:          5000,
		UnRegisterBrokerQueueCapacity:        3000,
		ConfigBlackList:                      "configBlackList;configStorePath;kvConfigPath",

		BindAddress:                        "0.0.0.0",
		ListenPort:                         9876,
		ServerWorkerThreads:                8,
		ServerSelectorThreads:              3,
		ServerOnewaySemaphoreValue:         256,
		ServerAsyncSemaphoreValue:          64,
		ServerChannelMaxIdleTimeSeconds:    120,
		ServerSocketBacklog:                1024,
		ServerNettyWorkerGroupEnable:       true,
		ServerPooledByteBufAllocatorEnable: true,
		ShutdownWaitTimeSeconds:            30,

		ConnectTimeoutMillis: 3000,

		AdminListen:              "127.0.0.1:9877",
		FrameBytesMax:            16 << 20,
		PartialFrameBytesMax:     256 << 20,
		PartialFrameStallSeconds: 30,
		LaneBytesMax:             256 << 20,
		OutboundBytesMax:         512 << 20,
		OutboundStallSeconds:     30,
		RouteCacheBytesMax:       64 << 20,
		KVNamespaceBytesMax:      8 << 20,
		LogDir:                   home + "/logs/rocketmqlogs",
		LogLevel:                 "info",
		LogToStderr:              "auto",
		ConnectionHealth:         "evict",
		TCPTracing:               "auto",
		LogFileBytesMax:          100 << 20,
		LogFilesMax:              5,

		SerializeType: "JSON",
		UserHome:      home,
	}
}

// DefaultLive returns Java's defaults of the live settings.
func DefaultLive() Live {
	return Live{
		ReturnOrderTopicConfigToBroker: true,
		EnableAllTopicList:             true,
		EnableTopicList:                true,
		WaitSecondsForService:          45,
	}
}

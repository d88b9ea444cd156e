package codec

// MasterID is the broker id of a group's master (Java: MixAll.MASTER_ID).
const MasterID int64 = 0

// Permission bits of a topic on a broker (Java: PermName).
const (
	PermInherit  int32 = 1 << 0
	PermWrite    int32 = 1 << 1
	PermRead     int32 = 1 << 2
	PermPriority int32 = 1 << 3
)

// Bits of topicSysFlag (Java: TopicSysFlag).
const (
	TopicSysFlagUnit    int32 = 1 << 0
	TopicSysFlagUnitSub int32 = 1 << 1
)

// NullElement stands for a null in a list of strings. It is not UTF-8, so that no string
// that was read equals it.
const NullElement = "\xff"

// NullString is a Java string that can be null: absent and "" differ on the wire.
type NullString struct {
	String string
	Valid  bool
}

// DataVersion is the version of a broker's topic configuration (Java: DataVersion).
// Equality of all fields means unchanged; only StateVersion is ever ordered.
type DataVersion struct {
	StateVersion int64
	Timestamp    int64 // milliseconds since the epoch, the broker's clock
	Counter      int64
	CounterNull  bool // the counter is null, which equals null alone; Counter is 0
}

// QueueData says how many queues a topic has on one broker group (Java: QueueData).
type QueueData struct {
	BrokerName     string
	ReadQueueNums  int32
	WriteQueueNums int32
	Perm           int32
	TopicSysFlag   int32
}

// BrokerData is one broker group as clients see it (Java: BrokerData).
type BrokerData struct {
	Cluster            string
	BrokerName         string
	BrokerAddrs        map[int64]string // broker id -> ip:port
	ZoneName           NullString
	EnableActingMaster bool
}

// TopicQueueMappingInfo is one broker's share of a static topic (Java: TopicQueueMappingInfo).
type TopicQueueMappingInfo struct {
	Topic       NullString
	Scope       NullString
	TotalQueues int32
	BName       NullString
	Epoch       int64
	Dirty       bool
	CurrIDMap   map[int32]int32 // nil = null
}

// TopicRouteData is the answer to GET_ROUTEINFO_BY_TOPIC (Java: TopicRouteData).
type TopicRouteData struct {
	OrderTopicConf            NullString
	QueueDatas                []QueueData
	BrokerDatas               []BrokerData
	FilterServerTable         map[string][]string // broker addr -> filter servers
	TopicQueueMappingByBroker map[string]TopicQueueMappingInfo
}

// ClusterInfo is the answer to GET_BROKER_CLUSTER_INFO (Java: ClusterInfo).
type ClusterInfo struct {
	BrokerAddrTable  map[string]BrokerData
	ClusterAddrTable map[string][]string
}

// TopicConfig is what the name server needs of one topic in a registration (Java: TopicConfig).
type TopicConfig struct {
	// Name is the config's own topicName. It points into the body it was parsed from,
	// which the RegisterBody owns. Nil when the config had none.
	Name []byte
	// Key is the topic's key in topicConfigTable; the same bytes as Name in practice.
	Key            []byte
	ReadQueueNums  int32
	WriteQueueNums int32
	Perm           int32
	TopicSysFlag   int32
}

// TopicQueueMapping is one entry of a registration's topicQueueMappingInfoMap.
type TopicQueueMapping struct {
	Topic string // the map key, which is the topic it is stored under
	Info  TopicQueueMappingInfo
}

// RegisterBody is the body of REGISTER_BROKER (Java: RegisterBrokerBody).
type RegisterBody struct {
	DataVersion DataVersion
	// DataVersionStamped: the body carried no timestamp, so Timestamp is the time of
	// parsing, as in Java. Such a body must never be remembered as "unchanged".
	DataVersionStamped bool
	// Topics in the order of the body. A key that occurs twice occurs twice here; the
	// later one wins when it is applied in order.
	Topics []TopicConfig
	// TopicTableMissing: the wrapper or its topicConfigTable was an explicit null.
	TopicTableMissing bool
	Mappings          []TopicQueueMapping
	FilterServers     []string
	// FilterServersNull: leave the filter server table alone (old versions send none).
	FilterServersNull bool
}

// BrokerMemberGroup is the answer to GET_BROKER_MEMBER_GROUP (Java: BrokerMemberGroup).
// Cluster and BrokerName echo the request, which may lack either.
type BrokerMemberGroup struct {
	Cluster     NullString
	BrokerName  NullString
	BrokerAddrs map[int64]string
}

// TopicList is the answer to the topic list requests (Java: TopicList).
type TopicList struct {
	BrokerAddr NullString // 304 only: the broker to ask for its own system topics
	Topics     []string
}

// KVFile is the content of the KV configuration's file (Java: KVConfigSerializeWrapper).
type KVFile struct {
	ConfigTable map[string]map[string]string // namespace -> key -> value
	// Blank: the file had no content or just null. Java starts with an empty table then,
	// even when a good .bak lies beside it; the caller decides.
	Blank bool
}

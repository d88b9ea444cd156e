package codec

// Request codes a name server answers (Java: RequestCode).
const (
	CodePutKVConfig                   int32 = 100
	CodeGetKVConfig                   int32 = 101
	CodeDeleteKVConfig                int32 = 102
	CodeRegisterBroker                int32 = 103
	CodeUnregisterBroker              int32 = 104
	CodeGetRouteInfoByTopic           int32 = 105
	CodeGetBrokerClusterInfo          int32 = 106
	CodeWipeWritePermOfBroker         int32 = 205
	CodeGetAllTopicListFromNameserver int32 = 206
	CodeDeleteTopicInNamesrv          int32 = 216
	CodeRegisterTopicInNamesrv        int32 = 217
	CodeGetKVListByNamespace          int32 = 219
	CodeGetTopicsByCluster            int32 = 224
	CodeGetSystemTopicListFromNS      int32 = 304
	CodeGetUnitTopicList              int32 = 311
	CodeGetHasUnitSubTopicList        int32 = 312
	CodeGetHasUnitSubUnunitTopicList  int32 = 313
	CodeUpdateNamesrvConfig           int32 = 318
	CodeGetNamesrvConfig              int32 = 319
	CodeQueryDataVersion              int32 = 322
	CodeAddWritePermOfBroker          int32 = 327
	CodeGetBrokerMemberGroup          int32 = 901
	CodeBrokerHeartbeat               int32 = 904
	CodeNotifyMinBrokerIDChange       int32 = 905 // name server -> broker
)

// Response codes a name server uses (Java: RemotingSysResponseCode, ResponseCode).
const (
	Success                 int32 = 0
	SystemError             int32 = 1
	SystemBusy              int32 = 2
	RequestCodeNotSupported int32 = 3
	NoPermission            int32 = 16
	TopicNotExist           int32 = 17
	QueryNotFound           int32 = 22
	GoAway                  int32 = 1500
)

// Versions that gate behaviour (Java: the ordinals of MQVersion.Version).
const (
	Version3_0_11 int32 = 37  // from here: RegisterBrokerBody in 103
	Version4_9_4  int32 = 401 // from here: standard JSON in 105 replies
	Version5_0_0  int32 = 413 // from here: compressed 103 carries topic queue mappings
	Version5_3_1  int32 = 475 // above: understands GO_AWAY
	Version5_5_0  int32 = 513 // what Pharos answers as
)

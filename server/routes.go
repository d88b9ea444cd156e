package server

import "github.com/pharosmq/pharos/codec"

// routes is the dispatch table: every request code that is answered with more than
// "not supported".
var routes = []route{
	{code: codec.CodePutKVConfig, name: "PUT_KV_CONFIG", serve: putKVConfig},
	{code: codec.CodeGetKVConfig, name: "GET_KV_CONFIG", serve: getKVConfig},
	{code: codec.CodeDeleteKVConfig, name: "DELETE_KV_CONFIG", serve: deleteKVConfig},
	{code: codec.CodeRegisterBroker, name: "REGISTER_BROKER", serve: registerBroker, begin: beginRegister},
	{code: codec.CodeUnregisterBroker, name: "UNREGISTER_BROKER", serve: unregisterBroker},
	{code: codec.CodeGetRouteInfoByTopic, name: "GET_ROUTEINFO_BY_TOPIC", serve: getRouteInfoByTopic},
	{code: codec.CodeGetBrokerClusterInfo, name: "GET_BROKER_CLUSTER_INFO", serve: getBrokerClusterInfo},
	{code: codec.CodeWipeWritePermOfBroker, name: "WIPE_WRITE_PERM_OF_BROKER", serve: wipeWritePermOfBroker},
	{code: codec.CodeGetAllTopicListFromNameserver, name: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER", serve: getAllTopicList},
	{code: codec.CodeDeleteTopicInNamesrv, name: "DELETE_TOPIC_IN_NAMESRV", serve: deleteTopic},
	{code: codec.CodeRegisterTopicInNamesrv, name: "REGISTER_TOPIC_IN_NAMESRV", serve: registerTopic},
	{code: codec.CodeGetKVListByNamespace, name: "GET_KVLIST_BY_NAMESPACE", serve: getKVListByNamespace},
	{code: codec.CodeGetTopicsByCluster, name: "GET_TOPICS_BY_CLUSTER", serve: getTopicsByCluster},
	{code: codec.CodeGetSystemTopicListFromNS, name: "GET_SYSTEM_TOPIC_LIST_FROM_NS", serve: getSystemTopicList},
	{code: codec.CodeGetUnitTopicList, name: "GET_UNIT_TOPIC_LIST", serve: getUnitTopicList},
	{code: codec.CodeGetHasUnitSubTopicList, name: "GET_HAS_UNIT_SUB_TOPIC_LIST", serve: getHasUnitSubTopicList},
	{code: codec.CodeGetHasUnitSubUnunitTopicList, name: "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST", serve: getHasUnitSubUnunitTopicList},
	{code: codec.CodeUpdateNamesrvConfig, name: "UPDATE_NAMESRV_CONFIG", serve: updateNamesrvConfig},
	{code: codec.CodeGetNamesrvConfig, name: "GET_NAMESRV_CONFIG", serve: getNamesrvConfig},
	{code: codec.CodeQueryDataVersion, name: "QUERY_DATA_VERSION", serve: queryDataVersion},
	{code: codec.CodeAddWritePermOfBroker, name: "ADD_WRITE_PERM_OF_BROKER", serve: addWritePermOfBroker},
	{code: codec.CodeGetBrokerMemberGroup, name: "GET_BROKER_MEMBER_GROUP", serve: getBrokerMemberGroup},
	{code: codec.CodeBrokerHeartbeat, name: "BROKER_HEARTBEAT", serve: brokerHeartbeat},
}

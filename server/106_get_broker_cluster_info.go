package server

import (
	"github.com/pharosmq/pharos/routetable"
)

// getBrokerClusterInfo answers GET_BROKER_CLUSTER_INFO (106): all groups and clusters,
// with bare integer keys whoever asks, as in Java.
//
// Java: DefaultRequestProcessor#getBrokerClusterInfo.
func getBrokerClusterInfo(h *handlers, rq *Request) {
	h.replyList(rq, &clusterList)
}

var clusterList = tableList{
	add: (*routetable.Snapshot).AppendClusterInfo, encoded: (*routetable.Snapshot).EncodedClusterInfo,
}

package server

import "github.com/pharosmq/pharos/routetable"

// getSystemTopicList answers GET_SYSTEM_TOPIC_LIST_FROM_NS (304): the names of all clusters
// and broker groups, which are topics on brokers, and the address of one broker to ask on.
//
// Java: DefaultRequestProcessor#getSystemTopicListFromNs.
func getSystemTopicList(h *handlers, rq *Request) {
	h.replyList(rq, &tableList{add: (*routetable.Snapshot).AppendSystemTopicList})
}

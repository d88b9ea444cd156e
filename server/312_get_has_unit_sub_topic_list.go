package server

import "github.com/pharosmq/pharos/routetable"

// getHasUnitSubTopicList answers GET_HAS_UNIT_SUB_TOPIC_LIST (312): topics with a unit subscription, if enableTopicList.
//
// Java: DefaultRequestProcessor#getHasUnitSubTopicList.
func getHasUnitSubTopicList(h *handlers, rq *Request) {
	h.replyUnitList(rq, routetable.UnitSubTopics)
}

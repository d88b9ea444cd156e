package server

import "github.com/pharosmq/pharos/routetable"

// getHasUnitSubUnunitTopicList answers GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST (313): topics that are of no unit and have
// a unit subscription, if enableTopicList.
//
// Java: DefaultRequestProcessor#getHasUnitSubUnUnitTopicList.
func getHasUnitSubUnunitTopicList(h *handlers, rq *Request) {
	h.replyUnitList(rq, routetable.UnitSubNonUnitTopics)
}

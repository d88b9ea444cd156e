package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// getUnitTopicList answers GET_UNIT_TOPIC_LIST (311): topics of a unit, if enableTopicList.
//
// Java: DefaultRequestProcessor#getUnitTopicList.
func getUnitTopicList(h *handlers, rq *Request) {
	h.replyUnitList(rq, routetable.UnitTopics)
}

// replyUnitList is what 311, 312 and 313 have in common.
func (h *handlers) replyUnitList(rq *Request, kind routetable.UnitKind) {
	if !h.config.Live().EnableTopicList {
		rq.Reply(codec.SystemError, remarkDisabled, nil)
		return
	}
	h.replyList(rq, &tableList{add: func(s *routetable.Snapshot, dst []byte) []byte { return s.AppendUnitTopicList(dst, kind) }})
}

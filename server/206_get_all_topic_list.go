package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// remarkDisabled answers lists that an operator has switched off.
const remarkDisabled = "disable"

// getAllTopicList answers GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206) with the names of all
// topics, if enableAllTopicList.
//
// Java: DefaultRequestProcessor#getAllTopicListFromNameserver.
func getAllTopicList(h *handlers, rq *Request) {
	if !h.config.Live().EnableAllTopicList {
		rq.Reply(codec.SystemError, remarkDisabled, nil)
		return
	}
	h.replyList(rq, &allTopicList)
}

var allTopicList = tableList{
	add:     (*routetable.Snapshot).AppendTopicList,
	encoded: (*routetable.Snapshot).EncodedTopicList, encode: (*routetable.Snapshot).EncodeTopicList,
}

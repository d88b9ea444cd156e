package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// getTopicsByCluster answers GET_TOPICS_BY_CLUSTER (224) with the topics of the cluster's
// brokers, if enableTopicList. An unknown cluster has none.
//
// Java: DefaultRequestProcessor#getTopicsByCluster.
func getTopicsByCluster(h *handlers, rq *Request) {
	if !h.config.Live().EnableTopicList {
		rq.Reply(codec.SystemError, remarkDisabled, nil)
		return
	}
	cluster, named := rq.Cmd.Ext("cluster")
	if !named {
		rq.ReplyBody(codec.Success, "", nil, codec.AppendTopicList(nil, nil))
		return
	}
	name := string(cluster)
	h.replyList(rq, &tableList{add: func(s *routetable.Snapshot, dst []byte) []byte { return s.AppendTopicsByCluster(dst, name) }})
}

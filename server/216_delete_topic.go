package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// deleteTopic answers DELETE_TOPIC_IN_NAMESRV (216): the topic leaves the brokers of
// clusterName, or all without it (or with an empty one). Always 0. A master that still has
// the topic brings it back with its next registration.
//
// Java: DefaultRequestProcessor#deleteTopicInNamesrv.
func deleteTopic(h *handlers, rq *Request) {
	topic, named := rq.Cmd.Ext("topic")
	if !named {
		rq.Reply(codec.Success, "", nil)
		return
	}
	rq.Offload(TopicLane(string(topic)), func(p *Pending) {
		topic, cluster := extString(p.Cmd, "topic"), extString(p.Cmd, "clusterName")
		removed := false
		h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) { removed = x.DeleteTopic(topic, cluster) }))
		h.audit("topic deleted", p, removed, nil, "topic", topic, "clusterName", cluster, "existed", removed)
		p.Reply(codec.Success, "", nil)
	})
}

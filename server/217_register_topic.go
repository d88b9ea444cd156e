package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// registerTopic answers REGISTER_TOPIC_IN_NAMESRV (217): a broker has a new topic and says
// so before its next registration. Of the body, a TopicRouteData, only queueDatas counts.
// Always 0, unless the body cannot be read.
//
// Java: DefaultRequestProcessor#registerTopicToNamesrv.
func registerTopic(h *handlers, rq *Request) {
	topic, named := rq.Cmd.Ext("topic")
	key := TopicLane(string(topic))
	rq.Offload(key, func(p *Pending) {
		data, err := codec.ParseTopicRouteData(p.Body(), &h.srv.o.Limits)
		if err != nil {
			p.Reply(codec.SystemError, "Failed to decode TopicRouteData: "+err.Error(), nil)
			return
		}
		if named && len(data.QueueDatas) > 0 {
			h.storeTopic(p, data.QueueDatas)
		}
		p.Reply(codec.Success, "", nil)
	})
}

func (h *handlers) storeTopic(p *Pending, queues []codec.QueueData) {
	topic, stored := extString(p.Cmd, "topic"), false
	h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) { stored = x.RegisterTopic(topic, queues) }))
	h.audit("topic registered", p, stored, nil, "topic", topic, "queueDatas", len(queues),
		"brokerName", queues[0].BrokerName, "perm", queues[0].Perm, "readQueueNums", queues[0].ReadQueueNums,
		"writeQueueNums", queues[0].WriteQueueNums, "stored", stored)
}

package routetable

import "github.com/pharosmq/pharos/codec"

// RegisterTopic puts the topic on the groups that queues name, in order, and stops at the
// first unknown group: a topic unknown so far is then not stored at all; of a known one
// the queues before it are kept. It reports whether all were stored. No data version is
// involved. Java: RouteInfoManager#registerTopic.
func (x *Txn) RegisterTopic(topic string, queues []codec.QueueData) bool {
	x.flush()
	shape := uint32(0)
	if id, ok := x.findTopic([]byte(topic)); ok {
		shape = x.shapeID(id)
	}
	known, next, all := shape != 0, shape, true
	for i := range queues {
		g := x.view.named(queues[i].BrokerName)
		if g == nil {
			all = false
			break
		}
		next = x.putMember(next, memberOf(g.index, &queues[i]))
	}
	if next == shape || (!all && !known) {
		return all
	}
	x.setShape(x.topicID([]byte(topic)), next)
	for i := range queues {
		if g := x.view.named(queues[i].BrokerName); g != nil {
			x.touchTopics(g.index) // the broker's next registration may delete the topic again
		}
	}
	return all
}

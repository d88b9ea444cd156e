package client

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// MessageQueue is one queue of a topic on one broker group (Java: MessageQueue). The broker
// of a static topic's queue is the name of its scope, as in Java; where the queue lies at
// the moment is the Target's business.
type MessageQueue struct {
	Topic      string
	BrokerName string
	QueueID    int32
}

// Target is a queue that a message can be sent to: it has a broker, and that a master.
type Target struct {
	Queue  MessageQueue
	Broker string // the broker group that has the queue now
	Addr   string // its master, ip:port
}

// Route is where a topic lies, as a name server said it. It does not change: the next
// answer makes another Route. Everything it holds is shared and read-only.
type Route struct {
	Topic string
	// Data is the answer itself, with queue data and broker data sorted by broker name.
	Data *codec.TopicRouteData
	// Queues are the topic's queues to send to, in Java's order: those of the order
	// configuration if there is one, else a static topic's logical queues, else the write
	// queues of every writable broker group that has a master.
	Queues []MessageQueue
	// Ordered: the queues come from the order configuration (Java: isOrderTopic).
	Ordered bool
	// Fetched is when a name server last said so.
	Fetched time.Time
	// Err is why the latest lookup failed, nil if it did not. Until one succeeds again this
	// is the last route known, and Fetched tells how old it is. It may well be that the
	// topic is gone (ErrTopicNotFound): a name server that has just started says the same
	// of every topic, so the route is kept, as in Java.
	Err error

	targets []Target
	answer  answerID // from which it was made; noAnswer: not known
}

// Age is how long ago a name server last confirmed the route.
func (r *Route) Age() time.Duration { return time.Since(r.Fetched) }

// Stale reports whether the latest lookup failed.
func (r *Route) Stale() bool { return r.Err != nil }

// Targets are the queues of r whose broker has a master with an address: a name or an address
// longer than 1,024 bytes, or with unprintable characters in it, is none. Queues of an order
// configuration or of a static topic can lie on a broker that is not there now: they are in
// Queues and not here.
func (r *Route) Targets() []Target { return r.targets }

// newRoute makes a Route of an answer, which it owns from now on. What equals old's is
// shared with it.
func newRoute(topic string, data *codec.TopicRouteData, old *Route, now time.Time) (*Route, error) {
	sortRouteData(data)
	r := &Route{Topic: topic, Data: data, Fetched: now}
	if old != nil && sameRouteData(old.Data, data) {
		r.Data, r.Queues, r.Ordered, r.targets = old.Data, old.Queues, old.Ordered, old.targets
		return r, nil
	}
	if err := r.deriveQueues(); err != nil {
		return nil, err
	}
	return r, nil
}

// again is r after the same answer has come once more.
func (r *Route) again(now time.Time) *Route {
	same := *r
	same.Fetched, same.Err = now, nil
	return &same
}

// sortRouteData sorts as Java does before it compares (TopicRouteData#topicRouteDataChanged)
// and before it lists queues.
func sortRouteData(d *codec.TopicRouteData) {
	byBroker := func(a, b codec.QueueData) int { return cmp.Compare(a.BrokerName, b.BrokerName) }
	if !slices.IsSortedFunc(d.QueueDatas, byBroker) {
		slices.SortStableFunc(d.QueueDatas, byBroker)
	}
	byName := func(a, b codec.BrokerData) int { return cmp.Compare(a.BrokerName, b.BrokerName) }
	if !slices.IsSortedFunc(d.BrokerDatas, byName) {
		slices.SortStableFunc(d.BrokerDatas, byName)
	}
}

// sameRouteData compares two sorted answers (Java: TopicRouteData#equals).
func sameRouteData(a, b *codec.TopicRouteData) bool {
	return a.OrderTopicConf == b.OrderTopicConf &&
		slices.Equal(a.QueueDatas, b.QueueDatas) &&
		slices.EqualFunc(a.BrokerDatas, b.BrokerDatas, sameBrokerData) &&
		maps.EqualFunc(a.FilterServerTable, b.FilterServerTable, slices.Equal[[]string]) &&
		maps.EqualFunc(a.TopicQueueMappingByBroker, b.TopicQueueMappingByBroker, sameMapping)
}

func sameBrokerData(a, b codec.BrokerData) bool {
	return a.Cluster == b.Cluster && a.BrokerName == b.BrokerName && a.ZoneName == b.ZoneName &&
		a.EnableActingMaster == b.EnableActingMaster && maps.Equal(a.BrokerAddrs, b.BrokerAddrs)
}

func sameMapping(a, b codec.TopicQueueMappingInfo) bool {
	return a.Topic == b.Topic && a.Scope == b.Scope && a.TotalQueues == b.TotalQueues &&
		a.BName == b.BName && a.Epoch == b.Epoch && a.Dirty == b.Dirty && maps.Equal(a.CurrIDMap, b.CurrIDMap)
}

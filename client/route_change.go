package client

import (
	"maps"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// Change tells a watcher how a topic's route differs from the one before. Lists are sorted
// or in the order of the routes; a Change in which all are empty is of something else in
// the answer: replicas, permissions, filter servers, zones.
type Change struct {
	Topic string
	Old   *Route // nil: the first route of the topic
	New   *Route

	BrokersAdded   []string // broker groups
	BrokersRemoved []string
	BrokersMoved   []string // broker groups whose master has another address, or none any more, or one again
	QueuesAdded    []MessageQueue
	QueuesRemoved  []MessageQueue
}

func diffRoutes(old, next *Route) Change {
	c := Change{Topic: next.Topic, Old: old, New: next}
	was, is := masterAddrs(old), masterAddrs(next)
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if before, ok := was[name]; !ok {
			c.BrokersAdded = append(c.BrokersAdded, name)
		} else if before != is[name] {
			c.BrokersMoved = append(c.BrokersMoved, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, ok := is[name]; !ok {
			c.BrokersRemoved = append(c.BrokersRemoved, name)
		}
	}
	var before []MessageQueue
	if old != nil {
		before = old.Queues
	}
	c.QueuesAdded = queuesWithout(next.Queues, before)
	c.QueuesRemoved = queuesWithout(before, next.Queues)
	return c
}

// masterAddrs maps each broker group of a route to its master, "" if it has none.
func masterAddrs(r *Route) map[string]string {
	addrs := map[string]string{}
	if r != nil {
		for i := range r.Data.BrokerDatas {
			b := &r.Data.BrokerDatas[i]
			addrs[b.BrokerName] = b.BrokerAddrs[codec.MasterID]
		}
	}
	return addrs
}

// queuesWithout are the queues of a that are not in b.
func queuesWithout(a, b []MessageQueue) []MessageQueue {
	in := make(map[MessageQueue]bool, len(b))
	for _, q := range b {
		in[q] = true
	}
	var out []MessageQueue
	for _, q := range a {
		if !in[q] {
			out = append(out, q)
		}
	}
	return out
}

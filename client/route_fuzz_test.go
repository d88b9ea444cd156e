package client

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// FuzzRoute: whatever a name server answers makes a route or an error, never a panic and never
// more queues than queuesMax; its targets are among its queues, in their order, each with an
// address; the same answer again is the same route.
func FuzzRoute(f *testing.F) {
	f.Add(typicalRoute())
	f.Add([]byte(`{"orderTopicConf":"a:2;b:1","brokerDatas":[{"brokerName":"a","brokerAddrs":{0:"h"}}],"queueDatas":[]}`))
	f.Add([]byte(`{"brokerDatas":[{"brokerName":"a","brokerAddrs":{"0":"h","1":"s"}}],"queueDatas":[{"brokerName":"a","perm":6,"writeQueueNums":2147483647}]}`))
	f.Add([]byte(`{"brokerDatas":[{"brokerName":"a","brokerAddrs":{0:"h"}}],"topicQueueMappingByBroker":{"a":{"bname":"a","currIdMap":{0:0,7:1},"epoch":1,"scope":"__global__","totalQueues":9}}}`))
	f.Add([]byte(`{"orderTopicConf":";;:","topicQueueMappingByBroker":{"":{"totalQueues":-1}}}`))
	f.Add([]byte(`{"brokerDatas":[` + strings.Repeat(`{"brokerName":"a","brokerAddrs":{0:"h"}},`, brokersMax) + `{}]}`))
	o := ResolverOptions{}.withDefaults()
	f.Fuzz(func(t *testing.T, body []byte) {
		parse := func() *codec.TopicRouteData {
			d, err := codec.ParseTopicRouteData(body, &o.Limits)
			if err != nil {
				return nil
			}
			return &d
		}
		d := parse()
		if d == nil {
			return
		}
		if n := len(d.BrokerDatas); n > brokersMax {
			t.Fatalf("%d brokers", n)
		}
		r, err := newRoute("T", d, nil, time.Now())
		if err != nil {
			return
		}
		if len(r.Queues) > queuesMax {
			t.Fatalf("%d queues", len(r.Queues))
		}
		rest := r.Queues
		for _, g := range r.Targets() {
			i := slices.Index(rest, g.Queue)
			if i < 0 || g.Addr == "" {
				t.Fatalf("target %+v is not among the queues left", g)
			}
			rest = rest[i+1:]
		}
		again, err := newRoute("T", parse(), r, time.Now())
		if err != nil || again.Data != r.Data {
			t.Fatalf("the same answer again: %v", err)
		}
		if change := diffRoutes(r, again); len(change.QueuesAdded)+len(change.QueuesRemoved)+len(change.BrokersMoved)+len(change.BrokersAdded)+len(change.BrokersRemoved) != 0 {
			t.Fatalf("a change between equals: %+v", change)
		}
	})
}

package server

import (
	"sync/atomic"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// BenchmarkDispatchLoops is lookups without sockets, on as many event loops of one server as
// there are processors (-cpu 1,2): what loops share shows as a time per lookup that does not
// halve.
func BenchmarkDispatchLoops(b *testing.B) {
	r := newRig(b, nil)
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
	frame := c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", "TopicTest")
	var served atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		l, w := newLoop(r.Server, fakeEngine{}), &fakeWire{}
		own := r.newConnection(r.conns.nextID(), l, w, "bench")
		l.opened(own)
		for pb.Next() {
			w.in = frame
			l.traffic(own)
		}
		served.Add(l.stats.FramesIn)
		l.ended(own, ClosePeer, 0)
	})
	if served.Load() != uint64(b.N) {
		b.Errorf("%d of %d requests were served", served.Load(), b.N)
	}
}

// A small cluster's list, from the loop.
func BenchmarkGetBrokerClusterInfo(b *testing.B) {
	r := newRig(b, nil)
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
	c.benchmark(b, c.frame(codec.CodeGetBrokerClusterInfo, nil))
}

package server

import (
	"fmt"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// BenchmarkLookupRun is what a loop makes of lookups that came together, without sockets: 64
// batches of 16 in turn, for 1,000 topics on four brokers.
func BenchmarkLookupRun(b *testing.B) {
	r := newRig(b, nil)
	c := r.dial()
	for i := range 4 {
		one := newBroker(fmt.Sprintf("bench-%04d", i), 0)
		one.addr = fmt.Sprintf("10.0.0.%d:10911", i)
		for topic := range 1000 {
			one.topics = append(one.topics, benchTopic(topic))
		}
		c.mustRegister(one)
	}
	for _, depth := range []int{16, 1} {
		for _, unknown := range []int{0, 50, 100} {
			b.Run(fmt.Sprintf("depth=%d/unknown=%d", depth, unknown), func(b *testing.B) {
				l, w := r.loop, &fakeWire{}
				own := r.newConnection(r.conns.nextID(), l, w, "bench")
				l.opened(own)
				batches := benchBatches(c, depth, unknown)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					w.in = batches[i%len(batches)]
					i++
					l.traffic(own)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*depth), "ns/lookup")
				b.ReportMetric(float64(w.written)/float64(b.N*depth), "bytes/reply")
			})
		}
	}
}

func benchTopic(i int) string { return fmt.Sprintf("bench-topic-%07d", i) }

// benchBatches makes 64 times depth lookups, of which so many in a hundred find nothing.
func benchBatches(c *client, depth, unknown int) [][]byte {
	batches := make([][]byte, 64)
	c.opaque = 1_000_000
	n := 0
	for i := range batches {
		for range depth {
			n += 7919
			topic := benchTopic(n % 1000)
			if n%100 < unknown {
				topic = fmt.Sprintf("bench-nobo--%07d", n%1000)
			}
			batches[i] = append(batches[i], c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", topic, "acceptStandardJsonOnly", "true")...)
		}
	}
	return batches
}

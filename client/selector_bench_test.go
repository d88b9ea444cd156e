package client

import (
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkSelect is one choice of 24 queues on three brokers.
func BenchmarkSelect(b *testing.B) {
	r := testRoute(b, map[string]int{"a": 8, "b": 8, "c": 8})
	brokers := testBrokers{}
	var cursor atomic.Uint64
	c := newCandidates(r, brokers.of, &cursor, 0, time.Now(), brokerUp)
	for name, s := range selectors() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Done(s.Select(c, ""), Outcome{Latency: time.Millisecond})
			}
		})
	}
}

package routetable

import (
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// BenchmarkRoutes is what a loop does with 16 lookups that came together: names that were just
// read, all in no order, and their bodies copied behind each other.
func BenchmarkRoutes(b *testing.B) {
	for _, c := range []struct {
		name   string
		topics int
		queues func(int) int32
	}{
		{"1k-alike", 1000, alike},
		{"1k-different", 1000, different},
		{"1M-alike", 1_000_000, alike},
		{"1M-different", 1_000_000, different},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := newFleet(c.topics, 4, c.queues)
			var topics [RoutesMax][]byte
			for i := range topics {
				topics[i] = append([]byte(nil), f.names[0]...)
			}
			f.names = nil
			var routes [RoutesMax]Route
			dst := make([]byte, 0, 128<<10)
			o := RouteOptions{Dialect: codec.DialectStandard, SupportActingMaster: true}
			at := uint64(1)
			lookUp := func() {
				for i := range topics {
					at = at*6364136223846793005 + 1442695040888963407
					digits(topics[i][len("bench-topic-"):], int(at>>33)%c.topics)
				}
				f.Snapshot().Routes(topics[:], routes[:], &o)
				dst = dst[:0]
				for i := range routes {
					if !routes[i].Found() {
						b.Fatalf("no route of %s", topics[i])
					}
					if body := routes[i].Encoded(&o); body != nil {
						dst = append(dst, body...)
					} else {
						dst = routes[i].AppendBody(dst, o)
					}
				}
			}
			for range 20_000 {
				lookUp() // until the bodies take all they may
			}
			b.ReportAllocs()
			done := measureCPU(b)
			for b.Loop() {
				lookUp()
			}
			done()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*RoutesMax), "ns/lookup")
		})
	}
}

// digits writes seven digits of n.
func digits(p []byte, n int) {
	for i := 6; i >= 0; i-- {
		p[i] = byte('0' + n%10)
		n /= 10
	}
}

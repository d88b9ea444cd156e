package server

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// fakeWire is a connection in memory: all input is there, all output is taken.
type fakeWire struct {
	in      []byte
	written int
}

func (w *fakeWire) Peek(n int) ([]byte, error) {
	if n > len(w.in) {
		return nil, errors.New("short")
	}
	return w.in[:n], nil
}

func (w *fakeWire) Discard(n int) (int, error) {
	w.in = w.in[n:]
	return n, nil
}

func (w *fakeWire) InboundBuffered() int { return len(w.in) }
func (*fakeWire) OutboundBuffered() int  { return 0 }
func (*fakeWire) Fd() int                { return -1 }

func (w *fakeWire) Writev(pieces [][]byte) (int, error) { return writeEach(w, pieces) }

// writeEach is Writev for wires of tests.
func writeEach(w io.Writer, pieces [][]byte) (n int, err error) {
	for _, p := range pieces {
		m, err := w.Write(p)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (w *fakeWire) Write(p []byte) (int, error) {
	w.written += len(p)
	return len(p), nil
}

// fakeEngine runs what is posted at once, on the caller.
type fakeEngine struct{}

func (fakeEngine) run(f func()) bool         { f(); return true }
func (fakeEngine) close(wire)                {}
func (fakeEngine) acked(wire) uint64         { return 0 }
func (fakeEngine) unread(wire) int           { return 0 }
func (fakeEngine) readInto(wire, []byte) int { return 0 }
func (fakeEngine) setReading(wire, bool)     {}

// fakeLoop is a loop without an engine, with one connection.
func fakeLoop(t testing.TB) (*loop, *connection, *fakeWire) {
	s, err := newServer(Options{}, Deps{Log: slog.New(slog.DiscardHandler)}, testRoutes())
	if err != nil {
		t.Fatal(err)
	}
	l, w := newLoop(s, fakeEngine{}), &fakeWire{}
	l.pump.reset = func(time.Duration) bool { return true } // tests pump by hand
	c := s.newConnection(s.conns.nextID(), l, w, "test")
	l.opened(c)
	return l, c, w
}

// The way from bytes to bytes allocates nothing, one request at a time or many.
func TestServingAllocatesNothing(t *testing.T) {
	l, c, w := fakeLoop(t)
	one := request(testEcho, 1, []byte("hello"))
	var many []byte
	for range 100 {
		many = append(many, one...)
	}
	for name, input := range map[string][]byte{"one": one, "hundred": many} {
		before := l.stats.FramesIn
		allocs := testing.AllocsPerRun(200, func() {
			w.in = input
			l.traffic(c)
		})
		if allocs != 0 || l.stats.FramesIn == before || c.Closed() {
			t.Errorf("%s: %v allocations, %d frames", name, allocs, l.stats.FramesIn-before)
		}
	}
}

func benchmarkTraffic(b *testing.B, frames int) {
	l, c, w := fakeLoop(b)
	input := make([]byte, 0, 16<<10)
	for range frames {
		input = append(input, request(testEcho, 1, []byte("hello"))...)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.in = input
		l.traffic(c)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*frames), "ns/frame")
}

func BenchmarkTrafficSingle(b *testing.B)    { benchmarkTraffic(b, 1) }
func BenchmarkTrafficPipelined(b *testing.B) { benchmarkTraffic(b, 64) }

// What counting a lookup costs, clock included: one in lookupSampleEvery is timed.
func BenchmarkStatsPerLookup(b *testing.B) {
	clock := newClock(tickMillis)
	stats := newLoopStats(4)
	r := &reply{result: codec.Success}
	for b.Loop() {
		stats.FramesIn++
		timed := stats.FramesIn%lookupSampleEvery == 0
		var start int64
		if timed {
			start = clock.nanos()
		}
		stats.count(1, r)
		if timed {
			stats.Requests[1].observe(clock.nanos() - start)
		}
	}
}

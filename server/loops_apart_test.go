package server

import (
	"slices"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// startLoops starts a server of so many event loops with so many connections that have each
// been served, dialled together or one after the other.
func startLoops(t *testing.T, loops, conns int, together bool) *testServer {
	t.Helper()
	ts := startServer(t, Options{EventLoops: loops}, testRoutes())
	peers := make([]*peer, conns)
	var all sync.WaitGroup
	for i := range peers {
		peers[i] = ts.dial()
		if !together {
			peers[i].served()
		}
	}
	for _, p := range peers {
		all.Go(func() {
			if !p.served() {
				t.Error("not served")
			}
		})
	}
	all.Wait()
	return ts
}

func (ts *testServer) connsByLoop() map[*loop]int {
	n := map[*loop]int{}
	ts.conns.each(func(c *connection) { n[c.loop]++ })
	return n
}

// Goal: connections are spread over the event loops. Method: of those that come one after the
// other the loops differ by one at most; of those that come at once by no more than may be on
// their way to a loop together.
func TestConnectionsAreBalanced(t *testing.T) {
	const loops, conns = 3, 99
	spread := func(ts *testServer) int {
		byLoop := ts.connsByLoop()
		if len(byLoop) != loops {
			t.Fatalf("%d of %d loops have connections: %v", len(byLoop), loops, byLoop)
		}
		counts := make([]int, 0, loops)
		for _, n := range byLoop {
			counts = append(counts, n)
		}
		return slices.Max(counts) - slices.Min(counts)
	}
	if n := spread(startLoops(t, loops, conns, false)); n > 1 {
		t.Errorf("one after the other: the loops differ by %d connections", n)
	}
	burst := startLoops(t, loops, conns, true)
	if n := spread(burst); n > burst.plan.arriving {
		t.Errorf("at once: the loops differ by %d connections, %d may be on their way", n, burst.plan.arriving)
	}
}

// Goal: no two event loops write to the same cache line for a request. Method: of the objects
// that a loop writes then, without the padding at the ends of some, no two of different loops
// lie on one line.
func TestLoopsShareNoCacheLine(t *testing.T) {
	const line = unsafe.Sizeof(cpu.CacheLinePad{})
	ts := startLoops(t, 4, 400, true)
	type object struct {
		first, last uintptr // cache lines
		loop        *loop
		what        string
	}
	var objects []object
	add := func(l *loop, what string, at unsafe.Pointer, size uintptr) {
		objects = append(objects, object{uintptr(at) / line, (uintptr(at) + size - 1) / line, l, what})
	}
	for _, l := range ts.currentLoops() {
		add(l, "loop", unsafe.Pointer(l), unsafe.Sizeof(*l))
		add(l, "LoopStats", unsafe.Pointer(l.stats), unsafe.Sizeof(*l.stats)-line)
		add(l, "LoopStats.Requests", unsafe.Pointer(&l.stats.Requests[0]), uintptr(len(l.stats.Requests))*unsafe.Sizeof(l.stats.Requests[0]))
	}
	ts.conns.each(func(c *connection) {
		add(c.loop, "connection", unsafe.Pointer(c), unsafe.Sizeof(*c))
	})
	slices.SortFunc(objects, func(a, b object) int { return int(a.first) - int(b.first) })
	for i, o := range objects[1:] {
		if before := objects[i]; before.loop != o.loop && before.last >= o.first {
			t.Errorf("a %s and a %s of two loops are on one cache line", before.what, o.what)
		}
	}
}

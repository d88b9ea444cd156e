package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// A heap that has little alive is collected each time it has grown to 4 MiB or twice what is alive.
// When three hundred brokers connect that is five times in 20 ms, and each stops all threads while
// they accept connections on the same processor: 0.7 to 1.8 ms (measured on one processor). So a
// small heap may grow to 16 MiB, which a name server's garbage takes minutes for otherwise; then it
// is one collection, and 0.3 to 0.5 ms.
//
// Not so when the server has just started, for then the kernel verifies BPF programs beside the
// brokers that come, and lets go of the processor only when its turn has ended: with one processor a
// collection then stops everything for 1 to 5 ms in one start of two. Until the first collection,
// which the start asks for itself when it is over (server.GiveBackWhenCalm), a heap may grow to
// 64 MiB, which loading and three hundred brokers of 10,000 topics do not reach.
const (
	usualPercent     = 100      // Go's, of what is alive
	smallHeapPercent = 400      // Go begins at 4 MiB for each 100
	smallHeapBytes   = 16 << 20 // to which a heap may grow, whatever is alive of it
	startPercent     = 1600     // until the first collection
)

// heapPercent is what the collector is to be set to when so many bytes are alive. It is in steps, for
// a change stops all threads.
func heapPercent(aliveBytes uint64) int {
	if aliveBytes >= smallHeapBytes {
		return usualPercent
	}
	percent := (smallHeapBytes - aliveBytes) * 100 / max(aliveBytes, 1)
	return int(min(max(percent/100*100, usualPercent), smallHeapPercent))
}

// smallHeap lets a small heap grow, and looks after each collection whether it still is small.
type smallHeap struct {
	mu      sync.Mutex
	percent int
	alive   []metrics.Sample
	ended   bool
}

// letSmallHeapGrow begins it; nil if an operator has set the collector (GOGC).
func letSmallHeapGrow() *smallHeap {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(startPercent)
	h := &smallHeap{percent: startPercent, alive: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	h.awaitCollection()
	return h
}

// afterCollection is h's finalizer: Go calls it when a collection has found that nobody refers to
// the mark, and so it does after the next one.
func (h *smallHeap) afterCollection() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	metrics.Read(h.alive)
	if percent := heapPercent(h.alive[0].Value.Uint64()); percent != h.percent {
		h.percent = percent
		debug.SetGCPercent(percent)
	}
	h.awaitCollection()
}

func (h *smallHeap) awaitCollection() {
	mark := &struct{ of *smallHeap }{h}
	runtime.SetFinalizer(mark, func(m *struct{ of *smallHeap }) { m.of.afterCollection() })
}

// end leaves the collector as it was.
func (h *smallHeap) end() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	debug.SetGCPercent(usualPercent)
}

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// A heap that has little alive is collected each time it has grown to 4 MiB or twice what is alive.
// When three hundred brokers connect that is five times in 20 ms, and each stops all threads while
// they accept connections on the same processor: 0.7 to 1.8 ms (measured on one processor). So a
// small heap may grow to 16 MiB, which a name server's garbage takes minutes for otherwise; then it
// is one collection, and 0.3 to 0.5 ms.
const (
	usualPercent     = 100      // Go's, of what is alive
	smallHeapPercent = 400      // Go begins at 4 MiB for each 100
	smallHeapBytes   = 8 << 20  // alive; a heap that has less is small
	largeHeapBytes   = 12 << 20 // one that has more is not
)

// heapPercent is what the collector is to be set to when so many bytes are alive.
func heapPercent(now int, aliveBytes uint64) int {
	switch {
	case aliveBytes > largeHeapBytes:
		return usualPercent
	case aliveBytes < smallHeapBytes:
		return smallHeapPercent
	}
	return now
}

// smallHeap lets a small heap grow, and looks after each collection whether it still is small.
type smallHeap struct {
	percent int
	alive   []metrics.Sample
	ended   atomic.Bool
}

// letSmallHeapGrow begins it; nil if an operator has set the collector (GOGC).
func letSmallHeapGrow() *smallHeap {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(smallHeapPercent)
	h := &smallHeap{percent: smallHeapPercent, alive: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	h.afterCollection()
	return h
}

// afterCollection is h's finalizer: Go calls it when a collection has found that nobody refers to
// the mark, and so it does after the next one.
func (h *smallHeap) afterCollection() {
	if h.ended.Load() {
		return
	}
	metrics.Read(h.alive)
	if percent := heapPercent(h.percent, h.alive[0].Value.Uint64()); percent != h.percent {
		h.percent = percent
		debug.SetGCPercent(percent)
	}
	mark := &struct{ of *smallHeap }{h}
	runtime.SetFinalizer(mark, func(m *struct{ of *smallHeap }) { m.of.afterCollection() })
}

// end leaves the collector as it was.
func (h *smallHeap) end() {
	if h != nil {
		h.ended.Store(true)
		debug.SetGCPercent(usualPercent)
	}
}

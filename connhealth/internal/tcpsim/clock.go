package tcpsim

import "container/heap"

// Times are microseconds.
const (
	Millisecond int64 = 1000
	Second            = 1000 * Millisecond
	jiffy             = 4 * Millisecond // HZ=250
)

// Timer is something that will happen.
type Timer struct {
	at    int64
	order uint64
	f     func()
	index int
}

// Clock runs what is due, in order of time.
type Clock struct {
	now    int64
	order  uint64
	timers timerHeap
}

// Now returns the simulated time.
func (c *Clock) Now() int64 { return c.now }

// After runs f after d.
func (c *Clock) After(d int64, f func()) *Timer {
	c.order++
	t := &Timer{at: c.now + max(d, 0), order: c.order, f: f}
	heap.Push(&c.timers, t)
	return t
}

// Stop cancels a timer; nil and timers that ran are fine.
func (c *Clock) Stop(t *Timer) {
	if t != nil && t.index >= 0 {
		heap.Remove(&c.timers, t.index)
	}
}

// RunUntil runs everything due until t, and stays there.
func (c *Clock) RunUntil(t int64) {
	for len(c.timers) > 0 && c.timers[0].at <= t {
		x := heap.Pop(&c.timers).(*Timer)
		c.now = x.at
		x.f()
	}
	c.now = t
}

type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

package faults

import (
	"context"
	"fmt"
	"time"
)

// A machine that has too much to do measures itself: timers of brokers and rules of the router
// come late, an outage of 4 s lasts 4.5 s. Such a run is disturbed, and is repeated. A timer may
// be late by Options.Lateness, and by half of what is to be measured; an outage may be longer by
// half of that, and so may a death; a packet may be late by a fifth.
const latenessPeriod = 20 * time.Millisecond

// patience is how late a timer may be in this run.
func (w *world) patience() time.Duration {
	if target := w.c.Target.MaxSeconds; target > 0 {
		return min(w.o.Lateness, time.Duration(target/2*1e9))
	}
	return w.o.Lateness
}

// lateness is how late this process came to its timers, at worst, until ctx ends.
func lateness(ctx context.Context) time.Duration {
	worst := time.Duration(0)
	for ctx.Err() == nil {
		due := time.Now().Add(latenessPeriod)
		time.Sleep(latenessPeriod)
		worst = max(worst, time.Since(due))
	}
	return worst
}

// struck says when what kills somebody was done. Until then the dead lived on, and what it took
// would count as the server's.
func (w *world) struck(now time.Time) {
	w.disturbedBy("a death", now.Sub(w.diedAt), 0, w.patience()/2)
}

// disturbedBy says that something took longer than it was told to.
func (w *world) disturbedBy(what string, took, wanted, atMost time.Duration) {
	if took-wanted <= atMost {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.disturbed == "" {
		w.disturbed = fmt.Sprintf("%s took %.2f s instead of %.2f s", what, took.Seconds(), wanted.Seconds())
	}
}

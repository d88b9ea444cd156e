package client

import (
	"sync"
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
)

// stopwatch says how long answers took, without the time in which our own process stood still.
// It beats, by a timer, while somebody waits for an answer, and a moment longer.
type stopwatch struct {
	began time.Time

	mu      sync.Mutex
	meter   pause.Meter
	waiting int // starts without their stop
	timer   *time.Timer
	beating bool
	closed  bool
}

// timing is the time of one answer.
type timing struct {
	w            *stopwatch
	began, stood time.Duration
}

func newStopwatch() *stopwatch { return &stopwatch{began: time.Now()} }

// close ends the beating. What is timed then is timed by the clock.
func (w *stopwatch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.beating = true, false
	if w.timer != nil {
		w.timer.Stop()
	}
}

// start begins to time an answer; call stop once it has come or is not waited for any more.
func (w *stopwatch) start() timing {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.began)
	w.waiting++
	if !w.beating && !w.closed {
		w.beating = true
		w.meter.Start(now)
		if w.timer == nil {
			w.timer = time.AfterFunc(pause.BeatEvery, w.beat)
		} else {
			w.timer.Reset(pause.BeatEvery)
		}
	}
	return w.splitAt(now)
}

func (w *stopwatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting--
}

// split begins to time another answer before stop is called.
func (w *stopwatch) split() timing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.splitAt(time.Since(w.began))
}

// splitAt is split; w.mu is held.
func (w *stopwatch) splitAt(now time.Duration) timing {
	return timing{w: w, began: now, stood: w.stood(now)}
}

// stood is how long we have stood still so far; w.mu is held.
func (w *stopwatch) stood(now time.Duration) time.Duration {
	if !w.beating {
		now = 0 // the time since the last beat says nothing
	}
	return w.meter.Stood(now)
}

// took is how long the answer has taken up to now, to be asked before stop: 0 if that is not
// known, because we stood still for about as long.
func (t timing) took() time.Duration {
	w := t.w
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.began)
	took := now - t.began
	if stood := w.stood(now) - t.stood; stood > 0 {
		return max(took-stood, 0)
	}
	return max(took, 1)
}

// beat is the timer's.
func (w *stopwatch) beat() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.meter.Beat(time.Since(w.began))
	if w.beating = w.waiting > 0; w.beating {
		w.timer.Reset(pause.BeatEvery)
	}
}

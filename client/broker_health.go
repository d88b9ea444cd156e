package client

import (
	"sync"
	"sync/atomic"
	"time"
)

// brokerState orders brokers: those in a lower state are sent to first.
type brokerState uint8

const (
	brokerUp      brokerState = iota
	brokerResting             // it asked for less, or refused: until a time
	brokerDown                // no answer: until it answers a probe
)

// Bounds of what is held against a broker.
const (
	// slowMax: so many time-outs in a row, with the connection alive, make a broker down.
	slowMax = 3
	// provenAfter: a broker that failed again sooner than this after its return is probed
	// at the distances it had, not at short ones again.
	provenAfter = 30 * time.Second
)

// brokerHealth is what a producer knows against a broker. It has no clock: now comes in.
type brokerHealth struct {
	troubled atomic.Bool // something below is not zero: the quick path of stored

	mu        sync.Mutex
	down      bool
	since     time.Time // of down, or of the return
	why       error
	slow      int // time-outs since the last answer
	restUntil time.Time
	restPause time.Duration
	pause     time.Duration // before the next probe
	owes      time.Time     // asked then, and silent since, though callers gave up; zero: no such
}

// state is the broker's state, and when that ends by itself: zero if it does not.
func (h *brokerHealth) state(now time.Time) (brokerState, time.Time) {
	if !h.troubled.Load() {
		return brokerUp, time.Time{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.down:
		return brokerDown, time.Time{}
	case now.Before(h.restUntil):
		return brokerResting, h.restUntil
	}
	return brokerUp, time.Time{}
}

// answered notes an answer that has nothing against the broker's state; true if the state
// changed. A message that a broker takes is proof as good as a probe.
func (h *brokerHealth) answered(now time.Time) (changed bool) {
	if !h.troubled.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	changed = h.down || now.Before(h.restUntil)
	if h.down {
		h.down, h.since = false, now
	}
	h.why, h.slow, h.restUntil, h.restPause, h.owes = nil, 0, time.Time{}, 0, time.Time{}
	// The pause between probes is remembered until the broker has proved itself.
	if h.pause == 0 || now.Sub(h.since) >= provenAfter {
		h.pause = 0
		h.troubled.Store(false)
	}
	return changed
}

// lost notes that no answer came. silent: nothing at all was heard of the broker, so that it
// is down at once. It is first probed after probeMin, then at doubling distances.
func (h *brokerHealth) lost(now time.Time, why error, silent bool, probeMin, probeMax time.Duration) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.troubled.Store(true)
	h.why = why
	if h.slow++; h.down || !silent && h.slow < slowMax {
		return false
	}
	if h.pause == 0 || now.Sub(h.since) >= provenAfter {
		h.pause = min(probeMin, probeMax)
	}
	h.down, h.since, h.owes = true, now, time.Time{}
	return true
}

// gaveUp notes that somebody asked and did not wait long for the answer, which by itself says
// nothing of the broker. It reports whether the broker has been silent for patience all the
// same, counted from the first such question. heard is when it last answered anybody.
func (h *brokerHealth) gaveUp(now, asked, heard time.Time, patience time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.troubled.Store(true)
	if h.owes.IsZero() || heard.After(h.owes) {
		h.owes = asked
	}
	return now.Sub(h.owes) >= patience
}

// rest leaves the broker alone for a while: first for restMin, each time in a row twice as
// long, at most restMax. One that was down is not: it answered.
func (h *brokerHealth) rest(now time.Time, why error, restMin, restMax time.Duration) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.troubled.Store(true)
	h.why, h.slow = why, 0
	back := h.down
	if back {
		h.down, h.since = false, now
	}
	if now.Before(h.restUntil) {
		return back // sent before the last refusal came
	}
	h.restPause = min(max(2*h.restPause, restMin), restMax)
	h.restUntil = now.Add(h.restPause)
	return true
}

// probePause is how long to wait for the next probe: pauses of a broker that is down double
// up to probeMax; one that is probed for another reason is probed at that distance.
func (h *brokerHealth) probePause(probeMin, probeMax time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.down {
		return probeMax
	}
	pause := max(h.pause, probeMin)
	h.pause = min(2*pause, probeMax)
	return pause
}

// report is the state for statistics.
func (h *brokerHealth) report(now time.Time) (state brokerState, since time.Time, why error) {
	state, _ = h.state(now)
	h.mu.Lock()
	defer h.mu.Unlock()
	return state, h.since, h.why
}

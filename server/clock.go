package server

import (
	"sync/atomic"
	"time"
)

// stallToleratedMillis is how late our own tick may be without it counting as a stall.
const stallToleratedMillis = 1000

// StallClock turns a monotonic clock into one that stands still while we did: when an
// observation comes more than a second later than it should have, the rest of the delay
// is taken out. Deadlines kept in its time therefore move by as much, and a pause of ours
// (SIGSTOP, a suspended machine, a starved loop) expires nobody.
//
// It is pure: time comes in. It is not safe for concurrent use.
type StallClock struct {
	periodMillis int64
	lastMillis   int64 // of the outer clock, at the last observation
	lostMillis   int64 // taken out so far
}

// NewStallClock returns a clock that will be observed every periodMillis, starting at
// nowMillis of the outer clock, which it agrees with.
func NewStallClock(nowMillis, periodMillis int64) StallClock {
	return StallClock{periodMillis: periodMillis, lastMillis: nowMillis}
}

// Observe is the periodic observation. It returns this clock's time, and how much of the
// time since the last observation was taken out (0 normally).
func (s *StallClock) Observe(outerMillis int64) (nowMillis, stallMillis int64) {
	if late := outerMillis - s.lastMillis - s.allowed(); late > 0 {
		s.lostMillis += late
		stallMillis = late
	}
	s.lastMillis = max(outerMillis, s.lastMillis)
	return s.lastMillis - s.lostMillis, stallMillis
}

// At is this clock's time between observations: it does not run past the moment the next
// observation may come, so that nothing is stamped with time that Observe takes out.
func (s *StallClock) At(outerMillis int64) int64 {
	return min(max(outerMillis, s.lastMillis), s.lastMillis+s.allowed()) - s.lostMillis
}

func (s *StallClock) allowed() int64 { return s.periodMillis + stallToleratedMillis }

// Clock is the server's monotonic clock, in milliseconds since the process began. It
// stands still while the process did (see StallClock). Safe for concurrent use.
type Clock struct {
	base  time.Time
	state atomic.Pointer[StallClock] // replaced by tick, never changed
}

func newClock(periodMillis int64) *Clock {
	c := &Clock{base: time.Now()}
	s := NewStallClock(0, periodMillis)
	c.state.Store(&s)
	return c
}

// Millis is the time for everything that expires.
func (c *Clock) Millis() int64 { return c.state.Load().At(c.RawMillis()) }

// RawMillis is the same clock with stalls counted: only for measuring them.
func (c *Clock) RawMillis() int64 { return int64(time.Since(c.base) / time.Millisecond) }

// nanos is RawMillis in nanoseconds: for durations.
func (c *Clock) nanos() int64 { return int64(time.Since(c.base)) }

// tick observes; one goroutine calls it every period. It returns how long we stood still.
func (c *Clock) tick() (stallMillis int64) {
	next := *c.state.Load()
	_, stallMillis = next.Observe(c.RawMillis())
	c.state.Store(&next)
	return stallMillis
}

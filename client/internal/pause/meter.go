package pause

import "time"

// BeatEvery is how far apart the beats of a Meter are.
const BeatEvery = 20 * time.Millisecond

// beatLate is how late a beat may be without meaning anything.
const beatLate = 20 * time.Millisecond

// Meter measures how long we stood still, by the beats that did not come meanwhile. When in the
// time between two beats we stopped it cannot know, so it takes all of that time: rather too
// much by a beat than too little.
type Meter struct {
	last  time.Duration // beat
	stood time.Duration // up to then
}

// Start begins to beat, for the first time or again.
func (m *Meter) Start(now time.Duration) { m.last = now }

// Beat is to be called every BeatEvery.
func (m *Meter) Beat(now time.Duration) { m.stood, m.last = m.Stood(now), now }

// Stood is how long we have stood still so far. It never falls. It may be called, after a
// pause, before the beat that is late.
func (m *Meter) Stood(now time.Duration) time.Duration {
	if gap := now - m.last; gap > BeatEvery+beatLate {
		return m.stood + gap
	}
	return m.stood
}

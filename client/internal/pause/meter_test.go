package pause

import (
	"testing"
	"time"
)

// Goal: whatever is outstanding while we stand still, no more than its own time is held against
// it, and at most what two beats are apart is not; before the late beat as after it.
func TestMeterTakesOutAPause(t *testing.T) {
	const step = 3 * ms
	for pauseAt := time.Duration(0); pauseAt < 3*BeatEvery; pauseAt += step {
		for _, stands := range []time.Duration{0, 10 * ms, 50 * ms, 700 * ms, 3 * time.Second} {
			for asked := time.Duration(0); asked <= pauseAt; asked += step {
				const own = 100 * ms
				ends := pauseAt + stands
				answered := max(ends, asked+own) // it came while we stood still, and is read then
				var m Meter
				m.Start(0)
				next := BeatEvery
				beats := func(until time.Duration) {
					for ; next <= until; next += BeatEvery {
						if next > pauseAt && next < ends {
							next = ends
						}
						if next <= until {
							m.Beat(next)
						}
					}
				}
				beats(asked)
				before := m.Stood(asked)
				beats(answered - 1)
				early := m.Stood(answered)
				m.Beat(answered)
				if late := m.Stood(answered); late != early {
					t.Fatalf("stood %v before the beat and %v after it", early, late)
				}
				awake := answered - asked - (ends - max(asked, pauseAt))
				got := answered - asked - (early - before)
				if most := awake + BeatEvery + beatLate; got > most || stands == 0 && got != own {
					t.Fatalf("a pause from %v to %v, asked at %v, answered at %v: %v, at most %v", pauseAt, ends, asked, answered, got, most)
				}
				if least := awake - 2*(BeatEvery+beatLate); got < least {
					t.Fatalf("a pause from %v to %v, asked at %v, answered at %v: %v, at least %v", pauseAt, ends, asked, answered, got, least)
				}
			}
		}
	}
}

// Goal: a beat that is a little late means nothing, and nobody beats while nothing is outstanding.
func TestMeterWithoutAPause(t *testing.T) {
	var m Meter
	m.Start(time.Hour)
	now := time.Hour
	for range 100 {
		now += BeatEvery + beatLate
		m.Beat(now)
	}
	m.Start(now + time.Hour)
	if stood := m.Stood(now + time.Hour + BeatEvery); stood != 0 {
		t.Errorf("stood still for %v", stood)
	}
}

package connhealth

import "math"

// never is a time before all others.
const never = math.MinInt64 / 2

// sameMillis: two times closer than this are the same transmission, seen by an event and
// by a sample; the kernel's ages are multiples of a jiffy, up to 10 ms.
const sameMillis = 20

// tracker follows transmissions of ours that went unanswered so far: how many, and over
// what time they spread. Time between two of them counts as tested up to a limit. The
// newest one is not held against the peer before its answer is overdue.
type tracker struct {
	n           int
	firstMillis int64
	lastMillis  int64
	tested      int64 // from the first to the last
	prevTested  int64 // to the one before the last
}

func (t *tracker) reset() { *t = tracker{} }

// transmissions are what was sent since the last look: count of them, the newest at
// atMillis. The others are placed stepMillis apart before it, not before earliestMillis.
type transmissions struct {
	count          int
	atMillis       int64
	stepMillis     int64
	earliestMillis int64
	class          Retransmission
}

// add notes transmissions that nobody answered yet.
func (t *tracker) add(x transmissions, gapMaxMillis int64) {
	if x.count <= 0 || t.n > 0 && x.atMillis <= t.lastMillis+sameMillis {
		return
	}
	if t.n == 0 {
		first := x.atMillis - int64(x.count-1)*x.stepMillis
		first = min(max(first, x.earliestMillis), x.atMillis)
		*t = tracker{n: 1, firstMillis: first, lastMillis: first}
		if x.count--; x.count == 0 {
			return
		}
	}
	if x.count > 1 {
		before := max(t.lastMillis, x.atMillis-x.stepMillis)
		t.tested += min(before-t.lastMillis, int64(x.count-1)*gapMaxMillis)
		t.lastMillis = before
		t.n += x.count - 1
	}
	t.prevTested = t.tested
	t.tested += min(x.atMillis-t.lastMillis, gapMaxMillis)
	t.lastMillis = x.atMillis
	t.n++
}

// counted returns how many transmissions should have been answered by now, and the time
// from the first to the last of those.
func (t *tracker) counted(now, boundMillis int64) (n int, testedMillis int64) {
	if t.n > 0 && now < t.lastMillis+boundMillis {
		return t.n - 1, t.prevTested
	}
	return t.n, t.tested
}

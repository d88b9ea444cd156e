package pause

import "time"

// lookMax is how long before its end a time-out is looked at first, and so what readers have
// after a pause. It is far more than they need to run once, and far less than a time-out.
const lookMax = 50 * time.Millisecond

// looksMax is how often one may come late and look again: whoever is starved all the time has
// to go by what there is.
const looksMax = 8

// Deadline is the end of a time-out. Look at Next, again and again, until it is Over: at the
// end exactly if we were there all the time, and otherwise a moment after we came back.
type Deadline struct {
	at    time.Duration
	look  time.Duration // how far the two looks are apart
	looks int
	next  time.Duration
	over  bool
}

// After is the deadline of something that began at a time and may take so long.
func After(began, timeout time.Duration) Deadline {
	look := min(lookMax, timeout/4)
	return Deadline{at: began + timeout, look: look, next: began + timeout - look}
}

// Next is when to look next.
func (d *Deadline) Next() time.Duration { return d.next }

// Over looks, and reports whether time is up: at the second look, if that is not late itself.
// Once up, time stays up.
func (d *Deadline) Over(now time.Duration) bool {
	if d.over || now < d.next {
		return d.over
	}
	late := now > d.next+d.look
	d.looks++
	if d.over = d.looks > 1 && !late || d.looks > looksMax; !d.over {
		d.next = max(d.at, now+d.look)
	}
	return d.over
}

// Up reports whether a look has found that time is up.
func (d *Deadline) Up() bool { return d.over }

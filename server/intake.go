package server

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// intake says which large frames come in. When hundreds of brokers with ten thousand topics
// each register at once, all that they send does not fit in memory, and closing those who
// are slowest, or refusing what has come in, keeps them away for half a minute. So a large
// frame (largeFrameBytes) is read when there is room for the whole of it, and until then its
// connection is not: its bytes wait in the kernel and with the peer. The room is given back
// when the frame has been handled, in a lane mostly: what the lanes do not get done slows
// down what comes in.
//
// Whoever has room and does not use it holds up others. So while somebody waits, a frame that
// comes in too slowly (intakeUsefulMillis) loses its room: it keeps what has come, waits with
// the others, and has its turn when those who never failed have had theirs. One that sends
// nothing at all time after time is closed, as a stalled one is.
//
// One frame always has room, however large. What those hold that wait is bounded as all
// unhandled input is (Options.PartialFrameBytesMax).
type intake struct {
	mu       sync.Mutex
	maxBytes int64
	granted  int64 // to frames that come in, or that came in and are not handled yet
	waiting  []*connection
	waiters  atomic.Int32 // their number, for those who only want to know whether there are any
	demoted  atomic.Uint64
}

const (
	// intakePart: frames may have room for one part in so many of what may be read and not
	// handled, and of what lanes may hold.
	intakePart = 2
	// defaultIntakeLook is how often frames that come in are looked at while others wait, in ms.
	defaultIntakeLook = 1000
	// intakeUsefulMillis is how long a sender may take for its frame while others wait. They
	// are Java's brokers, who give up after 24 s: a few slow senders in a row must leave them
	// some of that.
	intakeUsefulMillis = 6_000
	// intakeSilentMost: so many looks in which nothing came close a connection.
	intakeSilentMost = 5
	// intakeAgeBytes: of two that wait, the one with less to come goes first; each
	// millisecond of waiting counts like so many bytes less.
	intakeAgeBytes = 1024
)

// intakeShare is what the intake knows of a connection's large frame. intake.mu's.
type intakeShare struct {
	needBytes   int64 // of the frame; 0: there is none
	leftBytes   int64 // of it, to come, when it began to wait
	granted     bool
	failed      int32 // times it lost its room
	sinceMillis int64 // when it began to wait
}

// intakeLook is what a loop remembers of a large frame that has room.
type intakeLook struct {
	atMillis int64
	gotBytes int
	silent   int // looks in which nothing came
}

// admit begins a frame of so many bytes on c. It reports whether there is room for it; if
// not, c's loop is told when there is.
func (in *intake) admit(c *connection, bytes int, nowMillis int64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	c.intake = intakeShare{needBytes: int64(bytes), leftBytes: int64(bytes), sinceMillis: nowMillis}
	if len(in.waiting) == 0 && in.fits(c.intake.needBytes) {
		in.grant(c)
		return true
	}
	in.enqueue(c)
	return false
}

func (in *intake) fits(bytes int64) bool { return in.granted == 0 || in.granted+bytes <= in.maxBytes }

func (in *intake) grant(c *connection) {
	c.intake.granted = true
	in.granted += c.intake.needBytes
}

func (in *intake) enqueue(c *connection) {
	in.waiting = append(in.waiting, c)
	in.waiters.Store(int32(len(in.waiting)))
}

// dequeue takes the ith that waits out.
func (in *intake) dequeue(i int) {
	last := len(in.waiting) - 1
	in.waiting[i] = in.waiting[last]
	in.waiting[last] = nil
	in.waiting = in.waiting[:last]
	in.waiters.Store(int32(last))
}

// handOver ends the frame of c, which is complete. The caller owes what it returns to
// giveBack.
func (in *intake) handOver(c *connection) (granted int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.leave(c)
}

// forget ends the frame of c, which is complete no more, or takes no room.
func (in *intake) forget(c *connection) {
	in.mu.Lock()
	next := in.release(in.leave(c))
	in.mu.Unlock()
	resume(next)
}

// leave returns what c's frame was granted, and forgets the frame. The caller holds mu.
func (in *intake) leave(c *connection) (granted int64) {
	s := c.intake
	c.intake = intakeShare{}
	switch {
	case s.granted:
		return s.needBytes
	case s.needBytes > 0:
		for i, w := range in.waiting {
			if w == c {
				in.dequeue(i)
				break
			}
		}
	}
	return 0
}

// giveBack ends the use of granted bytes; others go on.
func (in *intake) giveBack(granted int64) {
	if granted == 0 {
		return
	}
	in.mu.Lock()
	next := in.release(granted)
	in.mu.Unlock()
	resume(next)
}

// release gives room back and grants it to those who wait, in their order; the caller, who
// holds mu, resumes them. Who is next and does not fit yet is waited for: large frames have
// their turn, too.
func (in *intake) release(granted int64) (next []*connection) {
	in.granted -= granted
	for len(in.waiting) > 0 {
		i := in.first()
		c := in.waiting[i]
		if !in.fits(c.intake.needBytes) {
			break
		}
		in.dequeue(i)
		in.grant(c)
		next = append(next, c)
	}
	return next
}

// first is the index of who goes first of those who wait.
func (in *intake) first() (best int) {
	for i := 1; i < len(in.waiting); i++ {
		if in.waiting[i].intake.before(&in.waiting[best].intake) {
			best = i
		}
	}
	return best
}

func (s *intakeShare) before(o *intakeShare) bool {
	if n := cmp.Compare(s.failed, o.failed); n != 0 {
		return n < 0
	}
	return s.leftBytes+s.sinceMillis*intakeAgeBytes < o.leftBytes+o.sinceMillis*intakeAgeBytes
}

// resume has connections read from that were granted room.
func resume(next []*connection) {
	for _, c := range next {
		c.loop.post(mail{kind: mailRun, run: func() { c.loop.admitted(c) }})
	}
}

// demote takes the room of c's frame, of which leftBytes are still to come, if others wait. It
// reports whether it did.
func (in *intake) demote(c *connection, leftBytes int, nowMillis int64) bool {
	in.mu.Lock()
	s := &c.intake
	if !s.granted || len(in.waiting) == 0 {
		in.mu.Unlock()
		return false
	}
	s.granted = false
	s.failed++
	s.leftBytes, s.sinceMillis = int64(leftBytes), nowMillis
	in.demoted.Add(1)
	next := in.release(s.needBytes)
	in.enqueue(c)
	next = append(next, in.release(0)...) // it may be the only one again
	in.mu.Unlock()
	resume(next)
	return true
}

// wasted reports whether c's frame waits since it did not use the room it had.
func (in *intake) wasted(c *connection) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return c.intake.failed > 0 && !c.intake.granted
}

// holds reports whether c's frame has room.
func (in *intake) holds(c *connection) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return c.intake.granted
}

func (in *intake) stats() IntakeStats {
	in.mu.Lock()
	defer in.mu.Unlock()
	return IntakeStats{Bytes: in.granted, MaxBytes: in.maxBytes, Waiting: int64(len(in.waiting)), Demoted: in.demoted.Load()}
}

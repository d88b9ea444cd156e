package server

// turns says which connections that stream are read from. A peer that always has the next
// bytes ready fills the read buffer at every look, and each look costs a lookup beside it
// what 16 KiB of small requests take: 0.13 ms. Two hundred such peers would be 30 ms. So
// those whose socket does not run dry take turns: turnsMost of a loop are read, and the
// others wait, in the order in which they came.
//
// A turn ends when the socket runs dry, after turnReads reads if others wait, or when nothing
// comes for turnSilentMillis. Who is never ahead of the loop by a read buffer never waits,
// nor does anybody while few stream, nor does a single frame, however large: what costs is
// the number of frames (intake.go has the rules for large ones).
//
// A loop has its own, without a lock.
type turns struct {
	held    []*connection // who has a turn; turnsMost at most
	queue   []*connection // who waits, from head on; also some that have closed since
	head    int
	waiting int
}

const (
	// turnsMost have a turn at the same time: their reads together take some 2 ms, which is
	// what a lookup waits.
	turnsMost = 16
	// turnReads is the length of a turn while others wait, in full read buffers: 64 KiB. More
	// would have the last of a thousand wait for longer, less would be more system calls.
	turnReads = 4
	// turnSilentMillis: a turn that nothing comes in for so long is over.
	turnSilentMillis = 10
)

type turnState uint8

const (
	turnNone    turnState = iota
	turnHeld              // is read from, and streams
	turnWaiting           // streams, and is not read from
)

// turn is a connection's part in the turns of its loop.
type turn struct {
	state      turnState
	reads      int   // full reads in this turn
	lastMillis int64 // the last of them
}

// take notes a full read of c. It reports whether c has a turn; if not, there is none free.
func (t *turns) take(c *connection, nowMillis int64) bool {
	if c.turn.state == turnNone {
		if t.waiting > 0 || len(t.held) >= turnsMost {
			return false
		}
		t.hold(c, nowMillis)
	}
	c.turn.reads++
	c.turn.lastMillis = nowMillis
	return true
}

func (t *turns) hold(c *connection, nowMillis int64) {
	c.turn = turn{state: turnHeld, lastMillis: nowMillis}
	t.held = append(t.held, c)
}

// wait has c, which has no turn, wait for one.
func (t *turns) wait(c *connection) {
	if t.head > len(t.queue)/2 && len(t.queue) == cap(t.queue) {
		n := copy(t.queue, t.queue[t.head:])
		clear(t.queue[n:])
		t.queue, t.head = t.queue[:n], 0
	}
	c.turn = turn{state: turnWaiting}
	t.queue = append(t.queue, c)
	t.waiting++
}

// over reports that the turn of c has lasted long enough for those who wait.
func (t *turns) over(c *connection) bool {
	return c.turn.state == turnHeld && c.turn.reads >= turnReads && t.waiting > 0
}

// leave ends c's turn, or its waiting for one. It returns who has the turn now, nil for
// nobody.
func (t *turns) leave(c *connection, nowMillis int64) (next *connection) {
	state := c.turn.state
	c.turn = turn{}
	switch state {
	case turnWaiting:
		t.waiting-- // it stays in the queue, where the next one is looked for
	case turnHeld:
		for i, h := range t.held {
			if h == c {
				last := len(t.held) - 1
				t.held[i], t.held[last] = t.held[last], nil
				t.held = t.held[:last]
				break
			}
		}
		if next = t.first(); next != nil {
			t.hold(next, nowMillis)
		}
	}
	return next
}

// first takes the one out of the queue who has waited longest.
func (t *turns) first() *connection {
	for t.head < len(t.queue) {
		c := t.queue[t.head]
		t.queue[t.head] = nil
		t.head++
		if c.turn.state == turnWaiting {
			t.waiting--
			return c
		}
	}
	t.queue, t.head = t.queue[:0], 0
	return nil
}

// silent returns one whose turn is over since nothing comes, nil if there is none.
func (t *turns) silent(nowMillis int64) *connection {
	for _, c := range t.held {
		if !c.inAgain && nowMillis-c.turn.lastMillis > turnSilentMillis {
			return c
		}
	}
	return nil
}

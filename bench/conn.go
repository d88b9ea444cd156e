package bench

// slot is a request in flight.
type slot struct {
	due    int64 // when it was to be sent, on the engine's clock
	opaque int32
	op     op
	busy   bool
}

type connState uint8

const (
	connClosed connState = iota
	connConnecting
	connOpen
	connDone // it has asked all it had to
)

// conn is one connection of a group.
type conn struct {
	group *group
	id    int32 // what epoll knows it by
	index int   // within the group
	fd    int
	state connState

	slots []slot
	free  []uint16 // slots that are not busy

	out      []byte // frames that are not sent yet
	outAt    int    // up to where out is sent
	big      []byte // the rest of a large body, sent after out
	queued   bool   // in engine.bigs
	pollsOut bool   // waits for room in its send buffer

	in       []byte // a reply that comes in pieces and is wanted whole
	skip     int    // bytes still to come of one that is not
	skipSlot *slot  // what it answers
	skipCode int32

	nth         int   // registrations sent
	lastByteAt  int64 // when the last byte of one was sent
	replies     int   // on this connection
	openedNanos int64
}

// nextOpaque gives slot i the correlation id of its next request: ids of a slot are the same
// modulo the number of slots.
func (c *conn) nextOpaque(i uint16) int32 {
	s := &c.slots[i]
	if s.opaque == 0 || int(s.opaque)+len(c.slots) > opaqueMax {
		s.opaque = int32(opaqueMin + int(i))
	} else {
		s.opaque += int32(len(c.slots))
	}
	return s.opaque
}

// waiting is the slot that waits for opaque, or nil.
func (c *conn) waiting(opaque int32) *slot {
	if opaque < opaqueMin || len(c.slots) == 0 {
		return nil
	}
	s := &c.slots[(int(opaque)-opaqueMin)%len(c.slots)]
	if !s.busy || s.opaque != opaque {
		return nil
	}
	return s
}

// ready reports whether c can take another request.
func (c *conn) ready() bool {
	return c.state == connOpen && len(c.free) > 0 && c.big == nil && !c.pollsOut
}

// reset forgets everything of a connection that ended.
func (c *conn) reset() {
	c.out, c.outAt, c.big, c.in, c.skip, c.skipSlot = c.out[:0], 0, nil, nil, 0, nil
	c.pollsOut, c.replies = false, 0
	c.group.waiting -= c.inFlight()
	c.free = c.free[:0]
	for i := range c.slots {
		c.slots[i].busy = false
		c.free = append(c.free, uint16(len(c.slots)-1-i))
	}
}

// inFlight is how many requests wait for a reply.
func (c *conn) inFlight() int { return len(c.slots) - len(c.free) }

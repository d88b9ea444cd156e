package bench

import (
	"golang.org/x/sys/unix"
)

// pace sends what is due in the open loops. It reports whether more is due already.
func (e *engine) pace(now int64) (more bool) {
	if e.draining {
		return false
	}
	for _, g := range e.groups {
		if g.interval == 0 || !g.asking {
			continue
		}
		for n := 0; g.nextDue <= now; n++ {
			c := g.nextConn()
			if c == nil || n == pacedPerRound {
				more = true
				break
			}
			for range g.Burst {
				e.request(c, g.nextDue)
				if c.big != nil {
					break
				}
			}
			g.dueNext(g.dueAt + g.interval)
			e.flush(c)
		}
	}
	return more
}

// dueNext sets when the next request is.
func (g *group) dueNext(at float64) {
	g.dueAt, g.nextDue = at, int64(at)
	if every := int64(g.Every); every > 0 {
		g.nextDue = (g.nextDue + every - 1) / every * every
	}
}

// connTries is how many connections are looked at for one that can take a request.
const connTries = 64

// nextConn takes the connections in turn, so that each has its period.
func (g *group) nextConn() *conn {
	for range min(connTries, len(g.conns)) {
		c := &g.conns[g.turn]
		if g.turn++; g.turn == len(g.conns) {
			g.turn = 0
		}
		if c.ready() && len(c.free) >= g.Burst {
			return c
		}
	}
	return nil
}

// fill gives c as many requests as it may have in flight: the closed loop.
func (e *engine) fill(c *conn, now int64) {
	if e.draining {
		return
	}
	for c.ready() && (c.group.RequestsMax == 0 || c.replies+c.inFlight() < c.group.RequestsMax) {
		e.request(c, now)
	}
	e.flush(c)
}

// request appends the next request of c's group to what c has to send. c is ready.
func (e *engine) request(c *conn, due int64) {
	g := c.group
	o := g.ops[g.opAt]
	if g.opAt++; g.opAt == len(g.ops) {
		g.opAt = 0
	}
	e.ask(c, o, due)
}

// ask appends one request.
func (e *engine) ask(c *conn, o op, due int64) {
	g := c.group
	i := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	g.waiting++
	opaque := c.nextOpaque(i)
	s := &c.slots[i]
	s.due, s.op, s.busy = due, o, true
	g.sent++
	if g.interval > 0 {
		g.due++
	}
	if g.firstSent < 0 {
		g.firstSent = due
	}
	kind := o.kind()
	if kind != opRegister {
		c.out = g.templates[kind].append(c.out, opaque, o.topic())
		return
	}
	r := g.Registrations(c.index, c.nth)
	c.nth++
	c.out = r.head.append(c.out, opaque, 0)
	if len(r.body) <= bigSliceBytes {
		c.out = append(c.out, r.body...)
		c.lastByteAt = due
		return
	}
	c.big = r.body
}

// flush sends what c has, as far as the kernel takes it and, of a large body, a slice.
func (e *engine) flush(c *conn) {
	if c.outAt < len(c.out) {
		n, errno := rawSend(c.fd, c.out[c.outAt:])
		if !e.sent(c, n, errno) {
			return
		}
		c.outAt += n
		if c.outAt < len(c.out) {
			e.waitForRoom(c, true)
			return
		}
		c.out, c.outAt = c.out[:0], 0
	}
	if c.big != nil {
		n, errno := rawSend(c.fd, c.big[:min(len(c.big), bigSliceBytes)])
		if !e.sent(c, n, errno) {
			return
		}
		if c.big = c.big[n:]; len(c.big) == 0 {
			c.big = nil
			c.lastByteAt = e.now()
		} else if !c.queued && !c.pollsOut {
			c.queued = true
			e.bigs = append(e.bigs, c)
		}
	}
	if c.pollsOut && c.big == nil {
		e.waitForRoom(c, false)
	}
}

// writable goes on with what c has to send; with a large body in its turn.
func (e *engine) writable(c *conn) {
	if c.big == nil || c.outAt < len(c.out) {
		e.flush(c)
		return
	}
	e.waitForRoom(c, false)
	if !c.queued {
		c.queued = true
		e.bigs = append(e.bigs, c)
	}
}

// sent deals with the outcome of a send; false: no more can be sent now.
func (e *engine) sent(c *conn, n int, errno unix.Errno) bool {
	switch errno {
	case 0:
		c.group.bytesOut += uint64(n)
		return true
	case unix.EAGAIN:
		e.waitForRoom(c, true)
	case unix.EINTR:
		e.waitForRoom(c, true) // comes back at once
	default:
		e.lost(c, "send: "+errno.Error())
	}
	return false
}

func (e *engine) waitForRoom(c *conn, wait bool) {
	if c.pollsOut != wait {
		c.pollsOut = wait
		e.watch(c)
	}
}

// sendBig sends one slice of one large body, so that lookups beside it wait for microseconds
// only. It reports whether there is more to send.
func (e *engine) sendBig() bool {
	if len(e.bigs) == 0 {
		return false
	}
	c := e.bigs[0]
	e.bigs = e.bigs[1:]
	c.queued = false
	if c.state == connOpen && !c.pollsOut && c.big != nil {
		e.flush(c)
	}
	return len(e.bigs) > 0
}

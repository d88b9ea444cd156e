package server

// Unsent answers. gnet queues what the kernel does not take, without bound. So:
//
//   - From OutboundPauseBytes unsent on (512 KiB), no further request of the connection is
//     handled, and it is not read from (stops.go). Unsent output of one connection is
//     therefore at most that, one batch and one reply.
//   - gnet does not tell when the queue has drained: blocked connections are looked at
//     every few milliseconds (pump), and resume at half the pause.
//   - A peer that for OutboundStallMillis took nothing of what waits is closed. Progress
//     is what it acknowledged (TCP_INFO), not what the kernel took: with a send buffer of
//     megabytes, a slow reader's socket becomes writable once in minutes.
//   - Answers from lanes come on top; above ConnectionOutboundBytesMax the connection is
//     closed.
//   - Over all connections OutboundBytesMax holds: the evictor closes those with the most.

// write hands p to the wire; p is copied if need be. It reports false if the connection
// is closed, which a failed write does by itself.
func (l *loop) write(c *connection, p []byte) bool {
	if !l.mayWrite(c, len(p)) {
		return false
	}
	if _, err := c.wire.Write(p); err != nil || c.closed {
		return false // OnClose has run inside
	}
	return l.wrote(c, len(p))
}

// writev is write for several pieces. What the kernel takes at once is never copied.
func (l *loop) writev(c *connection, pieces [][]byte) bool {
	bytes := 0
	for _, p := range pieces {
		bytes += len(p)
	}
	if !l.mayWrite(c, bytes) {
		return false
	}
	if _, err := c.wire.Writev(pieces); err != nil || c.closed {
		return false
	}
	return l.wrote(c, bytes)
}

// mayWrite reports whether so many bytes more may wait for c's peer.
func (l *loop) mayWrite(c *connection, bytes int) bool {
	if c.closed {
		return false
	}
	if int64(c.wire.OutboundBuffered()+bytes) > l.srv.o.ConnectionOutboundBytesMax {
		l.closing(c, CloseOutboundMemory)
		return false
	}
	return true
}

// wrote accounts for so many bytes that the wire took or queued.
func (l *loop) wrote(c *connection, bytes int) bool {
	l.stats.BytesOut += uint64(bytes)
	c.lastUsedMillis = l.localMillis
	if unsent := c.wire.OutboundBuffered(); unsent > 0 {
		l.unsent(c, unsent)
	}
	return true
}

// unsent notes that bytes of c wait for its peer.
func (l *loop) unsent(c *connection, bytes int) {
	l.watch(c)
	l.holdOutbound(c, int64(bytes))
	if bytes >= l.srv.o.OutboundPauseBytes {
		l.block(c, stopOutput)
	}
	if c.blocked { // gnet wants to be told of room for output, and of input with it
		l.engine.setReading(c.wire, false)
	}
}

// watch has drain look at c.
func (l *loop) watch(c *connection) {
	if !c.inDraining {
		c.inDraining = true
		c.outMillis, c.ackedBytes = l.localMillis, l.engine.acked(c.wire)
		l.draining = append(l.draining, c)
	}
}

func (l *loop) holdOutbound(c *connection, bytes int64) {
	if delta := bytes - c.outboundHeld.Load(); delta != 0 {
		c.outboundHeld.Store(bytes)
		l.srv.outbound.add(delta)
	}
}

// drain looks at the connections with unsent output and at those that are not read from:
// who has none left, who may be read from again, and, if stalls is set, who takes nothing.
func (l *loop) drain(stalls bool) {
	kept := l.draining[:0]
	for _, c := range l.draining {
		if c.closed {
			continue
		}
		if l.drainOne(c, stalls) {
			kept = append(kept, c)
		}
	}
	clear(l.draining[len(kept):])
	l.draining = kept
}

// drainOne reports whether c still has unsent output or is not read from.
func (l *loop) drainOne(c *connection, stalls bool) bool {
	unsent := c.wire.OutboundBuffered()
	if unsent == 0 || int64(unsent) < c.outboundHeld.Load() {
		c.outMillis = l.localMillis
	}
	l.holdOutbound(c, int64(unsent))
	if l.unblock(c) {
		l.serveAgain(c)
	}
	if unsent == 0 && c.stops&^stopsTold == 0 {
		c.inDraining = false
		return false
	}
	if stalls && unsent > 0 {
		l.stalledOutput(c)
	}
	return true
}

// stalledOutput closes c if its peer has taken nothing for too long. The system call that
// tells is made a few times within that time, not at every tick.
func (l *loop) stalledOutput(c *connection) {
	most := l.srv.o.OutboundStallMillis
	if l.localMillis-max(c.outMillis, c.ackedMillis) < most/8 {
		return
	}
	c.ackedMillis = l.localMillis
	if acked := l.engine.acked(c.wire); acked != c.ackedBytes {
		c.ackedBytes, c.outMillis = acked, l.localMillis
	} else if l.localMillis-c.outMillis > most {
		l.closing(c, CloseOutboundStalled)
	}
}

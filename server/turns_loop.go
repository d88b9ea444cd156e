package server

import (
	"math/bits"
	"time"
)

// turnLook is how often those who have a turn are looked at while others wait.
const turnLook = turnSilentMillis / 2 * time.Millisecond

// fullReadBytes is how much gnet reads at a time, at most, with a read buffer of so many
// bytes: the next power of two, and not less than 1 KiB.
func fullReadBytes(readBufferBytes int) int {
	return max(1<<10, 1<<bits.Len(uint(readBufferBytes-1)))
}

// mayRead is called when something has come from c, or is to be gone on with; buffered is
// what there is. It reports whether c may be served now: if not, it waits for its turn.
func (l *loop) mayRead(c *connection, buffered int) bool {
	came := buffered - c.keptBytes
	switch {
	case came <= 0: // no news of the socket
		return true
	case came < l.fullReadBytes: // it ran dry
		l.leaveTurn(c)
		return true
	case c.large != nil || !l.frameReady(c, buffered) || c.large != nil:
		l.leaveTurn(c) // there is nothing but a part of one frame
		return true
	case l.turns.take(c, l.localMillis):
		return true
	}
	if l.srv.inbound.held.Load() > l.srv.inbound.maxBytes/2 { // nothing more is kept
		l.read(c)
		l.flush(c)
	}
	l.awaitTurn(c)
	return false
}

// awaitTurn has c wait for its turn. What was read of it is kept. A large frame that has
// begun goes on.
func (l *loop) awaitTurn(c *connection) {
	if c.Closed() || c.large != nil {
		return
	}
	l.turns.wait(c)
	l.block(c, stopTurn)
	l.stats.TurnsWaited++
	l.pump.wakeIn(turnLook)
}

// endTurn has c make room for those who wait, if its turn has lasted long enough.
func (l *loop) endTurn(c *connection) {
	if l.turns.over(c) {
		l.leaveTurn(c)
		l.awaitTurn(c)
	}
}

// leaveTurn ends c's turn, or its waiting for one; somebody else may have it.
func (l *loop) leaveTurn(c *connection) {
	if c.turn.state == turnNone {
		return
	}
	if next := l.turns.leave(c, l.localMillis); next != nil {
		// It is read from when it is gone on with, and not before: should its peer have
		// closed, what was kept of it would be thrown away with the connection.
		l.serveAgain(next)
	}
}

// lookAtTurns ends turns that are not used while others wait.
func (l *loop) lookAtTurns() {
	for l.turns.waiting > 0 {
		c := l.turns.silent(l.localMillis)
		if c == nil {
			l.pump.wakeIn(turnLook)
			return
		}
		l.leaveTurn(c)
	}
}

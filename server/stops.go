package server

// stops are the reasons for which a connection is not read from, a set. One that has any is
// blocked: what it sends stays in the kernel's buffers, and then with the peer. That is never
// done to a connection for what others do on small requests: lookups are read at all times,
// but for those that stream, which take turns.
type stops uint8

const (
	// stopOutput: its peer must first read what it asked for (outbound.go).
	stopOutput stops = 1 << iota
	// stopLanes: its requests in lanes are its share of them (lane_share.go).
	stopLanes
	// stopRoom: lanes have no room for its next request (lane_room.go).
	stopRoom
	// stopIntake: its large frame waits for its turn (intake.go).
	stopIntake
	// stopTurn: it streams, and so do many others (turns.go).
	stopTurn
)

// stopsTold are the reasons whose end is told to the connection's loop. Others are looked at
// every few milliseconds.
const stopsTold = stopIntake | stopTurn

// stopsOurs are the reasons that are the server's, not the peer's: time spent so counts against
// nobody.
const stopsOurs = stopLanes | stopRoom | stopIntake | stopTurn

// block stops reading from c.
func (l *loop) block(c *connection, why stops) {
	if c.closed {
		return
	}
	if c.turn.state == turnHeld {
		l.leaveTurn(c)
	}
	c.stops |= why
	c.waits.Store(c.stops&stopsOurs != 0)
	if !c.blocked {
		c.blocked = true
		if why != stopTurn {
			l.stats.PausedConnections++
		}
		l.engine.setReading(c.wire, false)
	}
	if why&stopsTold == 0 {
		l.watch(c)
		l.pump.wakeIn(blockedPollInterval)
	}
}

// unblock reports whether c was not read from, and can be again: its peer has read most of
// its output, its requests in lanes are done, there is room for what it sends.
func (l *loop) unblock(c *connection) bool {
	if !c.blocked {
		return false
	}
	if c.wire.OutboundBuffered() <= l.srv.o.OutboundPauseBytes/2 {
		c.stops &^= stopOutput
	} else {
		c.stops |= stopOutput
	}
	if c.stops&stopLanes != 0 && c.lanes.free() {
		c.stops &^= stopLanes
		c.lanes.waitsFor = nil
		c.lanes.waiting.Store(false)
	}
	if c.stops&stopRoom != 0 && l.roomFor(c) {
		c.stops &^= stopRoom
	}
	if c.turn.state != turnWaiting && !c.inAgain { // see leaveTurn
		c.stops &^= stopTurn
	}
	c.waits.Store(c.stops&stopsOurs != 0)
	if c.stops != 0 {
		if c.turn.state == turnHeld && c.stops != stopTurn { // it could not use it
			l.leaveTurn(c)
		}
		return false
	}
	c.blocked = false
	c.lastUsedMillis = l.localMillis
	l.engine.setReading(c.wire, true)
	return true
}

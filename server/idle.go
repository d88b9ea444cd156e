package server

// tick runs on the loop every tickMillis: it moves the loop's clock, looks at a part of
// the connections (no timer of their own: a timer for each costs more than looking), and
// at all with unsent output.
func (l *loop) tick() {
	l.tickPending.Store(false)
	l.clock.Observe(l.srv.clock.RawMillis())
	l.readClocks()
	l.largeRate.tick()
	l.work.Store(l.stats.FramesIn + l.stats.Accepted + l.stats.BytesIn>>20)
	if l.scanAt >= len(l.conns) {
		l.scanAt = 0
	}
	for n := len(l.conns)/scanTicks + 1; n > 0 && l.scanAt < len(l.conns); n-- {
		c := l.conns[l.scanAt]
		l.scanAt++
		l.expire(c)
	}
	if len(l.draining) > 0 {
		l.drain(true)
	}
	if len(l.incoming) > 0 {
		l.lookAtIntake()
	}
	l.payVisits()
	l.run.forget()
}

// expire closes c if it has been idle, or stuck in a frame, for too long.
func (l *loop) expire(c *connection) {
	switch {
	case c.Closed():
	case c.inboundHeld.Load() > 0 && !c.blocked && !c.inAgain && l.localMillis-c.progressMillis.Load() > l.srv.o.PartialFrameStallMillis:
		l.closing(c, ClosePartialStalled)
	case l.srv.o.IdleSeconds > 0 && !c.waits.Load() && l.localMillis-c.lastUsedMillis > int64(l.srv.o.IdleSeconds)*1000:
		// Neither a whole frame in nor anything out. Not logged: this is routine.
		c.Close(CloseIdle)
	}
}

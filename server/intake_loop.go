package server

// beginFrame takes a large frame over from the wire; head is its beginning. It comes in when
// there is room for the whole of it.
func (l *loop) beginFrame(c *connection, head []byte, totalBytes int) {
	c.large = newLargeFrame(head, totalBytes)
	l.coming(c)
	if !l.srv.intake.admit(c, totalBytes, l.localMillis) {
		l.block(c, stopIntake)
	}
}

// coming has lookAtIntake look at c from now on.
func (l *loop) coming(c *connection) {
	c.look = intakeLook{atMillis: l.localMillis}
	if !c.inIncoming {
		c.inIncoming = true
		l.incoming = append(l.incoming, c)
	}
}

// admitted goes on with the large frame of c, if it still has room.
func (l *loop) admitted(c *connection) {
	if c.closed || c.stops&stopIntake == 0 || !l.srv.intake.holds(c) {
		return
	}
	if c.large != nil {
		c.look.atMillis, c.look.gotBytes = l.localMillis, c.large.gotBytes
	}
	c.stops &^= stopIntake
	if l.unblock(c) {
		l.traffic(c)
	}
}

// lookAtIntake is called at every tick. It takes the room of large frames that come in too
// slowly from them while others wait for it.
func (l *loop) lookAtIntake() {
	kept := l.incoming[:0]
	for _, c := range l.incoming {
		if c.closed || c.large == nil || c.large.complete() {
			c.inIncoming = false
			continue
		}
		kept = append(kept, c)
	}
	clear(l.incoming[len(kept):])
	l.incoming = kept
	if l.srv.intake.waiters.Load() == 0 {
		return
	}
	for _, c := range kept {
		if c.stops&stopsOurs == 0 && !c.Closed() {
			l.lookAt(c)
		}
	}
}

// lookAt judges how c's large frame comes in.
func (l *loop) lookAt(c *connection) {
	k, f := &c.look, c.large
	passed := l.localMillis - k.atMillis
	if passed < l.srv.o.intakeLookMillis {
		return
	}
	got := f.gotBytes - k.gotBytes
	k.atMillis, k.gotBytes = l.localMillis, f.gotBytes
	if int64(got)*intakeUsefulMillis >= int64(f.totalBytes)*passed {
		k.silent = 0
		return
	}
	if k.silent++; got > 0 {
		k.silent = 0
	}
	if k.silent >= intakeSilentMost {
		l.closing(c, ClosePartialStalled)
		return
	}
	if l.srv.intake.demote(c, f.totalBytes-f.gotBytes, l.localMillis) && !l.srv.intake.holds(c) {
		l.block(c, stopIntake)
	}
}

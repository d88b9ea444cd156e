package connhealth

// A broker that lost its connection opens a new one within seconds: its scan for name
// servers, or its next poll. That connection may stay silent until the next registration, up
// to 30 s. Meanwhile it stands for the broker: shown as long as the connection is well.

// tryCandidate looks for such a connection of a lost broker, and binds the broker to it.
func (d *Detector) tryCandidate(now int64, b *broker) bool {
	if b.conn != nil && !b.conn.suspect || b.hopOnly || now >= b.expiryMillis() {
		return false
	}
	h := d.hosts[b.host]
	if h == nil || b.dial.ok && b.dial.result == DialRefused {
		return false // a refusal says more than a connection that anybody may have made
	}
	for i := range acceptedLen {
		// Oldest first: brokers lost earlier take earlier connections.
		c := h.accepted[(h.acceptedNext+i)%acceptedLen]
		if c == nil || !d.mayBeTheirs(now, c, b) {
			continue
		}
		d.bindTrial(now, b, c)
		return true
	}
	return false
}

// mayBeTheirs reports whether nothing speaks against c being the new connection of b.
func (d *Detector) mayBeTheirs(now int64, c *conn, b *broker) bool {
	return d.couldBeTheirs(c, b) && now-c.openedMillis >= d.p.CandidateSilentMillis
}

// couldBeTheirs is mayBeTheirs of a connection that had no time to speak yet.
func (d *Detector) couldBeTheirs(c *conn, b *broker) bool {
	since := b.newSinceMillis
	if b.conn != nil || b.state == stateParked {
		since = b.lostMillis + 1 // only what was heard after the silence began
	}
	return len(c.brokers) == 0 && !c.hop && !c.spokeClient && !c.suspect && c.openedMillis >= since
}

// comingBack reports whether a connection was just opened that may turn out to be the
// broker's.
func (d *Detector) comingBack(now int64, b *broker) bool {
	h := d.hosts[b.host]
	if h == nil || b.hopOnly || b.conn != nil {
		return false
	}
	for _, c := range h.accepted {
		if c != nil && d.couldBeTheirs(c, b) && now-c.openedMillis < d.p.CandidateSilentMillis {
			return true
		}
	}
	return false
}

// successor returns when a connection was opened that a broker on c may have changed to: the
// end of the old one can come long after, when good-byes were lost.
func (d *Detector) successor(now int64, c *conn) (openedMillis int64, ok bool) {
	if c.hop {
		return 0, false
	}
	for _, x := range c.host.accepted {
		if x != nil && x != c && len(x.brokers) == 0 && !x.hop && !x.spokeClient && !x.suspect &&
			x.openedMillis > c.openedMillis && now-x.openedMillis >= d.p.CandidateSilentMillis &&
			now-x.openedMillis <= d.p.SuccessorMillis && (!ok || x.openedMillis < openedMillis) {
			openedMillis, ok = x.openedMillis, true
		}
	}
	return openedMillis, ok
}

// bindTrial binds a broker to a connection that is probably its own.
func (d *Detector) bindTrial(now int64, b *broker, c *conn) {
	if old := b.conn; old != nil {
		d.closeConn(now, old, b.class, RuleNewConnection)
	}
	d.bind(b, c)
	d.emit(Action{Kind: ActKeepalive, Conn: c.id, Broker: b.Broker})
	b.trialUntilMillis = min(b.expiryMillis(), now+b.periodMillis+d.p.RegisterSlackMillis)
	if b.state != stateLive {
		d.restore(now, c, b, basisConn, RuleNewConnection)
	}
	b.basis = basisConn
	d.reschedule(now, c)
}

// failTrial: the connection turned out not to be the broker's.
func (d *Detector) failTrial(now int64, b *broker, c *conn) {
	d.loseConn(b, c)
	d.reschedule(now, c)
	if b.state == stateParked {
		return
	}
	if d.canDial(b) && now < b.expiryMillis() {
		d.startHold(now, b, ClassHealthy, RuleNotTheBroker)
		b.newSinceMillis = now
		b.heldUntilMillis = now + d.p.ConfirmHoldMillis
		b.rttMillis = int64(c.last.RTTMicros) / 1000
		d.emit(Action{Kind: ActHold, Conn: c.id, Broker: b.Broker, UntilMillis: b.heldUntilMillis, Why: d.explain(now, c, b, ClassHealthy, RuleNotTheBroker)})
		d.dialAnew(now, b)
		return
	}
	b.lostMillis = now
	d.park(now, c, b, ClassHealthy, RuleNotTheBroker)
}

package connhealth

// A broker that lost its connection opens a new one within seconds: its scan for name
// servers, or its next poll. That connection may stay silent until the next registration, up
// to 30 s. Meanwhile it stands for the broker: shown as long as the connection is well.

// tryCandidate looks for such a connection of a lost broker, and binds the broker to it.
func (d *Detector) tryCandidate(now int64, b *broker) bool {
	if b.conn != nil || b.hopOnly || now >= b.expiryMillis() {
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
	return len(c.brokers) == 0 && !c.hop && !c.spokeClient && !c.suspect &&
		c.openedMillis >= b.lostMillis-d.p.CandidateBeforeMillis &&
		now-c.openedMillis >= d.p.CandidateSilentMillis
}

// bindTrial binds a broker to a connection that is probably its own.
func (d *Detector) bindTrial(now int64, b *broker, c *conn) {
	d.bind(b, c)
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
		b.set(now, stateHeld, basisNone, ClassHealthy, RuleNotTheBroker)
		b.resetHeld = true
		b.heldUntilMillis = now + d.p.ResetHoldMillis
		b.lostMillis = now
		d.stats.Held++
		d.emit(Action{Kind: ActHold, Conn: c.id, Broker: b.Broker, UntilMillis: b.heldUntilMillis, Why: d.explain(now, c, b, ClassHealthy, RuleNotTheBroker)})
		d.dialNow(now, b)
		return
	}
	b.lostMillis = now
	d.park(now, c, b, ClassHealthy, RuleNotTheBroker)
}

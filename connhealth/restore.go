package connhealth

// restore shows a broker again. The proof contradicts a verdict about the path if it comes
// soon after it; the next one will need twice the silence.
func (d *Detector) restore(now int64, c *conn, b *broker, by basis, rule Rule) {
	x := d.explain(now, c, b, b.class, rule)
	if b.state == stateParked {
		if onPath(b.rule) && now-b.sinceMillis <= d.p.ContradictMillis {
			d.stats.Contradicted++
			b.strikes = b.strikesAt(now) + 1
			b.strikeMillis = now + d.p.StrikeMillis
		}
		d.stats.ParkedMillis += now - b.sinceMillis
	}
	d.stats.Restored[rule]++
	b.set(now, stateLive, by, ClassHealthy, rule)
	a := Action{Kind: ActRestore, Broker: b.Broker, Renew: rule == RuleNamed || rule == RuleHeard, Why: x}
	if c != nil {
		a.Conn, x.NewConn = c.id, c.id
	}
	d.emit(a)
}

// onPath reports whether a rule is evidence of the path, which can be wrong about the broker.
func onPath(r Rule) bool {
	switch r {
	case RuleSilence, RuleOneWay, RuleMax, RuleHoldOver, RuleDialSilent, RuleSynAckLost:
		return true
	}
	return false
}

// alive restores the parked brokers of a connection whose peer answered.
func (d *Detector) alive(now int64, c *conn) {
	for _, b := range c.brokers {
		if b.conn == c && b.state == stateParked && c.answeredMillis > b.sinceMillis {
			d.restore(now, c, b, b.basis, RuleHeard)
		}
	}
}

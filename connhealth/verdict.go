package connhealth

// judge decides what a fresh sample or event means. Nothing is decided on old evidence, so
// this is never called by the passing of time.
func (d *Detector) judge(now int64, c *conn) {
	if c.unanswered.n == 0 && c.silent.n == 0 && !c.suspect {
		d.alive(now, c)
		return
	}
	p := &d.p
	bound := c.boundMillis(p)
	n, tested := c.unanswered.counted(now, bound)
	if n == 0 {
		d.alive(now, c)
		d.recovered(now, c)
		return
	}
	if n < p.SuspectTransmissions || tested < p.SuspectMillis {
		return
	}
	if !c.suspect {
		c.suspect, c.deal().suspectMillis = true, now
		d.suspects++
		d.stats.Suspects++
		d.emit(Action{Kind: ActSuspect, Conn: c.id, Broker: firstBroker(c), Why: d.explain(now, c, nil, d.classify(now, c), RuleSuspect)})
	}
	if len(c.brokers) == 0 {
		d.judgeClient(now, c)
		return
	}
	d.help(now, c)
	d.judgeBroker(now, c)
}

func firstBroker(c *conn) Broker {
	if len(c.brokers) > 0 {
		return c.brokers[0].Broker
	}
	return Broker{}
}

// recovered ends a suspicion.
func (d *Detector) recovered(now int64, c *conn) {
	if !c.suspect {
		return
	}
	c.suspect, c.closing = false, false
	d.suspects--
	d.stats.Recovered++
	class, rule := ClassLossy, RuleHeard
	if c.answeredMillis < c.suspectMillis {
		class, rule = d.classify(now, c), RuleClocksRestarted
	}
	d.emit(Action{Kind: ActRecovered, Conn: c.id, Broker: firstBroker(c), Why: d.explain(now, c, nil, class, rule)})
}

// help gathers what a verdict will need: a witness and a dial-back.
func (d *Detector) help(now int64, c *conn) {
	if w, ok := d.witness.other(c.host); !ok || w < now-d.p.WitnessAfterMillis {
		d.nudge(now, c.host)
	}
	for _, b := range c.brokers {
		if b.state == stateLive && b.conn == c && d.canDial(b) {
			d.dialSuspect(now, b, c)
		}
	}
}

// judgeBroker decides about a suspect connection that carries brokers.
func (d *Detector) judgeBroker(now int64, c *conn) {
	rule, class := d.dead(now, c)
	if rule == RuleNone {
		return
	}
	if d.parkedConn(c) {
		_, silent := c.silent.counted(now, c.boundMillis(&d.p))
		if silent >= d.p.ParkedConnMillis {
			d.closeConn(now, c, class, RuleParkedConn)
		}
		return
	}
	_, tested := c.unanswered.counted(now, c.boundMillis(&d.p))
	for _, b := range append([]*broker(nil), c.brokers...) {
		switch {
		case b.conn != c || b.state == stateParked:
		case b.hopOnly || c.hop:
			// The hop is dead; of the broker behind it only its own requests tell.
			d.loseConn(b, c)
			d.closeConn(now, c, class, RuleBehindHop)
		case d.dialProves(now, b, c):
			d.closeConn(now, c, class, RuleDialConnected)
			d.loseConn(b, c)
			d.trustDial(now, b, c.unanswered.firstMillis)
		case d.movedOn(now, b, c):
		case tested < d.p.MaxMillis && d.isLastOfTopic(now, b):
		default:
			d.park(now, c, b, class, rule)
		}
	}
}

// movedOn reports whether the broker of a dead connection has opened another since.
func (d *Detector) movedOn(now int64, b *broker, c *conn) bool {
	b.lostMillis = c.unanswered.firstMillis
	return d.tryCandidate(now, b)
}

// judgeClient decides about a suspect connection without a broker: it is closed to free it.
func (d *Detector) judgeClient(now int64, c *conn) {
	if c.closing {
		return
	}
	n, silent := c.silent.counted(now, c.boundMillis(&d.p))
	if n < d.p.DeadTransmissions || d.freeze.level == FreezeFull || d.settling(now) {
		return
	}
	dead := silent >= d.p.ClientMaxMillis ||
		silent >= d.p.ClientDeadMillis && d.phi(now, c, n) >= d.p.DeadPhi && d.witnessed(c)
	if !dead {
		if w, ok := d.witness.other(c.host); !ok || w < c.silent.firstMillis+d.p.WitnessAfterMillis {
			d.nudge(now, c.host)
		}
		return
	}
	d.closeConn(now, c, d.classify(now, c), RuleClient)
}

// dead returns the rule by which the peer of c is gone, or RuleNone. First nothing heard at
// all, then heard but never answered.
func (d *Detector) dead(now int64, c *conn) (Rule, Class) {
	if d.freeze.level == FreezeFull || d.settling(now) {
		return RuleNone, ClassHealthy
	}
	p := &d.p
	bound := c.boundMillis(p)
	limit := d.deadMillis(now, c.brokers)
	alone := d.alone(c.host)
	n, silent := c.silent.counted(now, bound)
	class := d.classify(now, c)
	if n >= p.DeadTransmissions {
		phi := p.DeadPhi
		if class == ClassUnreachable {
			phi = p.UnreachablePhi
		}
		if silent >= limit && d.phi(now, c, n) >= phi && !alone && d.witnessed(c) {
			return RuleSilence, class
		}
		if silent >= p.MaxMillis && (alone || d.witnessed(c)) {
			return RuleMax, class
		}
	}
	n, tested := c.unanswered.counted(now, bound)
	if n < p.DeadTransmissions || c.ackedWhileStuck || !alone && !d.witnessedSince(c, c.unanswered.firstMillis) {
		return RuleNone, class
	}
	limit = min(max(limit+p.OneWayMillis-p.DeadMillis, p.OneWayMillis), p.MaxMillis)
	if alone {
		limit = p.MaxMillis // it may be our own sending that fails
	}
	if tested >= limit && d.phi(now, c, n) >= p.DeadPhi {
		return RuleOneWay, class
	}
	return RuleNone, class
}

// deadMillis is the tested silence that a verdict about a connection with these brokers
// needs now.
func (d *Detector) deadMillis(now int64, brokers []*broker) int64 {
	p := &d.p
	if len(brokers) == 0 {
		return p.ClientDeadMillis
	}
	limit := p.DeadMillis
	for _, b := range brokers {
		limit = max(limit, p.DeadMillis<<min(b.strikesAt(now), 8))
	}
	switch d.freeze.level {
	case FreezePartial:
		limit = max(limit, p.FreezeDeadMillis)
	case FreezeMajority, FreezeFull:
		limit = p.MaxMillis
	}
	return min(limit, p.MaxMillis)
}

// witnessed reports whether another host was heard well after c's silence began.
func (d *Detector) witnessed(c *conn) bool { return d.witnessedSince(c, c.silent.firstMillis) }

func (d *Detector) witnessedSince(c *conn, firstMillis int64) bool {
	w, ok := d.witness.other(c.host)
	return c.host.local || ok && w >= firstMillis+d.p.WitnessAfterMillis
}

// classify names what is wrong with a connection.
func (d *Detector) classify(now int64, c *conn) Class {
	s := &c.last
	bound := c.boundMillis(&d.p)
	n, _ := c.unanswered.counted(now, bound)
	heardSince := c.unanswered.n > 0 && c.heardMillis > c.unanswered.firstMillis+bound
	window := s.SndWndBytes == 0 && (s.NotSentBytes > 0 || s.UnackedSegs > 0)
	switch {
	case now-c.localMillis < d.p.CloseWindowMillis:
		return ClassLocalDrop
	case n == 0 && window:
		return ClassZeroWindowAlive
	case n == 0:
		return ClassHealthy
	case unreachable(s.SoftErr):
		return ClassUnreachable
	case c.ackedWhileStuck || heardSince && c.segBytesMax > 1000:
		return ClassBigPacketsLost
	case heardSince:
		return ClassOneWay
	case window:
		return ClassZeroWindowSilent
	case s.UnackedSegs > 0:
		return ClassPeerSilent
	}
	return ClassIdleSilent
}

// closeConn asks once to close a connection.
func (d *Detector) closeConn(now int64, c *conn, class Class, rule Rule) {
	if c.closing {
		return
	}
	c.closing = true
	d.stats.ConnsClosed++
	d.emit(Action{Kind: ActCloseConn, Conn: c.id, Broker: firstBroker(c), Why: d.explain(now, c, nil, class, rule)})
}

// isLastOfTopic asks the owner, at most once a second.
func (d *Detector) isLastOfTopic(now int64, b *broker) bool {
	if d.lastOfTopic == nil {
		return false
	}
	if now-b.lastAskedMillis >= 1000 {
		b.lastAskedMillis, b.lastOfTopic = now, d.lastOfTopic(b.Key())
	}
	return b.lastOfTopic
}

package connhealth

import "net/netip"

// recentCloses remembers the hosts whose broker connections closed lately.
type recentCloses struct {
	ring [64]struct {
		host     netip.Addr
		atMillis int64
	}
	next int
}

func (r *recentCloses) note(now int64, host netip.Addr) {
	e := &r.ring[r.next%len(r.ring)]
	e.host, e.atMillis = host, now
	r.next++
}

// hosts calls f for every close since sinceMillis.
func (r *recentCloses) hosts(sinceMillis int64, f func(netip.Addr)) {
	for i := range min(r.next, len(r.ring)) {
		if e := &r.ring[i]; e.atMillis >= sinceMillis {
			f(e.host)
		}
	}
}

// massClosed reports whether so many hosts closed or are suspect that it is probably our own
// fault, or that of a part of the network.
func (d *Detector) massClosed(now int64) bool {
	hosts := make(map[netip.Addr]bool, d.p.MassCloseHosts)
	d.closes.hosts(now-d.p.MassCloseMillis, func(a netip.Addr) { hosts[a] = true })
	for _, c := range d.schedule.fast {
		if c.suspect && len(c.brokers) > 0 && !d.parkedConn(c) && d.silentHost(now, c) {
			hosts[c.host.addr] = true
		}
	}
	n := len(hosts)
	return n >= d.p.MassCloseHosts && float64(n) >= d.p.MassCloseShare*float64(d.freeze.tested)
}

// unreadMillis is how far apart a held up request and the close behind it arrive, beyond two
// round trips.
const unreadMillis = 20

// closeFacts are what a close is judged by.
type closeFacts struct {
	silenceMillis int64 // D
	fromMillis    int64 // when the trouble before it began
	lateMillis    int64 // L
	mass          bool  // G
	stalled       bool  // we ourselves stood still
	open          bool  // transmissions of ours were unanswered right then
	stuck         bool  // and several of them
	successor     bool  // there is a new connection that may be the broker's
	unread        bool  // the peer closed before it can have read our last answer
}

func (f *closeFacts) doubtful(p *Params) bool {
	return f.silenceMillis >= p.CloseSilenceMillis || f.lateMillis >= p.CloseSilenceMillis || f.mass || f.unread || f.successor || f.stuck
}

// Closed tells that a connection ended. The last sample is not asked for: a FIN is itself an
// acknowledgment, and after a reset the queue is purged. What counts is the history before.
func (d *Detector) Closed(now int64, id ConnID, how CloseHow) []Action {
	d.begin(now)
	c := d.conns[id]
	if c == nil {
		return nil
	}
	if len(c.brokers) > 0 && how != CloseOurs {
		d.closes.note(now, c.host.addr)
	}
	if len(c.brokers) > 0 {
		d.raise(deciding)
	}
	f := d.closeFacts(now, c)
	if opened, ok := d.successor(now, c); ok && !c.host.local {
		f.successor, f.fromMillis = true, min(f.fromMillis, opened)
	}
	for _, b := range append([]*broker(nil), c.brokers...) {
		if b.conn == c {
			d.closedBroker(now, c, b, how, &f)
		}
	}
	d.drop(c)
	return d.out
}

// closeFacts reads the history of a connection that ended.
func (d *Detector) closeFacts(now int64, c *conn) closeFacts {
	f := closeFacts{fromMillis: now}
	p := &d.p
	if h := c.hist; h != nil {
		f.silenceMillis, f.fromMillis = h.longest(now, p.CloseWindowMillis, p.RegisterWindowMillis)
		if now-h.lateAtMillis <= p.CloseWindowMillis {
			f.lateMillis = h.lateMillis
		}
	}
	if t := &c.unanswered; t.n > 0 {
		f.silenceMillis = max(f.silenceMillis, now-t.firstMillis)
		f.fromMillis = min(f.fromMillis, t.firstMillis)
		n, _ := t.counted(now, c.boundMillis(p))
		f.open, f.stuck = n > 0, n > 1
	}
	if c.requests > 0 {
		f.lateMillis = max(f.lateMillis, now-c.requestMillis)
	}
	stallWindow := p.CloseWindowMillis
	if c.registerMillis > d.stallUntilMillis-d.stallMillis-p.RegisterWindowMillis {
		stallWindow = p.RegisterWindowMillis
	}
	if d.stallUntilMillis != never && now-d.stallUntilMillis <= stallWindow {
		f.lateMillis = max(f.lateMillis, d.stallMillis)
		f.stalled = d.stallMillis >= p.CloseSilenceMillis
	}
	if c.host.local {
		return f // no path that could have held something up
	}
	// A process that ends seldom does so just after it asked. One that gave up waiting does
	// nothing else: its request and its good-bye were held up together, and arrive so.
	f.unread = now-c.arrivedMillis <= 2*int64(c.last.RTTMicros)/1000+unreadMillis
	f.mass = d.freeze.level != FreezeNone || len(c.brokers) > 0 && d.massClosed(now)
	return f
}

// closedBroker judges the close of a broker's connection.
func (d *Detector) closedBroker(now int64, c *conn, b *broker, how CloseHow, f *closeFacts) {
	parked := b.state == stateParked
	trial := b.basis == basisConn
	d.loseConn(b, c)
	switch {
	case how == CloseOurs:
		if !parked {
			d.orphan(now, b)
		}
	case parked:
		d.dialSoon(now, b)
	case d.displaced(b, c):
		d.remove(now, c, b, how, f)
	case f.doubtful(&d.p) || how == CloseError:
		d.hold(now, c, b, how, f, RuleDoubtfulClose)
	case d.canDial(b) && !b.ActingMaster:
		// A broker that was paused or had its requests lost closes like one that ends.
		d.hold(now, c, b, how, f, RuleConfirmClose)
	case trial:
		// It may have been somebody else's connection: hide, but keep the data.
		d.park(now, c, b, ClassHealthy, RuleNotTheBroker)
	default:
		d.remove(now, c, b, how, f)
	}
}

// orphan: a connection that we closed says nothing about its broker.
func (d *Detector) orphan(now int64, b *broker) {
	if b.basis != basisDial {
		b.basis = basisNone
	}
	b.lostMillis, b.newSinceMillis = now, now-d.p.CandidateBeforeMillis
}

// remove: a process that ended.
func (d *Detector) remove(now int64, c *conn, b *broker, how CloseHow, f *closeFacts) {
	x := d.explain(now, c, b, ClassHealthy, RuleCleanClose)
	x.closed(how, f)
	d.removeFor(now, c, b, x)
}

func (d *Detector) removeFor(now int64, c *conn, b *broker, x *Explanation) {
	d.stats.Removed++
	d.emitBroker(ActRemove, c, b, x)
	d.dropBroker(now, b)
}

func (x *Explanation) closed(how CloseHow, f *closeFacts) {
	x.CloseHow, x.CloseSilence, x.CloseLate, x.CloseMass = how, f.silenceMillis, f.lateMillis, f.mass
}

// hold waits for proof after a doubtful close.
func (d *Detector) hold(now int64, c *conn, b *broker, how CloseHow, f *closeFacts, rule Rule) {
	p := &d.p
	until := now + p.HoldMillis
	if b.ActingMaster {
		until = now + p.ActingHoldMillis
	}
	if f.mass || f.stalled {
		until += p.MassHoldMillis
	}
	class := d.classify(now, c)
	x := d.explain(now, c, b, class, rule)
	x.closed(how, f)
	d.startHold(now, b, class, rule)
	b.rttMillis = int64(c.last.RTTMicros) / 1000
	b.troubleOpen = f.open
	b.newSinceMillis = min(b.newSinceMillis, f.fromMillis)
	switch {
	case b.confirming:
		until = now + p.ConfirmHoldMillis
	case f.open && !f.mass && !f.stalled:
		b.lostMillis = c.unanswered.firstMillis
		until = min(until, max(c.unanswered.firstMillis+p.HoldFromSilenceMillis, now+p.HoldLeastMillis))
	}
	b.heldUntilMillis = until
	d.emit(Action{Kind: ActHold, Conn: c.id, Broker: b.Broker, UntilMillis: until, Why: x})
	d.dialAnew(now, b)
}

// startHold begins a hold of a broker that has just lost its connection.
func (d *Detector) startHold(now int64, b *broker, class Class, rule Rule) {
	if b.state != stateHeld {
		d.stats.Held++
	}
	d.raise(urgent)
	b.set(now, stateHeld, basisNone, class, rule)
	b.lostMillis, b.newSinceMillis = now, now-d.p.CandidateBeforeMillis
	b.troubleOpen, b.synAcksLost = false, 0
	b.confirming = rule == RuleConfirmClose || rule == RuleNotTheBroker
	b.dial.anew()
}

// holdOver ends a hold that nothing settled.
func (d *Detector) holdOver(now int64, b *broker) {
	if !b.confirming && now < b.lostMillis+d.p.MaxMillis && d.isLastOfTopic(now, b) {
		b.heldUntilMillis = min(now+1000, b.lostMillis+d.p.MaxMillis)
		return
	}
	if b.dial.firstMillis != never && d.canDial(b) && now < b.expiryMillis() {
		d.trustDial(now, b, b.newSinceMillis) // it accepted once, and what followed got lost
		return
	}
	d.endHold(now, b, RuleHoldOver)
}

// endHold: a held broker is not coming back.
func (d *Detector) endHold(now int64, b *broker, rule Rule) {
	if b.rule == RuleConfirmClose && rule == RuleDialRefused {
		// It closed out of health: its process ended, as Java would have said at once.
		d.removeFor(now, nil, b, d.explain(now, nil, b, b.class, rule))
		return
	}
	d.park(now, nil, b, b.class, rule)
}

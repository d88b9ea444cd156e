package connhealth

import "math"

// A dial-back is one TCP connect to the address that a broker gave its clients. Refused:
// the process is gone. Connected: host, path and listener are there (a stopped process too,
// which is RocketMQ's to find). Unanswered: nothing new. It is only believed of brokers of
// which it has succeeded before, and whose host is the peer we know.
//
// A process that is killed says good-bye on one socket after the other: the end of its
// connection can come some milliseconds before that of its listener. So while a broker is
// held one success is not enough.

// dialTestEvery paces the tests of a connection whose silence is long enough, but not yet
// improbable enough.
const dialTestEvery = 1000

// dialTestMillis is how much later than any answer of a kernel a test gives up.
const dialTestMillis = 40

type dial struct {
	ok           bool   // it succeeded once
	id           uint64 // of the one that was sent last
	busy         bool
	test         bool // the one under way is a test of a silent connection
	sentMillis   int64
	result       DialOutcome
	resultMillis int64
	silent       int // unanswered in a row
	// firstMillis is when the first dial-back of a hold that succeeded was sent; againMillis
	// when the next is to follow. never: none.
	firstMillis int64
	againMillis int64
	learnMillis int64
	learnEvery  int64
}

// learnAgainMillis is when the first try to learn whether dial-backs work is repeated.
const learnAgainMillis = 5000

func newDial() dial {
	return dial{sentMillis: never, resultMillis: never, learnMillis: never, firstMillis: never, againMillis: never}
}

// anew begins a hold: what was known before says nothing about now.
func (x *dial) anew() { x.silent, x.firstMillis, x.againMillis = 0, never, never }

func (x *dial) shift(byMillis int64) {
	for _, at := range []*int64{&x.sentMillis, &x.firstMillis, &x.againMillis} {
		if *at != never {
			*at += byMillis
		}
	}
}

// dialBudget bounds all dial-backs together.
type dialBudget struct {
	tokens   int64 // thousandths
	atMillis int64
}

func (d *Detector) takeDial(now int64) bool {
	x := &d.dials
	most := d.p.DialsPerSecond * 1000
	x.tokens = min(most, x.tokens+(now-x.atMillis)*d.p.DialsPerSecond)
	x.atMillis = now
	if x.tokens < 1000 {
		return false
	}
	x.tokens -= 1000
	return true
}

// canDial reports whether a dial-back of b would be believed.
func (d *Detector) canDial(b *broker) bool { return d.p.DialBack && b.dial.ok && !b.hopOnly }

// dialAnew dials at once, even if one is under way.
//
// Each waits for one SYN only: three tries cost less than the kernel's own second SYN.
func (d *Detector) dialAnew(now int64, b *broker) {
	if !d.canDial(b) {
		return
	}
	b.dial.busy = false
	d.sendDialWithin(now, b, d.p.DialTryMillis+d.dialBoundMillis(b))
}

// dialBoundMillis is how much longer a SYN's answer may take on a slow path.
func (d *Detector) dialBoundMillis(b *broker) int64 { return 3 * b.rttMillis / 2 }

// dialNow dials at once, unless one is under way.
func (d *Detector) dialNow(now int64, b *broker) {
	if d.canDial(b) {
		d.sendDial(now, b)
	}
}

// dialSoon dials unless the last one is too young.
func (d *Detector) dialSoon(now int64, b *broker) {
	if now-b.dial.sentMillis >= d.p.DialAgainMillis {
		d.dialNow(now, b)
	}
}

func (d *Detector) sendDial(now int64, b *broker) { d.sendDialWithin(now, b, d.p.DialTimeoutMillis) }

func (d *Detector) sendDialWithin(now int64, b *broker, timeoutMillis int64) bool {
	if b.dial.busy && now-b.dial.sentMillis < d.p.DialTimeoutMillis+d.p.DialAgainMillis || !d.takeDial(now) {
		return false
	}
	d.dialID++
	b.dial.id = d.dialID
	b.dial.busy, b.dial.test, b.dial.sentMillis = true, false, now
	d.stats.Dials++
	d.emit(Action{Kind: ActDialBack, Broker: b.Broker, TimeoutMillis: timeoutMillis, Dial: b.dial.id})
	return true
}

// learnDial decides when to find out whether dial-backs of a new broker work: a few seconds
// after it registered, not all brokers of a restart at once.
func (d *Detector) learnDial(now int64, b *broker) {
	if d.p.DialBack && !b.dial.ok && !b.hopOnly && b.dial.learnMillis == never {
		b.dial.learnMillis = now + 500 + int64(len(d.list)*37%4000)
	}
}

// tickDial repeats dial-backs while they matter.
func (d *Detector) tickDial(now int64, b *broker) {
	if !d.canDial(b) {
		if x := &b.dial; x.learnMillis != never && now >= x.learnMillis && d.p.DialBack && !b.hopOnly && b.state == stateLive {
			// Soon again, in case it was lost; then rarely.
			x.learnEvery = min(max(2*x.learnEvery, learnAgainMillis), d.p.DialLearnMillis)
			x.learnMillis = now + x.learnEvery
			d.sendDial(now, b)
		}
		return
	}
	if c := b.conn; c != nil && c.suspect && b.state == stateLive {
		d.dialSuspect(now, b, c)
		return
	}
	switch {
	case b.state == stateHeld && b.dial.againMillis != never && now >= b.dial.againMillis:
		b.dial.againMillis = never
		d.dialAnew(now, b)
	case b.state == stateParked && now-b.sinceMillis > d.p.DialSlowAfterMillis:
		if now-b.dial.sentMillis >= d.p.DialSlowMillis {
			d.sendDial(now, b)
		}
	case b.state != stateLive || b.basis == basisDial:
		d.dialSoon(now, b)
	}
}

// dialSuspect dials back a suspect's broker: to learn early that only the connection is dead,
// and then as a test at the very moment that the silence is long enough, instead of waiting
// for the kernel's next transmission.
func (d *Detector) dialSuspect(now int64, b *broker, c *conn) {
	due := c.silent.firstMillis + d.deadMillis(now, c.brokers)
	if c.silent.n == 0 {
		d.dialSoon(now, b)
		return
	}
	switch {
	case b.dial.busy && now < b.dial.sentMillis+d.p.DialTimeoutMillis:
	case now >= due && (b.dial.sentMillis < due || now-b.dial.sentMillis >= dialTestEvery):
		if d.sendDialWithin(now, b, c.boundMillis(&d.p)+dialTestMillis) {
			b.dial.test = true
		}
	case due-now >= d.p.DialTimeoutMillis:
		d.dialSoon(now, b)
	}
}

// dialTested takes an unanswered dial-back for what it is: a transmission of ours that
// nobody answered.
func (d *Detector) dialTested(now int64, b *broker) {
	c := b.conn
	if c == nil || !c.suspect || c.silent.n == 0 {
		return
	}
	t := transmissions{count: 1, atMillis: b.dial.sentMillis, class: TransmitDialBack}
	c.deal().silent.add(t, d.p.TestGapMaxMillis)
	c.deal().unanswered.add(t, d.p.TestGapMaxMillis)
	c.history().transmitted(Transmission{AtMillis: t.atMillis, Class: t.class})
	// The verdict needs a look at the connection as it is now.
	c.nextSampleMillis = now
}

// dialProves reports whether a dial-back succeeded while c was silent: the connection is
// dead, its broker is not.
func (d *Detector) dialProves(now int64, b *broker, c *conn) bool {
	x := &b.dial
	return d.canDial(b) && x.result == DialConnected && now-x.resultMillis <= d.p.DialAgainMillis+d.p.DialTimeoutMillis &&
		x.resultMillis > c.unanswered.firstMillis+d.p.CloseSilenceMillis
}

// trustDial shows a broker on the strength of dial-backs, until it names itself or is
// connected again.
// newSinceMillis is from when on a new connection may be its.
func (d *Detector) trustDial(now int64, b *broker, newSinceMillis int64) {
	if b.state != stateLive {
		d.restore(now, nil, b, basisDial, RuleDialConnected)
	}
	b.basis = basisDial
	b.lostMillis, b.newSinceMillis = now, newSinceMillis
	b.dial.anew()
}

// confirmed reports whether a success of a held broker's dial-back is the second, long enough
// after the first.
func (d *Detector) confirmed(b *broker) bool {
	x := &b.dial
	if x.firstMillis == never {
		x.firstMillis = x.sentMillis
	}
	if x.sentMillis-x.firstMillis >= d.p.DialConfirmMillis {
		return true
	}
	x.againMillis = x.firstMillis + d.p.DialConfirmMillis
	return false
}

// DialResult tells how a dial-back ended; id is the action's. Only a success counts of one
// that is not the last, and not while a broker is held: what began before a close says
// nothing about what followed it.
func (d *Detector) DialResult(now int64, key BrokerKey, id uint64, o DialOutcome) []Action {
	d.begin(now)
	b := d.brokers[key]
	if b == nil {
		return nil
	}
	x := &b.dial
	if id == x.id {
		x.busy = false
	} else if o != DialConnected || b.state == stateHeld {
		return nil
	}
	if o == DialFailed {
		if b.state == stateHeld {
			x.againMillis = now + d.p.DialConfirmMillis
		}
		return nil
	}
	x.result, x.resultMillis = o, now
	switch o {
	case DialConnected:
		x.ok, x.silent = true, 0
	case DialTimeout:
		x.silent++
		if x.test {
			d.dialTested(now, b)
		}
	}
	if d.canDial(b) {
		d.dialed(now, b, o)
	}
	return d.out
}

// dialed draws the conclusion for a broker that depends on it.
func (d *Detector) dialed(now int64, b *broker, o DialOutcome) {
	waiting := b.state == stateHeld
	onDial := b.state == stateLive && b.basis == basisDial && b.conn == nil
	switch {
	case o == DialConnected:
		if now >= b.expiryMillis() || !waiting && b.state != stateParked {
			return
		}
		if waiting && !d.confirmed(b) {
			return
		}
		since := b.newSinceMillis
		if c := b.conn; c != nil {
			// Its old connection is still open, and still silent: dead, but not the broker.
			d.closeConn(now, c, b.class, RuleDialConnected)
			d.loseConn(b, c)
			since = b.lostMillis
		}
		d.trustDial(now, b, since)
	case o == DialRefused && (waiting || onDial):
		d.endHold(now, b, RuleDialRefused)
	case o == DialTimeout && d.freeze.level != FreezeFull:
		d.dialUnanswered(now, b, waiting, onDial)
	}
}

// dialUnanswered: one lost SYN proves nothing, several in a row where a path was in trouble do.
func (d *Detector) dialUnanswered(now int64, b *broker, waiting, onDial bool) {
	if !waiting && !onDial {
		return
	}
	gone := onDial || b.troubleOpen || b.confirming
	q := d.loss.rate(now, &d.p)
	if h := d.hosts[b.host]; h != nil {
		q = max(q, h.loss.rate(now, &d.p))
	}
	enough := b.dial.silent >= dialsMin && -float64(b.dial.silent)*math.Log10(q) >= holdPhi
	if gone && enough && (b.confirming || !d.isLastOfTopic(now, b) || now >= b.lostMillis+d.p.MaxMillis) {
		d.endHold(now, b, RuleDialSilent)
		return
	}
	d.dialAnew(now, b)
}

// dialsMin unanswered dial-backs in a row, and this chance that loss took them, end a hold.
const dialsMin = 3

package connhealth

import "net/netip"

// brokerState is what routes show, as far as the detector asked for it.
type brokerState uint8

const (
	stateLive brokerState = iota
	stateHeld
	stateParked
)

// basis is what a broker that is shown is believed to live by.
type basis uint8

const (
	// basisNamed: a request that named it, on the connection it is bound to.
	basisNamed basis = iota
	// basisConn: a new connection from its host, whose health stands for the broker's.
	basisConn
	// basisDial: dial-backs, repeated.
	basisDial
	// basisNone: nothing; its own expiry decides (it lost a connection through a hop, or one
	// that we closed for reasons of ours).
	basisNone
)

var basisNames = [...]string{"registered", "new_connection", "dial_back", "expiry"}

// broker is a registration, and how its connection fares.
type broker struct {
	Broker
	host    netip.Addr // of Addr; invalid: a name, or behind a hop
	hopOnly bool
	conn    *conn // nil: none

	state       brokerState
	basis       basis
	sinceMillis int64 // of the state
	class       Class
	rule        Rule

	heldUntilMillis int64
	synAcksLost     int   // to its host, since it is held
	troubleOpen     bool  // at the close transmissions of ours were unanswered
	rttMillis       int64 // of its last connection
	lostMillis      int64 // when the connection was lost, or its silence began
	newSinceMillis  int64 // a connection opened since then may be its new one
	// trialUntilMillis is when a broker on basisConn must have named itself.
	trialUntilMillis int64
	confirming       bool // held only until a dial-back answers

	namedMillis    int64
	registerMillis int64 // last 103
	periodMillis   int64 // between its last two

	strikes         int
	strikeMillis    int64
	lastOfTopic     bool
	lastAskedMillis int64
	dial            dial
}

// shift moves deadlines by a pause of ours.
func (b *broker) shift(byMillis int64) {
	b.heldUntilMillis += byMillis
	b.trialUntilMillis += byMillis
	b.namedMillis += byMillis
	b.dial.shift(byMillis)
}

// strikesAt returns how many contradicted verdicts still count.
func (b *broker) strikesAt(now int64) int {
	if b.strikes > 0 && now >= b.strikeMillis {
		b.strikes = 0
	}
	return b.strikes
}

func (b *broker) set(now int64, s brokerState, by basis, class Class, rule Rule) {
	if b.state != s {
		b.sinceMillis = now
	}
	b.state, b.basis, b.class, b.rule = s, by, class, rule
}

// expiryMillis is when the registration's own timeout ends it, as far as we know.
func (b *broker) expiryMillis() int64 { return b.namedMillis + b.heartbeatTimeoutMillis() }

// Naming says which request named a broker.
type Naming uint8

// The requests that name a broker.
const (
	NamedByRegister  Naming = iota // 103
	NamedByHeartbeat               // 322, 904
)

// Bound tells that a request named a broker and the owner binds it to the connection it came
// on. It is proof of life, whatever was thought before. A connection that has closed already
// is one whose end came while the request was being worked on.
func (d *Detector) Bound(now int64, id ConnID, bk Broker, by Naming) []Action {
	d.begin(now)
	c := d.conns[id]
	b := d.brokers[bk.Key()]
	if b == nil {
		b = d.newBroker(now, bk)
	}
	if c == nil {
		d.boundLate(now, b, bk)
		return d.out
	}
	host := addrHost(bk.Addr)
	b.Broker = bk
	b.hopOnly = c.hop || host != c.host.addr
	b.host = host
	b.namedMillis = now
	if by == NamedByRegister {
		d.notePeriod(now, b)
		c.deal().registerMillis = now
	}
	d.bind(b, c)
	d.answerProof(now, c)
	if b.state != stateLive {
		d.restore(now, c, b, basisNamed, RuleNamed)
	}
	b.set(now, stateLive, basisNamed, ClassHealthy, RuleNamed)
	b.troubleOpen = false
	d.notTheirs(now, c)
	d.learnDial(now, b)
	d.reschedule(now, c)
	return d.out
}

// newBroker begins to judge a registration. Whoever had its address under another name, and
// has no connection, is not there any more.
func (d *Detector) newBroker(now int64, bk Broker) *broker {
	b := &broker{Broker: bk, host: addrHost(bk.Addr), hopOnly: true, periodMillis: d.p.RegisterPeriodMillis, sinceMillis: now,
		namedMillis: now, registerMillis: never, lastAskedMillis: never, dial: newDial()}
	for _, x := range d.list {
		if x.sameAddr(b) && x.conn == nil && x.state != stateParked {
			d.park(now, nil, x, ClassHealthy, RuleNotTheBroker)
		}
	}
	d.brokers[bk.Key()] = b
	d.list = append(d.list, b)
	return b
}

// boundLate takes in that a registration was renewed by a request whose connection has closed
// meanwhile: it is held like one whose connection closed out of trouble.
func (d *Detector) boundLate(now int64, b *broker, bk Broker) {
	b.Broker, b.namedMillis = bk, now
	if b.conn != nil {
		return // it has a younger connection
	}
	if b.state == stateParked {
		d.restore(now, nil, b, basisNone, RuleNamed)
	}
	anew := b.state != stateHeld
	if anew {
		d.startHold(now, b, ClassHealthy, RuleBoundLate)
		b.heldUntilMillis = now + d.p.HoldMillis
		if b.ActingMaster {
			b.heldUntilMillis = now + d.p.ActingHoldMillis
		}
	}
	// Also if it was held before: the table shows a new registration, which is not.
	d.emit(Action{Kind: ActHold, Broker: b.Broker, UntilMillis: b.heldUntilMillis, Why: d.explain(now, nil, b, ClassHealthy, RuleBoundLate)})
	if anew {
		d.dialAnew(now, b)
	}
}

func (b *broker) sameAddr(x *broker) bool { return b.Addr == x.Addr && b.Cluster == x.Cluster }

// displaced reports whether b's address, when its connection c closed, is another's: what
// accepts there does not show that b lives.
func (d *Detector) displaced(b *broker, c *conn) bool {
	for _, x := range d.list {
		if x != b && x.sameAddr(b) && x.conn != nil && x.conn != c && x.namedMillis > b.namedMillis {
			return true
		}
	}
	return false
}

// notePeriod learns how often a broker registers, within what brokers can be told to.
func (d *Detector) notePeriod(now int64, b *broker) {
	if b.registerMillis != never {
		if p := now - b.registerMillis; p >= 8000 && p <= 65_000 {
			b.periodMillis = max(p, d.p.RegisterPeriodMillis)
		}
	}
	b.registerMillis = now
}

// bind makes c the connection of b.
func (d *Detector) bind(b *broker, c *conn) {
	if b.conn == c {
		return
	}
	if b.conn != nil {
		old := b.conn
		old.unbind(b)
	}
	b.conn = c
	c.deal().brokers = append(c.brokers, b)
	c.history()
	d.schedule.move(c, true)
}

// loseConn takes c off b.
func (d *Detector) loseConn(b *broker, c *conn) {
	c.unbind(b)
	if b.conn == c {
		b.conn = nil
	}
	b.basis = basisNone
}

// answerProof: a request is a packet, though no answer to ours.
func (d *Detector) answerProof(now int64, c *conn) { d.heard(c, now) }

// notTheirs: a connection whose requests name one broker does not belong to another that was
// only thought to have come back on it.
func (d *Detector) notTheirs(now int64, c *conn) {
	for _, b := range append([]*broker(nil), c.brokers...) {
		if b.conn == c && b.basis == basisConn {
			d.failTrial(now, b, c)
		}
	}
}

// Gone tells that a registration left the table: by 104, because its id was taken, by its own
// expiry, or because the owner removed it.
func (d *Detector) Gone(now int64, key BrokerKey) []Action {
	d.begin(now)
	if b := d.brokers[key]; b != nil {
		d.dropBroker(now, b)
	}
	return d.out
}

func (d *Detector) dropBroker(now int64, b *broker) {
	if c := b.conn; c != nil {
		c.unbind(b)
		d.reschedule(now, c)
	}
	b.conn = nil
	delete(d.brokers, b.Key())
	for i, x := range d.list {
		if x == b {
			d.list = append(d.list[:i], d.list[i+1:]...)
			break
		}
	}
	if h := d.hosts[b.host]; h != nil {
		d.leave(h)
	}
}

// park hides a broker. Its connection stays open: a packet on it is the quickest proof of
// life.
func (d *Detector) park(now int64, c *conn, b *broker, class Class, rule Rule) {
	b.set(now, stateParked, b.basis, class, rule)
	d.stats.Parked[rule]++
	d.emitBroker(ActPark, c, b, d.explain(now, c, b, class, rule))
	d.dialSoon(now, b)
}

// parkedConn reports whether all brokers of a connection are parked.
func (d *Detector) parkedConn(c *conn) bool {
	for _, b := range c.brokers {
		if b.conn == c && b.state != stateParked {
			return false
		}
	}
	return len(c.brokers) > 0
}

// tickBroker lets time pass for one broker.
func (d *Detector) tickBroker(now, elapsed int64, b *broker) {
	if d.freeze.level == FreezeFull {
		// Nobody can prove anything to us: nothing runs out.
		b.heldUntilMillis += elapsed
		b.trialUntilMillis += elapsed
		b.dial.shift(elapsed)
		return
	}
	d.tickDial(now, b)
	switch {
	case b.state == stateHeld:
		if !d.tryCandidate(now, b) && now >= b.heldUntilMillis && !d.comingBack(now, b) {
			d.holdOver(now, b)
		}
	case b.state == stateParked || b.basis == basisDial:
		d.tryCandidate(now, b)
	case b.basis == basisNone:
		d.tryCandidate(now, b)
	case b.basis == basisConn:
		if now >= b.trialUntilMillis && b.conn != nil {
			d.failTrial(now, b, b.conn)
		}
	}
	if b.conn == nil && now >= b.expiryMillis()+d.p.HoldMillis+60_000 {
		// The table has long expired it, and the owner did not say so.
		d.dropBroker(now, b)
	}
}

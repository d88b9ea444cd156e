package connhealth

import (
	"math"
	"net/netip"
)

// RequestArrived tells of a request on a connection. It is needed for every request of a
// connection that carries a broker, and for the first RequestClient of any other; more does
// no harm, as long as each of them is told to be answered. A request that names a broker is
// followed by Bound.
func (d *Detector) RequestArrived(now int64, id ConnID, kind RequestKind) []Action {
	return d.RequestsArrived(now, id, kind, 1, now)
}

// RequestsArrived tells of count requests of one kind, the first now and the last at
// lastMillis.
func (d *Detector) RequestsArrived(now int64, id ConnID, kind RequestKind, count int, lastMillis int64) []Action {
	d.begin(now)
	c := d.conns[id]
	if c == nil {
		return nil
	}
	lastMillis = max(now, lastMillis)
	d.heard(c, lastMillis)
	x := c.deal()
	x.arrivedMillis = max(x.arrivedMillis, lastMillis)
	if kind == RequestRegister {
		x.registerMillis = max(x.registerMillis, lastMillis)
	}
	if x.requests == 0 {
		x.requestMillis = now
	}
	x.requests += count
	if kind == RequestClient && !c.spokeClient {
		c.spokeClient = true
		d.notTheirs(now, c)
	}
	return d.out
}

// RequestAnswered tells that the answer to a request was written.
func (d *Detector) RequestAnswered(now int64, id ConnID) { d.RequestsAnswered(now, id, 1) }

// RequestsAnswered tells that the answers to count requests were written, the last one now.
func (d *Detector) RequestsAnswered(now int64, id ConnID, count int) {
	c := d.conns[id]
	if c == nil || c.requests == 0 {
		return
	}
	x := c.deal()
	x.answerMillis = now
	c.idle = false
	x.requests = max(0, x.requests-count)
	if age := now - x.requestMillis; age >= d.p.CloseSilenceMillis {
		c.history().answeredLate(now, age, d.p.CloseWindowMillis)
	}
	if x.requests > 0 {
		// The oldest was answered; the others are at most as old as now is.
		x.requestMillis = now
	}
}

// Event takes a report of the kernel.
func (d *Detector) Event(now int64, e *Event) []Action {
	d.begin(now)
	if e.Kind == EventSynAckRetransmit {
		d.synAckLost(now, e.Peer)
		return d.out
	}
	c := d.conns[e.Conn]
	if c == nil {
		return nil
	}
	if e.SoftErr != 0 {
		c.last.SoftErr = e.SoftErr
	}
	if e.Kind != EventRetransmit {
		if e.Err != 0 && unreachable(e.Err) {
			c.last.SoftErr = e.Err
		}
		return nil
	}
	at := now
	if e.AtMillis != 0 {
		at = min(e.AtMillis, now)
	}
	if c.hist != nil {
		c.hist.transmitted(Transmission{AtMillis: at, RTOMillis: e.RTOMillis, Class: e.Class, Err: e.Err, Seq: e.Seq})
	}
	c.deal().segBytesMax = max(c.segBytesMax, e.SegBytes)
	d.retransmitted(at, c, e)
	d.reschedule(now, c)
	return d.out
}

// retransmitted moves the trackers, unless a sample that was taken since has it already.
func (d *Detector) retransmitted(at int64, c *conn, e *Event) {
	if e.Class == RetransmitLocalFailure {
		c.deal().localMillis = max(c.localMillis, at)
		c.resetTrackers()
		return
	}
	if !c.sampled || at <= c.sampledMillis || e.Class == RetransmitFast {
		return
	}
	step := int64(c.last.RTTMicros) * 2 / 1000
	if e.Class == RetransmitTimeout {
		step = e.RTOMillis
	}
	x := transmissions{count: 1, atMillis: at, stepMillis: step, earliestMillis: c.heardMillis}
	if c.unanswered.n == 0 {
		x.count = 2 // the first transmission itself
		if c.answerMillis > c.heardMillis-sameMillis && c.answerMillis < at {
			x.stepMillis = at - c.answerMillis
		}
	}
	gap := c.gapMaxMillis(&d.p)
	c.deal().unanswered.add(x, gap)
	c.dataOutSeen++
	if at <= c.heardMillis {
		return // a request came since
	}
	x.count = 1
	if c.silent.n == 0 {
		x.count = 2
	}
	c.deal().silent.add(x, gap)
}

// synAckLost: somebody on a host connects, and what we answer does not arrive. If a broker of
// that host closed out of trouble, the path to it is one-way, unless random loss explains it.
func (d *Detector) synAckLost(now int64, peer netip.Addr) {
	peer = peer.Unmap().WithZone("")
	for _, b := range d.list {
		if b.host != peer || b.state != stateHeld || !b.troubleOpen || d.freeze.level != FreezeNone {
			continue
		}
		b.synAcksLost++
		q := d.loss.rate(now, &d.p)
		if h := d.hosts[peer]; h != nil {
			q = max(q, h.loss.rate(now, &d.p))
		}
		if -float64(b.synAcksLost)*math.Log10(q) >= holdPhi && !d.isLastOfTopic(now, b) {
			d.park(now, nil, b, ClassOneWay, RuleSynAckLost)
		}
	}
}

// holdPhi is what phi must be while a broker is held: its close was doubtful already, and all
// that follows from a mistake is that a hold of seconds ends early.
const holdPhi = 3

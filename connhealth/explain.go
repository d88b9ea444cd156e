package connhealth

import "syscall"

// Transmission is one line of an explanation's time line.
type Transmission struct {
	AtMillis  int64
	RTOMillis int64
	Class     Retransmission
	Err       syscall.Errno
	Seq       uint32
}

// Explanation is the evidence of one action: enough for an operator to contest it.
type Explanation struct {
	AtMillis int64
	Class    Class
	Rule     Rule

	Conn             ConnID
	SilentMillis     int64 // tested silence: nothing heard
	UnansweredMillis int64 // tested time without an answer, though perhaps heard
	Unanswered       int   // transmissions of ours without an answer
	Timeline         []Transmission

	HeardAgeMillis   int64 // since any packet of this connection; -1 never
	AckAgeMillis     int64 // as last sampled
	DataAgeMillis    int64
	UnackedSegs      uint32
	Retransmits      uint8
	Probes           uint8
	SndWndBytes      uint32
	SoftErr          syscall.Errno
	RTTMicros        uint32
	LossOwn          float64 // as seen; phi assumes at least LossMin
	LossGlobal       float64
	Phi              float64
	ThresholdMillis  int64 // of tested silence, with doubling and freeze
	WitnessAgeMillis int64 // since a packet of any other host; -1 never
	Alone            bool  // there is no other host to be a witness
	Freeze           Freeze
	Dial             DialOutcome
	DialAgeMillis    int64 // -1 never
	Strikes          int   // contradicted verdicts that still count
	HopOnly          bool  // behind NAT, a balancer or PROXY
	LastOfTopic      bool
	CloseHow         CloseHow // of a close
	CloseSilence     int64    // D: longest unanswered interval before it
	CloseLate        int64    // L: longest age of an answer of ours
	CloseMass        bool     // G: many closed or suspect at once
	NewConn          ConnID   // what proved life, if it was a connection
}

// explain gathers the evidence about a connection, a broker, or both.
func (d *Detector) explain(now int64, c *conn, b *broker, class Class, rule Rule) *Explanation {
	x := &Explanation{AtMillis: now, Class: class, Rule: rule, Freeze: d.freeze.level, LossGlobal: d.loss.seen(now, &d.p),
		HeardAgeMillis: -1, WitnessAgeMillis: -1, DialAgeMillis: -1}
	if c != nil {
		d.explainConn(x, now, c, b)
	}
	if b != nil {
		x.Strikes, x.LastOfTopic = b.strikesAt(now), b.lastOfTopic
		x.Dial = b.dial.result
		if b.dial.result != DialNone {
			x.DialAgeMillis = now - b.dial.resultMillis
		}
		x.HopOnly = b.hopOnly
	}
	return x
}

// explainConn: b, if it is not nil, may have lost c already; it was judged as a broker's.
func (d *Detector) explainConn(x *Explanation, now int64, c *conn, b *broker) {
	brokers := c.brokers
	if b != nil && len(brokers) == 0 {
		brokers = []*broker{b}
	}
	bound := c.boundMillis(&d.p)
	x.Conn = c.id
	_, x.SilentMillis = c.silent.counted(now, bound)
	x.Unanswered, x.UnansweredMillis = c.unanswered.counted(now, bound)
	if c.hist != nil {
		x.Timeline = c.hist.timeline()
	}
	if c.heardMillis != never {
		x.HeardAgeMillis = now - c.heardMillis
	}
	x.AckAgeMillis, x.DataAgeMillis = now-c.ackMillis, now-c.dataMillis
	x.UnackedSegs, x.Retransmits, x.Probes = c.last.UnackedSegs, c.last.Retransmits, c.last.Probes
	x.SndWndBytes, x.SoftErr, x.RTTMicros = c.last.SndWndBytes, c.last.SoftErr, c.last.RTTMicros
	x.LossOwn = c.host.loss.seen(now, &d.p)
	n, _ := c.silent.counted(now, bound)
	if n == 0 || x.Rule == RuleOneWay {
		n = x.Unanswered
	}
	x.Phi = d.phi(now, c, n)
	x.ThresholdMillis = d.deadMillis(now, brokers)
	if w, ok := d.witness.other(c.host); ok {
		x.WitnessAgeMillis = now - w
	}
	x.Alone = d.alone(c.host)
}

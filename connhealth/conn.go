package connhealth

import "net/netip"

// conn is one accepted connection: 192 bytes, as long as nothing happens on it.
type conn struct {
	id   ConnID
	host *host
	*dealings

	openedMillis  int64
	sampledMillis int64
	last          Sample
	dataOutSeen   uint32 // of last.DataSegsOut, plus events since
	retransSeen   uint32 // retransmissions that the loss estimate has counted
	probeMillis   int64  // when the newest probe was sent

	heardMillis      int64
	answeredMillis   int64 // last proof that a transmission of ours arrived
	ackMillis        int64
	dataMillis       int64
	nextSampleMillis int64

	index       int32  // in its schedule
	port        uint16 // of the peer
	hop         bool   // PROXY protocol: the peer of the connection is not who speaks
	spokeClient bool   // it sent what a broker's connection does not send
	sampled     bool
	// ackedWhileStuck: the peer acknowledges something, but not what is outstanding.
	ackedWhileStuck bool
	suspect         bool
	closing         bool // ActCloseConn was given
	fast            bool // which of the two schedules it is in
	overdue         bool // an answer was, at the last look
	idle            bool // nothing of ours is to be answered
}

// dealings is what only a connection has on which something happened: a request, a broker that
// registered, a transmission of ours that was not answered at once. Of a name server's thousands
// of connections most are silent, and have noDealings. They are read as fields of conn, and
// written through deal.
type dealings struct {
	brokers []*broker
	hist    *history // once it carries a broker
	zone    string   // of a link-local peer's address

	// silent resets with any packet of the peer, unanswered with one that proves that a
	// transmission of ours arrived.
	silent     tracker
	unanswered tracker

	requests       int   // not yet answered
	arrivedMillis  int64 // last request
	requestMillis  int64 // since when there are some
	registerMillis int64 // last 103
	answerMillis   int64 // when we last wrote an answer

	localMillis   int64 // last transmission that our own host refused
	suspectMillis int64 // since when it is suspect
	segBytesMax   uint32
}

// noDealings is never written to.
var noDealings = newDealings()

func newDealings() *dealings {
	return &dealings{arrivedMillis: never, answerMillis: never, localMillis: never, registerMillis: never}
}

// deal returns the dealings of c to be written to.
func (c *conn) deal() *dealings {
	if c.dealings == noDealings {
		c.dealings = newDealings()
	}
	return c.dealings
}

func (c *conn) history() *history {
	if c.hist == nil {
		c.deal().hist = &history{lateAtMillis: never}
	}
	return c.hist
}

// resetTrackers forgets what went unanswered so far.
func (c *conn) resetTrackers() {
	if c.dealings != noDealings {
		c.silent.reset()
		c.unanswered.reset()
	}
}

// peer is the address that the connection came from.
func (c *conn) peer() netip.AddrPort {
	return netip.AddrPortFrom(c.host.addr.WithZone(c.zone), c.port)
}

// boundMillis is how long after a transmission its answer is overdue. The smoothed round
// trip would not do: it has the peer's delayed acknowledgments in it, and neither a probe nor
// a retransmission is answered with delay.
func (c *conn) boundMillis(p *Params) int64 {
	rtt := int64(c.last.MinRTTMicros)
	if rtt == 0 {
		rtt = int64(c.last.RTTMicros)
	}
	return rtt/1000 + max(rtt/2000, p.AnswerGraceMillis)
}

// nothingSent reports whether nothing of ours was under way of late, at the last look.
func (c *conn) nothingSent(now int64, p *Params) bool {
	return c.sampled && c.unanswered.n == 0 && c.last.UnackedSegs == 0 && c.last.NotSentBytes == 0 && now-c.answerMillis >= p.SampleMillis
}

func (c *conn) gapMaxMillis(p *Params) int64 {
	if len(c.brokers) > 0 {
		return p.TestGapMaxMillis
	}
	return p.ClientTestGapMaxMillis
}

// keepalive returns what the kernel was told about probes of this connection.
func (c *conn) keepalive(p *Params) (idleMillis, intervalMillis int64) {
	if len(c.brokers) > 0 || c.host.nudgedMillis != never {
		return p.BrokerKeepaliveMillis, p.BrokerKeepaliveMillis
	}
	return p.ClientKeepaliveIdleMillis, p.ClientKeepaliveIntervalMillis
}

// Opened tells of an accepted connection. proxied: a PROXY header names another peer than
// the connection has; path evidence is about the hop then.
func (d *Detector) Opened(now int64, id ConnID, peer, local netip.AddrPort, proxied bool) []Action {
	d.begin(now)
	if d.conns[id] != nil {
		return nil
	}
	h := d.hostOf(peer.Addr().Unmap().WithZone(""), local.Addr().Unmap().WithZone(""))
	c := &conn{id: id, host: h, port: peer.Port(), hop: proxied, dealings: noDealings,
		openedMillis: now, heardMillis: now, ackMillis: now, dataMillis: now, probeMillis: never, answeredMillis: never}
	if zone := peer.Addr().Zone(); zone != "" {
		c.deal().zone = zone
	}
	h.conns++
	h.accepted[h.acceptedNext%acceptedLen] = c
	h.acceptedNext++
	d.conns[id] = c
	d.heard(c, now)
	c.nextSampleMillis = now + d.p.ClientSampleMillis
	d.schedule.add(c, false)
	return d.out
}

// heard notes a packet of the peer.
func (d *Detector) heard(c *conn, atMillis int64) {
	c.heardMillis = max(c.heardMillis, atMillis)
	c.host.heard(atMillis)
	d.witness.heard(c.host, atMillis)
}

// drop forgets a connection.
func (d *Detector) drop(c *conn) {
	d.schedule.remove(c)
	delete(d.conns, c.id)
	if c.suspect {
		d.suspects--
	}
	for i, a := range c.host.accepted {
		if a == c {
			c.host.accepted[i] = nil
		}
	}
	for _, b := range c.brokers {
		if b.conn == c {
			b.conn = nil
		}
	}
	if len(c.brokers) > 0 {
		c.deal().brokers = nil
	}
	c.host.conns--
	d.leave(c.host)
}

// unbind takes a broker off a connection.
func (c *conn) unbind(b *broker) {
	for i, x := range c.brokers {
		if x == b {
			c.deal().brokers = append(c.brokers[:i], c.brokers[i+1:]...)
			return
		}
	}
}

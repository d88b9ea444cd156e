package connhealth

import "net/netip"

// conn is one accepted connection: about 400 bytes, and a history when it carries a broker.
type conn struct {
	id      ConnID
	host    *host
	hop     bool // PROXY protocol: the peer of the connection is not who speaks
	brokers []*broker
	hist    *history

	openedMillis int64
	spokeClient  bool // it sent what a broker's connection does not send

	sampled       bool
	sampledMillis int64
	last          Sample
	dataOutSeen   uint32 // of last.DataSegsOut, plus events since
	retransSeen   uint32 // retransmissions that the loss estimate has counted
	probeMillis   int64  // when the newest probe was sent
	answerMillis  int64  // when we last wrote an answer

	heardMillis    int64
	answeredMillis int64 // last proof that a transmission of ours arrived
	ackMillis      int64
	dataMillis     int64
	// silent resets with any packet of the peer, unanswered with one that proves that a
	// transmission of ours arrived.
	silent     tracker
	unanswered tracker
	// ackedWhileStuck: the peer acknowledges something, but not what is outstanding.
	ackedWhileStuck bool
	localMillis     int64 // last transmission that our own host refused
	segBytesMax     uint32

	requests       int   // not yet answered
	arrivedMillis  int64 // last request
	requestMillis  int64 // since when there are some
	registerMillis int64 // last 103

	suspect          bool
	suspectMillis    int64 // since when
	closing          bool  // ActCloseConn was given
	fast             bool  // which of the two schedules it is in
	overdue          bool  // an answer was, at the last look
	idle             bool  // nothing of ours is to be answered
	index            int
	nextSampleMillis int64
}

func (c *conn) history() *history {
	if c.hist == nil {
		c.hist = &history{lateAtMillis: never}
	}
	return c.hist
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
	c := &conn{id: id, host: h, hop: proxied, openedMillis: now, heardMillis: now, ackMillis: now, dataMillis: now,
		probeMillis: never, arrivedMillis: never, answeredMillis: never, answerMillis: never, localMillis: never, registerMillis: never}
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
	c.brokers = nil
	c.host.conns--
	d.leave(c.host)
}

// unbind takes a broker off a connection.
func (c *conn) unbind(b *broker) {
	for i, x := range c.brokers {
		if x == b {
			c.brokers = append(c.brokers[:i], c.brokers[i+1:]...)
			return
		}
	}
}

package connhealth

// Sample takes what TCP_INFO said of a connection; s is only read during the call. Of a
// healthy connection it costs no allocation and gives no action.
func (d *Detector) Sample(now int64, id ConnID, s *Sample) []Action {
	d.begin(now)
	c := d.conns[id]
	if c == nil {
		return nil
	}
	d.take(now, c, s)
	d.judge(now, c)
	d.reschedule(now, c)
	return d.out
}

// news is what a sample has that the one before had not.
type news struct {
	heard      bool // any packet
	answered   bool // a packet that proves that a transmission of ours arrived
	acked      bool // a packet without data
	progressed bool // data of ours was acknowledged
	sent       transmissions
}

// take compares a sample with the one before and moves the trackers.
func (d *Detector) take(now int64, c *conn, s *Sample) {
	ackAt, dataAt := now-int64(s.LastAckRecvMillis), now-int64(s.LastDataRecvMillis)
	var x news
	if c.sampled {
		x = d.compare(now, c, s, ackAt, dataAt)
	} else {
		c.dataOutSeen, c.retransSeen = s.DataSegsOut, s.TotalRetrans
		x.heard = true
	}
	c.ackMillis, c.dataMillis = ackAt, dataAt
	heardAt := max(ackAt, dataAt)
	if x.heard {
		d.heard(c, heardAt)
	}
	if x.answered {
		c.answeredMillis = max(c.answeredMillis, ackAt)
	}
	before := c.last
	c.last = *s
	if now-c.localMillis < d.p.CloseSilenceMillis {
		// What our own host refuses to send was never a test.
		c.resetTrackers()
	} else {
		d.track(now, c, &x, heardAt, ackAt)
	}
	if x.progressed || s.UnackedSegs == 0 {
		c.ackedWhileStuck = false
	} else if x.acked && s.Retransmits > 0 {
		c.ackedWhileStuck = true
	}
	d.countLoss(now, c, s, &before, &x)
	c.dataOutSeen = s.DataSegsOut
	c.sampled, c.sampledMillis = true, now
}

// compare finds the news of a sample.
func (d *Detector) compare(now int64, c *conn, s *Sample, ackAt, dataAt int64) news {
	var x news
	x.progressed = s.BytesAcked > c.last.BytesAcked
	if s.SegsIn != 0 {
		in := s.SegsIn - c.last.SegsIn
		x.heard = in != 0
		x.acked = in > s.DataSegsIn-c.last.DataSegsIn
	} else {
		x.heard = max(ackAt, dataAt) > max(c.ackMillis, c.dataMillis)+sameMillis
		x.acked = x.heard && ackAt > dataAt
	}
	// While data is outstanding only progress is an answer to it; a closed window is never
	// held against a peer that answers.
	x.answered = x.progressed || x.acked && (s.UnackedSegs == 0 || s.SndWndBytes == 0)
	x.heard = x.heard || x.answered
	x.sent = d.sent(now, c, s, max(ackAt, dataAt), x.answered)
	return x
}

// sent works out what was transmitted since the last sample, and when.
func (d *Detector) sent(now int64, c *conn, s *Sample, heardAt int64, answered bool) transmissions {
	earliest := max(c.heardMillis, c.openedMillis)
	probed := int(s.Probes)
	if !answered {
		probed -= int(c.last.Probes)
	}
	if probed > 0 {
		return d.sentProbes(now, c, s, heardAt, probed)
	}
	out := int32(s.DataSegsOut - c.dataOutSeen)
	if s.UnackedSegs == 0 || out <= 0 {
		return transmissions{}
	}
	t := transmissions{atMillis: now - int64(s.LastDataSentMillis), earliestMillis: earliest, class: TransmitInferred}
	// A burst is one test, however many segments it has.
	t.count = int(min(int64(out), 1+int64(s.TotalRetrans-c.last.TotalRetrans), 1+(now-c.sampledMillis)/180))
	if t.count > 1 || c.unanswered.n > 0 {
		t.class = RetransmitTimeout
	}
	rto := int64(s.RTOMicros) / 1000
	switch {
	case s.Backoff > 0 && rto < d.p.RTOMaxMillis:
		t.stepMillis = rto / 2
	case s.Backoff > 0:
		t.stepMillis = rto
	case s.UnackedSegs == 1: // a tail loss probe
		t.stepMillis = min(rto, int64(s.RTTMicros)*2/1000+200) * 9 / 10
	default: // the tail loss probe of several segments comes soon
		t.stepMillis = int64(s.RTTMicros) * 2 / 1000
	}
	if c.unanswered.n == 0 && c.answerMillis > max(c.sampledMillis, c.heardMillis-sameMillis) && c.answerMillis <= t.atMillis {
		// The first of them was the answer that we know the time of.
		t.stepMillis = max(t.stepMillis, t.atMillis-c.answerMillis)
		t.earliestMillis = max(earliest, c.answerMillis)
	}
	return t
}

// sentProbes places probes: the kernel's keepalive counts from the last packet.
func (d *Detector) sentProbes(now int64, c *conn, s *Sample, heardAt int64, count int) transmissions {
	idle, interval := c.keepalive(&d.p)
	at := now
	switch {
	case s.NotSentBytes > 0 || s.SndWndBytes == 0: // window probes back off: the first late, the others early
		if c.last.Probes > 0 {
			at = c.sampledMillis + 1
		}
	case c.last.Probes > 0 && c.probeMillis > heardAt:
		at = c.probeMillis + int64(count)*interval
	default:
		at = heardAt + idle + int64(count-1)*interval
	}
	if s.NotSentBytes == 0 && s.SndWndBytes != 0 {
		// The newest cannot be older: the next would have followed. It can be younger than
		// counted, where the kernel itself was late.
		at = max(at, now-interval)
	}
	at = min(max(at, c.sampledMillis+1), now)
	c.probeMillis = at
	return transmissions{count: count, atMillis: at, stepMillis: interval, earliestMillis: heardAt, class: TransmitProbe}
}

// track moves both trackers.
func (d *Detector) track(now int64, c *conn, x *news, heardAt, ackAt int64) {
	if c.dealings == noDealings && x.sent.count <= 0 && c.last.UnackedSegs == 0 {
		return // nothing of ours is unanswered, and nothing was
	}
	c.deal()
	gap := c.gapMaxMillis(&d.p)
	d.trackOne(c, &c.silent, x, x.heard, heardAt, gap)
	if x.answered {
		d.answeredAt(now, c, ackAt)
	}
	d.trackOne(c, &c.unanswered, x, x.answered, ackAt, gap)
	if x.sent.count > 0 && c.hist != nil && x.sent.class != TransmitInferred {
		c.hist.transmitted(Transmission{AtMillis: x.sent.atMillis, RTOMillis: int64(c.last.RTOMicros) / 1000, Class: x.sent.class, Err: c.last.SoftErr})
	}
}

// trackOne resets a tracker, and adds what was sent after that, or since the last sample.
func (d *Detector) trackOne(c *conn, t *tracker, x *news, reset bool, resetAt, gap int64) {
	if !reset {
		t.add(x.sent, gap)
		return
	}
	t.reset()
	switch {
	case x.sent.count > 0 && x.sent.atMillis > resetAt:
		one := x.sent
		one.count = 1
		t.add(one, gap)
	case c.last.UnackedSegs > 0:
		// It was sent before, but the packet of resetAt did not yet have to answer it.
		t.add(transmissions{count: 1, atMillis: resetAt}, gap)
	}
}

// answeredAt ends an episode of unanswered transmissions.
func (d *Detector) answeredAt(now int64, c *conn, atMillis int64) {
	t := &c.unanswered
	n, _ := t.counted(atMillis, c.boundMillis(&d.p))
	if n == 0 || c.hist == nil {
		return
	}
	c.hist.remember(trouble{t.firstMillis, atMillis, c.registerMillis >= t.firstMillis-sameMillis && c.registerMillis <= atMillis})
}

// countLoss feeds the loss estimates of the host and of all.
func (d *Detector) countLoss(now int64, c *conn, s, before *Sample, x *news) {
	if now-c.localMillis < d.p.CloseWindowMillis {
		c.retransSeen = s.TotalRetrans
		return
	}
	if c.unanswered.n > 1 || c.suspect {
		return // the episode is counted when it is over
	}
	lost := 0
	if r := s.TotalRetrans - c.retransSeen; r != 0 {
		lost = int(min(r, lossBurstMax))
		c.retransSeen = s.TotalRetrans
	}
	if x.answered && s.Probes == 0 && before.Probes > 0 && c.sampledMillis-c.probeMillis >= c.boundMillis(&d.p) {
		lost += int(min(before.Probes, lossBurstMax))
	}
	trials := lost
	if out := int32(s.DataSegsOut - before.DataSegsOut); out > 0 {
		trials += int(min(out, 20))
	} else if x.acked {
		trials++
	}
	if trials > 0 {
		c.host.loss.note(now, &d.p, trials, lost)
		d.loss.note(now, &d.p, trials, lost)
	}
}

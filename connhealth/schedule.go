package connhealth

// schedule says whose TCP_INFO is due. Connections that carry a broker, are suspect or are
// to be witnesses stand in a short list that is looked through every time; the others in
// one that is gone through slowly.
type schedule struct {
	fast, slow []*conn
	cursor     int
	fedMillis  int64
}

func (s *schedule) list(fast bool) *[]*conn {
	if fast {
		return &s.fast
	}
	return &s.slow
}

func (s *schedule) add(c *conn, fast bool) {
	l := s.list(fast)
	c.fast, c.index = fast, int32(len(*l))
	*l = append(*l, c)
}

func (s *schedule) remove(c *conn) {
	l := s.list(c.fast)
	last := len(*l) - 1
	(*l)[c.index] = (*l)[last]
	(*l)[c.index].index = c.index
	(*l)[last] = nil
	*l = (*l)[:last]
}

func (s *schedule) move(c *conn, fast bool) {
	if c.fast != fast {
		s.remove(c)
		s.add(c, fast)
	}
}

// AppendDue appends the connections whose sample is due. Call it after Tick, and when
// WaitMillis says; taking a sample later than due delays verdicts by as much.
func (d *Detector) AppendDue(dst []ConnID, now int64) []ConnID {
	s := &d.schedule
	elapsed := min(max(now-s.fedMillis, 0), d.p.ClientSampleMillis)
	s.fedMillis = now
	until := now
	if d.Calm() {
		// Rather now than a look later: the owner may take its time with those that it is told.
		until += min(elapsed, d.p.CalmTickMillis) * 4 / 5
	}
	idleUntil := until
	if d.Calm() {
		idleUntil -= d.p.IdleSampleMillis - d.p.SampleMillis
	}
	d.overdue = false
	for _, c := range s.fast {
		if c.nextSampleMillis <= idleUntil || !c.idle && c.nextSampleMillis <= until {
			dst = append(dst, c.id)
		}
		d.overdue = d.overdue || c.overdue
	}
	share := min(int((int64(len(s.slow))*elapsed+d.p.ClientSampleMillis-1)/d.p.ClientSampleMillis), len(s.slow))
	// Who is passed over now is not come by again for as long.
	until = now + d.p.ClientSampleMillis/10
	for range share {
		s.cursor = (s.cursor + 1) % len(s.slow)
		if c := s.slow[s.cursor]; c.nextSampleMillis <= until {
			dst = append(dst, c.id)
		}
	}
	return dst
}

// NextSampleMillis returns when a connection is to be sampled next.
func (d *Detector) NextSampleMillis(id ConnID) (atMillis int64, ok bool) {
	c := d.conns[id]
	if c == nil {
		return 0, false
	}
	return c.nextSampleMillis, true
}

// reschedule decides when to look at a connection again: often while something is
// unanswered, and just when the newest transmission's answer is overdue.
func (d *Detector) reschedule(now int64, c *conn) {
	p := &d.p
	bound := c.boundMillis(p)
	n, _ := c.unanswered.counted(now, bound)
	broker := len(c.brokers) > 0
	interval := p.ClientSampleMillis
	switch {
	case broker && n > 0:
		interval = p.SuspectSampleMillis
	case broker || n > 0 || c.host.nudgedMillis != never:
		interval = p.SampleMillis
	}
	c.overdue, c.idle = n > 0, broker && n == 0 && c.nothingSent(now, p)
	d.overdue = d.overdue || c.overdue
	d.schedule.move(c, interval != p.ClientSampleMillis)
	c.nextSampleMillis = now + interval
	if t := &c.unanswered; t.n > 0 && n > 0 && t.lastMillis+bound > now {
		c.nextSampleMillis = min(c.nextSampleMillis, t.lastMillis+bound)
	}
}

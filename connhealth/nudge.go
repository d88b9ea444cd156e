package connhealth

// Hosts without a broker are probed every 15 s only: too seldom to be the witness that a
// verdict about the only broker needs. So when one is needed some of them are made to speak.

// nudge asks for witnesses on behalf of a suspect's host.
func (d *Detector) nudge(now int64, suspect *host) {
	if d.nudged(suspect) >= d.p.NudgeHosts || len(d.schedule.slow) == 0 {
		return
	}
	want := d.p.NudgeHosts - d.nudged(suspect)
	// Whoever was heard last has the best chance to be there; the slow list is looked
	// through in part only, so that a suspect costs the same however many clients there are.
	const lookAtMost = 256
	for range want {
		var best *conn
		for i := range min(len(d.schedule.slow), lookAtMost) {
			c := d.schedule.slow[(d.schedule.cursor+i)%len(d.schedule.slow)]
			if c.host == suspect || c.host.local || c.host.nudgedMillis != never {
				continue
			}
			if best == nil || c.heardMillis > best.heardMillis {
				best = c
			}
		}
		if best == nil {
			return
		}
		best.host.nudgedMillis = now
		d.nudges = append(d.nudges, nudged{best.host, best.id, now + d.p.NudgeMillis})
		d.emit(Action{Kind: ActKeepalive, Conn: best.id, UntilMillis: now + d.p.NudgeMillis})
		best.nextSampleMillis = now
		d.schedule.move(best, true)
	}
}

// nudged is a host that is made to speak, by one of its connections.
type nudged struct {
	host        *host
	conn        ConnID
	untilMillis int64
}

// nudged returns how many hosts other than h are being made to speak.
func (d *Detector) nudged(h *host) (n int) {
	for i := range d.nudges {
		if d.nudges[i].host != h {
			n++
		}
	}
	return n
}

// nudgedLong reports whether somebody was made to speak long enough ago to have been heard.
func (d *Detector) nudgedLong(now int64) bool {
	for i := range d.nudges {
		if now-d.nudges[i].host.nudgedMillis >= d.p.QuietMillis {
			return true
		}
	}
	return false
}

// tickNudges ends those whose time is over or whose connection is gone.
func (d *Detector) tickNudges(now int64) {
	kept := d.nudges[:0]
	for _, n := range d.nudges {
		if now < n.untilMillis && d.conns[n.conn] != nil {
			kept = append(kept, n)
		} else {
			n.host.nudgedMillis = never
		}
	}
	clear(d.nudges[len(kept):])
	d.nudges = kept
}

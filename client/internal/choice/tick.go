package choice

import "time"

// Tick does what time brings. Tell what was Heard first. It is to be called at Next, and may
// be called at any time.
func (m *Machine) Tick(now time.Duration) {
	if !m.woken {
		return
	}
	for _, s := range m.servers {
		if s.phase >= proving {
			m.checkOwed(now, s)
		}
		switch {
		case s.phase == dialing || s.phase >= proving && s.probing || s.due > now:
		case s.phase == down:
			m.dial(s)
		case s.phase == proving:
			m.probe(now, s)
		default:
			if quiet := s.heard + m.probeAfter(s); quiet > now {
				s.due = quiet
			} else {
				m.probe(now, s)
			}
		}
	}
	m.checkSilence(now)
}

// Next is when Tick has something to do; false: not before some evidence comes.
func (m *Machine) Next(now time.Duration) (at time.Duration, ok bool) {
	if !m.woken {
		return 0, false
	}
	add := func(t time.Duration) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	for _, s := range m.servers {
		if s.phase == down || s.phase >= proving && !s.probing {
			add(s.due)
		}
		if s.phase < proving || s.owed == never {
			continue
		}
		add(s.overdue.Next())
		if m.p.Silence <= 0 || s != m.inUse || m.best(s, nil) == nil {
			continue
		}
		if !s.suspected {
			add(s.owed + m.p.Silence/2)
		} else if !s.hush.Up() {
			add(s.hush.Next()) // once it is up, the witness's answer is what counts
		}
	}
	return at, ok
}

package choice

import "time"

// trust makes a server ready, and the one in use if there is none.
func (m *Machine) trust(now time.Duration, s *server) {
	s.phase = ready
	s.returned = s.fails > 0
	s.fails, s.need = 0, 0
	s.silent, s.soft, s.slow, s.unwell = 0, 0, 0, false
	s.readyAt, s.since = now, now
	s.due = now + m.probeAfter(s)
	m.changes++
	m.settle(now)
	if u := m.inUse; u != s && u.unwell {
		m.leave(now, u, false, u.why)
	}
}

// unwell leaves a server that answers badly, as soon as there is another one.
func (m *Machine) unwell(now time.Duration, s *server, why string) {
	if s != m.inUse || m.best(s, nil) != nil {
		m.leave(now, s, false, why)
		return
	}
	s.unwell, s.why = true, why
	m.bringForward(now)
}

// alone: there is no server in use, or none that anybody would want.
func (m *Machine) alone() bool { return m.inUse == nil || m.inUse.unwell }

// bringForward lets nobody rest longer than RestAlone from now.
func (m *Machine) bringForward(now time.Duration) {
	for _, s := range m.servers {
		if s.fails > 0 {
			s.due = min(s.due, now+m.p.RestAlone)
		}
	}
}

// leave ends the trust in a server. hard ends its connection too; otherwise it has to prove
// itself on the one it has.
func (m *Machine) leave(now time.Duration, s *server, hard bool, why string) {
	wasReady := s.phase == ready
	if hard {
		m.closeIt(s, why)
		s.phase, s.probing = down, false
	} else {
		s.phase = proving
	}
	m.left(now, s, wasReady, why)
}

// left is what follows when a server is trusted no longer.
func (m *Machine) left(now time.Duration, s *server, wasReady bool, why string) {
	s.owed, s.suspected, s.answered, s.unwell = never, false, false, false
	if wasReady {
		s.since = now
		switch {
		case now-s.readyAt >= m.p.FlapWindow:
			s.flaps = 0
		case s.returned:
			s.flaps++
		}
	}
	if s == m.inUse {
		m.inUse = nil
	}
	m.changes++
	m.settle(now)
	m.failed(now, s, why)
	s.need = m.proofs(s)
}

// failed has a server rest.
func (m *Machine) failed(now time.Duration, s *server, why string) {
	if s.fails == 0 && s.phase != ready {
		s.since = now
	}
	s.fails++
	s.why = why
	s.due = now + m.rest(s)
}

// settle sees to it that a server is in use if one can be.
func (m *Machine) settle(now time.Duration) {
	if m.inUse != nil {
		return
	}
	if s := m.best(nil, nil); s != nil {
		m.use(now, s)
		return
	}
	for _, s := range m.servers {
		if s.phase == proving && s.answered {
			m.trust(now, s) // more proof would be better, but there is nobody else
			return
		}
	}
	m.bringForward(now)
}

// use makes a ready server the one in use.
func (m *Machine) use(now time.Duration, s *server) {
	m.inUse = s
	s.since = now
	s.slow = 0
	s.due = min(s.due, max(now, s.heard+m.probeAfter(s)))
	m.changes++
	for _, other := range m.servers {
		if other.phase == down && other.fails == 0 {
			other.due = now + m.p.StandByDelay + time.Duration(3*m.random()*float64(m.p.StandByDelay))
		}
	}
}

// rest is how long a server is left alone: doubling with its failures, and its flaps, with
// jitter so that the clients of a server that failed do not return as one.
func (m *Machine) rest(s *server) time.Duration {
	steps := min(max(s.fails-1, 0)+2*s.flaps, 20)
	rest := m.p.RestMax
	if m.p.RestMin <= rest>>steps {
		rest = m.p.RestMin << steps
	}
	rest += time.Duration(m.random() * float64(rest) / 2)
	if rest > m.p.RestMax {
		rest = m.p.RestMax - time.Duration(m.random()*float64(m.p.RestMax)/4)
	}
	if m.alone() {
		rest = min(rest, m.p.RestAlone)
	}
	return rest
}

// proofs is how many answers a server has to give before it is ready.
func (m *Machine) proofs(s *server) int {
	if s.fails == 0 {
		return 1
	}
	return m.p.ProofCount + min(s.flaps, 3)
}

// probeAfter is after how much silence a server is probed, with a tenth of jitter.
func (m *Machine) probeAfter(s *server) time.Duration {
	after := m.p.ProbeStandBy
	if s == m.inUse {
		after = m.p.ProbeInUse
	}
	return after - time.Duration(m.random()*float64(after)/10)
}

func (m *Machine) dial(s *server) {
	m.gens++
	s.gen = m.gens
	s.phase = dialing
	m.actions = append(m.actions, Action{Do: Dial, Server: s.addr, Gen: s.gen})
}

func (m *Machine) probe(now time.Duration, s *server) {
	if s.probing {
		return
	}
	s.probing, s.probedAt = true, now
	m.owes(now, s)
	m.actions = append(m.actions, Action{Do: Probe, Server: s.addr, Gen: s.gen})
}

func (m *Machine) closeIt(s *server, why string) {
	if s.phase >= proving {
		m.actions = append(m.actions, Action{Do: Close, Server: s.addr, Gen: s.gen, Why: why})
	}
}

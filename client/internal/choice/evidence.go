package choice

import (
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
)

// Answer is how good an answer was.
type Answer uint8

// The kinds of answers.
const (
	// Good: what was asked for, or that it does not exist.
	Good Answer = iota
	// Busy: refused for now (codes 1 and 2).
	Busy
	// Senseless: it could not be understood.
	Senseless
	// NotReady: the server is still starting.
	NotReady
	// Leaving: the server is going away (code 1500).
	Leaving
)

// Asked: a request of a caller's was sent.
func (m *Machine) Asked(now time.Duration, addr string, gen uint64) {
	if s := m.of(addr, gen); s != nil {
		m.owes(now, s)
	}
}

// owes: a server is asked something, and owes an answer from now on if it did not before.
func (m *Machine) owes(now time.Duration, s *server) {
	if s.owed == never {
		s.owed = now
		s.overdue = pause.After(now, m.p.RPCTimeout)
		s.hush = pause.After(now, m.p.Silence)
	}
}

// Heard: an answer, or a good part of one, came at that time, whoever asked.
func (m *Machine) Heard(at time.Duration, addr string, gen uint64) {
	if s := m.of(addr, gen); s != nil {
		s.hear(at)
	}
}

func (s *server) hear(at time.Duration) {
	if at < s.heard {
		return
	}
	s.heard, s.spoke = at, at
	if s.owed != never && at >= s.owed {
		s.owed = never
		s.suspected = false
		s.silent = 0
	}
}

// Answered: a request, or a probe, was answered after so long; 0: it is not known how long, since
// our own process stood still.
func (m *Machine) Answered(now time.Duration, addr string, gen uint64, took time.Duration, a Answer, probe bool) {
	s := m.of(addr, gen)
	if s == nil {
		return
	}
	s.hear(now)
	if probe {
		s.probing = false
	}
	switch {
	case a == Leaving:
		m.leave(now, s, true, "it is going away")
	case a == Good:
		m.good(now, s, took)
	case s.phase == proving:
		m.disproved(now, s, whyBad[a])
	default:
		s.soft++
		if a == NotReady || s.soft >= m.p.SoftThreshold {
			m.unwell(now, s, whyBad[a])
		}
	}
	m.checkSilence(now)
}

var whyBad = map[Answer]string{
	Busy: "it refuses requests", Senseless: "its answers make no sense", NotReady: "it is not ready yet",
}

// good takes in an answer as it should be.
func (m *Machine) good(now time.Duration, s *server, took time.Duration) {
	s.silent, s.soft, s.unwell = 0, 0, false
	if took > 0 {
		m.took(s, took)
	}
	if s.phase == proving {
		m.proof(now, s, took)
		return
	}
	if took <= 0 {
		return
	}
	if took < m.p.SlowAfter {
		s.slow = 0
		return
	}
	if now-took < s.slowAt {
		return // asked before the last slow answer came: a pause makes many late at once
	}
	s.slow++
	s.slowAt = now
	if other := m.best(s, nil); s == m.inUse && s.slow >= m.p.SlowCount && other != nil && other.latency <= took/4 {
		m.leave(now, s, false, "it is slow: its last answer took "+took.String())
	}
}

// took notes how long an answer took.
func (m *Machine) took(s *server, took time.Duration) {
	if s.latency == 0 {
		s.latency = took
	}
	s.latency += (took - s.latency) / 4
	if s == m.inUse {
		m.recent.add(took)
	}
}

// proof takes in an answer of a server that is not trusted yet. One that is slow is none,
// unless the server in use is not much faster.
func (m *Machine) proof(now time.Duration, s *server, took time.Duration) {
	if m.inUse != nil && took >= max(m.p.SlowAfter, 2*m.inUse.latency) && s.fails > 0 {
		m.disproved(now, s, "it is slow: its last answer took "+took.String())
		return
	}
	s.answered = true
	s.need--
	if s.need > 0 && !m.alone() {
		s.due = now + m.p.ProofEvery
		return
	}
	m.trust(now, s)
}

// disproved: a server that is not trusted answered badly, and rests on its connection.
func (m *Machine) disproved(now time.Duration, s *server, why string) {
	s.fails++
	s.why = why
	s.need = m.proofs(s)
	s.answered = false
	s.due = now + m.rest(s)
	m.changes++
}

// TimedOut: a request of then was not answered within RPCTimeout. Tell Heard first.
func (m *Machine) TimedOut(now time.Duration, addr string, gen uint64, asked time.Duration, probe bool) {
	s := m.of(addr, gen)
	if s == nil {
		return
	}
	if probe {
		s.probing = false
		s.due = now + m.p.ProofEvery
	}
	switch {
	case s.heard < asked && s.phase == proving:
		m.leave(now, s, !m.p.KeepOnTimeout, "it did not answer within "+m.p.RPCTimeout.String())
	case s.heard < asked:
		m.checkOwed(now, s)
	default:
		if s.soft++; s.soft >= m.p.SoftThreshold {
			m.leave(now, s, !m.p.KeepOnTimeout, "requests time out while others are answered")
		}
	}
}

// checkOwed counts a server's silence while it owes an answer.
func (m *Machine) checkOwed(now time.Duration, s *server) {
	if s.owed == never || !s.overdue.Over(now) {
		return
	}
	s.owed = never
	s.suspected = false
	s.silent++
	if s.silent >= m.p.FailureThreshold || s.phase == proving {
		m.leave(now, s, !m.p.KeepOnTimeout, "nothing was heard for "+m.p.RPCTimeout.String()+" though it was asked")
		return
	}
	m.probe(now, s)
}

// checkSilence leaves the server in use if it is silent while another one answers, and asks
// both halfway.
func (m *Machine) checkSilence(now time.Duration) {
	s := m.inUse
	if m.p.Silence <= 0 || s == nil || s.owed == never || now-s.owed < m.p.Silence/2 {
		return
	}
	other := m.best(s, nil)
	if other == nil {
		return
	}
	if !s.suspected {
		s.suspected = true
		m.probe(now, s)
		m.probe(now, other)
	}
	if !s.hush.Over(now) {
		return
	}
	if witness := m.witness(s); witness != nil {
		m.leave(now, s, false, "it was silent for "+(now-s.owed).Round(time.Millisecond).String()+" while "+witness.addr+" answered")
	}
}

// witness is a ready server that spoke since s owes an answer.
func (m *Machine) witness(s *server) *server {
	return m.best(s, func(o *server) bool { return o.spoke >= s.owed })
}

// Dialed: an attempt to connect ended; why is what went wrong, "" if nothing. If it reports
// false nobody wants the connection any more.
func (m *Machine) Dialed(now time.Duration, addr string, gen uint64, why string) bool {
	s := m.find(addr)
	if s == nil || s.gen != gen || s.phase != dialing {
		return false
	}
	s.dialedAt = now
	m.changes++
	if why != "" {
		s.phase = down
		m.failed(now, s, why)
		m.nextAtOnce(now)
		return true
	}
	s.phase = proving
	s.need = m.proofs(s)
	s.heard = now
	s.probing, s.answered = false, false
	s.probedAt, s.owed, s.spoke = never, never, never
	if m.inUse == nil && s.fails == 0 {
		m.trust(now, s) // the first question is proof as good as any
		return true
	}
	m.probe(now, s)
	return true
}

// nextAtOnce: an attempt failed and nobody is in use: those that wait for their turn have it.
func (m *Machine) nextAtOnce(now time.Duration) {
	if m.inUse != nil {
		return
	}
	for _, s := range m.servers {
		if s.phase == down && s.fails == 0 && s.due > now {
			s.due = now
			m.Tick(now)
			return
		}
	}
}

// Closed: a connection ended that was not closed on the machine's word.
func (m *Machine) Closed(now time.Duration, addr string, gen uint64, why string) {
	s := m.of(addr, gen)
	if s == nil {
		return
	}
	wasReady := s.phase == ready
	s.phase, s.probing = down, false
	m.left(now, s, wasReady, why)
}

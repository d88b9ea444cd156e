package choice

import "time"

// Verdict says how a Pick ended.
type Verdict uint8

// What a caller does next.
const (
	// Use the server that was returned.
	Use Verdict = iota
	// Wait until Changes moves: servers are being dialled or probed.
	Wait
	// None: every server failed, and it is too early to ask one again.
	None
)

// Pick returns the server to ask: the one in use; if the caller has tried that one, another
// that is ready. tried may be nil. The first Pick starts everything: before it nobody is
// dialled.
func (m *Machine) Pick(now time.Duration, tried func(addr string, gen uint64) bool) (addr string, gen uint64, v Verdict) {
	if !m.woken {
		m.woken = true
		m.stagger(now)
		m.Tick(now)
	}
	fresh := func(s *server) bool { return tried == nil || !tried(s.addr, s.gen) }
	if m.inUse != nil && fresh(m.inUse) {
		return m.inUse.addr, m.inUse.gen, Use
	}
	if s := m.best(m.inUse, fresh); s != nil {
		return s.addr, s.gen, Use
	}
	if m.inUse != nil && m.coming(now) || m.inUse == nil && m.hurry(now) {
		return "", 0, Wait
	}
	return "", 0, None
}

// coming has the servers that had no chance yet connected to now, because somebody needs another
// one than that in use; it reports whether there are any.
func (m *Machine) coming(now time.Duration) bool {
	hope := false
	for _, s := range m.servers {
		if s.phase == ready || s.fails > 0 {
			continue
		}
		hope = true
		if s.phase == down {
			s.due = min(s.due, now)
		}
	}
	return hope
}

// best returns the ready server to ask instead of the one that is excluded: the next one in the
// order, but rather one that owes no answer, and a slow one only if all are.
func (m *Machine) best(except *server, ok func(*server) bool) *server {
	start := 0
	for i, s := range m.servers {
		if s == except {
			start = i + 1
		}
	}
	var best *server
	for i := range m.servers {
		s := m.servers[(start+i)%len(m.servers)]
		if s == except || s.phase != ready || ok != nil && !ok(s) {
			continue
		}
		if best == nil || m.rank(s) < m.rank(best) {
			best = s
		}
	}
	return best
}

func (m *Machine) rank(s *server) int {
	switch {
	case s.latency >= m.p.SlowAfter:
		return 2
	case s.owed != never:
		return 1
	}
	return 0
}

// hurry asks servers earlier than they were to be, because somebody waits and none is in use;
// it reports whether there is anything to wait for.
func (m *Machine) hurry(now time.Duration) bool {
	hope := false
	for _, s := range m.servers {
		switch {
		case s.phase == down && (s.dialedAt == never || now-s.dialedAt >= m.p.RestMin):
			if s.fails > 0 {
				m.dial(s)
			}
			hope = true // those that never failed have their turn
		case s.phase == dialing || s.phase >= proving && s.probing:
			hope = true
		case s.phase == proving && (s.probedAt == never || now-s.probedAt >= m.p.RestMin):
			m.probe(now, s)
			hope = true
		}
	}
	return hope
}

// stagger has those that were never tried dialled one after the other.
func (m *Machine) stagger(now time.Duration) {
	at := now
	for _, s := range m.servers {
		if s.phase == down && s.fails == 0 {
			s.due = at
			at += m.p.DialStagger
		}
	}
}

// Lookup tells that a lookup begins: it earns its share of a hedge.
func (m *Machine) Lookup() {
	m.tokens = min(m.tokens+1/float64(m.p.HedgeEvery), float64(m.p.HedgeBurst))
}

// Hedge returns a second server to ask, if there is one and the budget allows it.
func (m *Machine) Hedge(first string) (addr string, gen uint64, ok bool) {
	s := m.best(m.find(first), nil)
	if s == nil || m.tokens < 1 {
		return "", 0, false
	}
	m.tokens--
	return s.addr, s.gen, true
}

// HedgeAfter is how long a lookup waits before it is asked a second time: what 95 of 100
// recent ones did not take, within bounds.
func (m *Machine) HedgeAfter() time.Duration {
	return min(max(m.recent.p95(m.p.HedgeMax), m.p.HedgeMin), m.p.HedgeMax)
}

// Status is what is known of a server.
type Status struct {
	Server    string
	Role      Role
	Since     time.Duration // when it took that role
	Connected bool
	Heard     time.Duration // when an answer last came; if Connected
	Latency   time.Duration // of answers, smoothed; 0: none yet
	Fails     int           // in a row
	Flaps     int           // failures soon after a return
	Due       time.Duration // Resting: when it is tried again
	Why       string        // of the last failure; "" if there was none
}

// Status returns all servers in the order they are tried.
func (m *Machine) Status() []Status {
	all := make([]Status, len(m.servers))
	for i, s := range m.servers {
		all[i] = Status{
			Server: s.addr, Role: m.role(s), Since: s.since, Connected: s.phase >= proving, Heard: s.heard,
			Latency: s.latency, Fails: s.fails, Flaps: s.flaps, Due: s.due, Why: s.why,
		}
	}
	return all
}

// InUse is the server in use, "" if there is none.
func (m *Machine) InUse() string {
	if m.inUse == nil {
		return ""
	}
	return m.inUse.addr
}

func (m *Machine) role(s *server) Role {
	switch {
	case s == m.inUse:
		return InUse
	case s.phase == ready:
		return StandBy
	case s.fails > 0:
		return Resting
	}
	return Unknown
}

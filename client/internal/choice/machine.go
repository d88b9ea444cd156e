package choice

import (
	"slices"
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
)

// Role is what a server is used for.
type Role uint8

// The roles.
const (
	Unknown Role = iota // has not been needed yet, or has not answered yet
	InUse
	StandBy
	Resting // failed, and has not proved itself since
)

// String returns the role as nsctl shows it.
func (r Role) String() string {
	switch r {
	case InUse:
		return "in use"
	case StandBy:
		return "stand-by"
	case Resting:
		return "resting"
	}
	return "unknown"
}

// Do is what an Action asks for.
type Do uint8

// What a Machine wants done.
const (
	// Dial: connect; then Dialed, and later Closed.
	Dial Do = iota
	// Probe: send a cheap request; then Answered, TimedOut or Closed.
	Probe
	// Close: the connection; nothing needs to be told.
	Close
)

// Action is one thing to do. Gen numbers the server's connections: evidence about one names
// it, so that what comes late about an old connection does not count against the new one.
type Action struct {
	Do     Do
	Server string
	Gen    uint64
	Why    string // of a Close
}

type phase uint8

const (
	down phase = iota
	dialing
	proving
	ready
)

// never is a time that is not set.
const never time.Duration = -1

// server is what the machine knows of one.
type server struct {
	addr  string
	phase phase
	gen   uint64
	since time.Duration // in the present role

	due      time.Duration // down: dial then; otherwise probe then
	dialedAt time.Duration // end of the last attempt to connect; never: none
	probing  bool
	probedAt time.Duration

	need     int  // proving: answers it still has to give
	answered bool // on this connection, and since it was last left
	fails    int  // in a row
	flaps    int  // times it failed soon after its return
	readyAt  time.Duration
	returned bool // it is ready after a failure, not for the first time

	owed      time.Duration  // since when it owes an answer; never: it does not
	overdue   pause.Deadline // of that answer, by RPCTimeout
	hush      pause.Deadline // the same by Silence, if a witness speaks
	suspected bool           // it was probed for that
	heard     time.Duration  // when anything last came, at first when it was connected
	spoke     time.Duration  // the same without that; never: nothing came
	silent    int
	soft      int
	unwell    bool // in use only because there is nobody else
	slow      int
	slowAt    time.Duration // when a slow answer was last counted
	latency   time.Duration
	why       string // of the last failure
}

// Machine is the state of a list of servers. It is not safe for concurrent use.
type Machine struct {
	p       Params
	servers []*server // in the order they are tried
	inUse   *server
	woken   bool // somebody wants a server
	changes uint64
	actions []Action
	rng     uint64
	gens    uint64

	tokens float64
	recent recent
}

// New returns a machine without servers; SetServers gives it some.
func New(p Params) *Machine {
	p = p.withDefaults()
	return &Machine{p: p, rng: p.Seed, tokens: float64(p.HedgeBurst)}
}

// SetServers replaces the list. What is known of a server that stays, stays. Connections of
// those that go are closed. A list that did not change but for its order changes nothing.
//
// Java: NettyRemotingClient#updateNameServerAddressList.
func (m *Machine) SetServers(now time.Duration, addrs []string) {
	old := m.servers
	m.servers = nil
	for _, addr := range addrs {
		if m.find(addr) != nil {
			continue
		}
		at := slices.IndexFunc(old, func(s *server) bool { return s.addr == addr })
		if at >= 0 {
			m.servers = append(m.servers, old[at])
			continue
		}
		m.servers = append(m.servers, &server{addr: addr, since: now, due: now, dialedAt: never, owed: never, spoke: never, probedAt: never})
	}
	gone := slices.DeleteFunc(slices.Clone(old), func(s *server) bool { return m.find(s.addr) != nil })
	if len(gone) == 0 && len(old) == len(m.servers) {
		m.servers = old
		return
	}
	if !m.p.KeepOrder {
		m.shuffle()
	}
	for _, s := range gone {
		m.closeIt(s, "no longer in the list")
		s.phase = down
		if s == m.inUse {
			m.inUse = nil
		}
	}
	m.changes++
	m.settle(now)
	if m.woken && m.inUse == nil {
		m.stagger(now)
	}
}

func (m *Machine) find(addr string) *server {
	for _, s := range m.servers {
		if s.addr == addr {
			return s
		}
	}
	return nil
}

// of returns the server a piece of evidence is about, nil if that is no longer of interest.
func (m *Machine) of(addr string, gen uint64) *server {
	if s := m.find(addr); s != nil && s.gen == gen && s.phase >= proving {
		return s
	}
	return nil
}

// Actions returns what is to be done since it was last asked. The slice is the caller's.
func (m *Machine) Actions() []Action {
	a := m.actions
	m.actions = nil
	return a
}

// Changes counts the changes of what Pick would say.
func (m *Machine) Changes() uint64 { return m.changes }

// shuffle orders the servers anew, so that clients spread over them.
func (m *Machine) shuffle() {
	for i := len(m.servers) - 1; i > 0; i-- {
		j := int(m.random() * float64(i+1))
		m.servers[i], m.servers[j] = m.servers[j], m.servers[i]
	}
}

// random draws from [0, 1) (splitmix64).
func (m *Machine) random() float64 {
	m.rng += 0x9e3779b97f4a7c15
	z := m.rng
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

package tcpsim

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// Link is one direction of a path.
type Link struct {
	Down   bool
	Loss   float64
	Delay  int64
	Jitter int64
	// SizeMax drops larger packets silently: an MTU hole. 0: none.
	SizeMax int
	// Reject answers every packet with a reset to whoever sent it.
	Reject bool
	// Unreachable answers every packet with an ICMP error.
	Unreachable bool
}

// Net is a server and hosts around it, each on a path of its own.
type Net struct {
	*Clock
	Rand   *rand.Rand
	Server *Host
	// ServerDown is a fault of the server's own link.
	ServerDown bool
	flow       uint64
}

// Host is a machine with a kernel.
type Host struct {
	Net      *Net
	Addr     netip.Addr
	Vanished bool
	ToServer Link
	FromSrv  Link
	// Listening says whether somebody listens on the host's service port.
	Listening bool
	// Accept is called for connections that are established.
	Accept func(*Socket)
	// SynAckRetransmitted is called when nobody answered a SYN-ACK.
	SynAckRetransmitted func(peer *Host)
	Options             Options
	// ForgottenFlows: connections up to this one are unknown to a NAT or firewall in between,
	// which drops their packets.
	ForgottenFlows uint64
	sockets        map[uint64]*Socket
}

// NewNet returns a network with a server that listens.
func NewNet(seed uint64, server netip.Addr) *Net {
	n := &Net{Clock: &Clock{}, Rand: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
	n.Server = n.NewHost(server, 0)
	n.Server.Listening = true
	return n
}

// NewHost adds a host whose round trip to the server takes rtt.
func (n *Net) NewHost(addr netip.Addr, rtt int64) *Host {
	h := &Host{Net: n, Addr: addr, sockets: make(map[uint64]*Socket)}
	h.ToServer.Delay, h.FromSrv.Delay = rtt/2, rtt/2
	h.Options = Options{RTOMax: 120 * Second}
	return h
}

// flags of a packet.
const (
	flagSYN = 1 << iota
	flagACK
	flagFIN
	flagRST
	flagProbe
)

type packet struct {
	flow    uint64
	flags   uint8
	seq     int
	ack     int
	data    bool
	size    int
	payload any
	// Timestamps (RFC 7323): when it was sent, and when what it acknowledges was.
	sent, echo int64
}

// send carries a packet, or not.
func (h *Host) send(to *Host, p packet) {
	n := h.Net
	link := &h.ToServer
	if h == n.Server {
		link = &to.FromSrv
	}
	far := h
	if h == n.Server {
		far = to
	}
	if p.flow <= far.ForgottenFlows {
		return
	}
	if h.Vanished || n.ServerDown || link.Down || link.SizeMax > 0 && p.size > link.SizeMax {
		return
	}
	if link.Loss > 0 && n.Rand.Float64() < link.Loss {
		return
	}
	delay := link.Delay
	if link.Jitter > 0 {
		delay += n.Rand.Int64N(link.Jitter)
	}
	switch {
	case link.Reject && p.flags&flagRST == 0:
		n.After(delay, func() { h.receive(to, packet{flow: p.flow, flags: flagRST}) })
	case link.Unreachable:
		n.After(delay, func() { h.icmp(p.flow) })
	default:
		n.After(delay, func() { to.receive(h, p) })
	}
}

// receive gives a packet to its socket, or answers as a kernel without one.
func (h *Host) receive(from *Host, p packet) {
	if h.Vanished {
		return
	}
	if s := h.sockets[p.flow]; s != nil {
		s.receive(p)
		return
	}
	switch {
	case p.flags&flagRST != 0:
	case p.flags&flagSYN != 0 && p.flags&flagACK == 0 && h.Listening:
		s := newSocket(h, from, p.flow, stateSynRecv)
		s.passive = true
		s.synReceived()
	default:
		h.send(from, packet{flow: p.flow, flags: flagRST})
	}
}

func (h *Host) icmp(flow uint64) {
	if s := h.sockets[flow]; s != nil {
		s.softErr = true
		if s.state == stateSynSent {
			s.fail(EndUnreachable)
		}
	}
}

// ForgetFlows makes a NAT or firewall on the host's path forget all connections there are.
func (h *Host) ForgetFlows() { h.ForgottenFlows = h.Net.flow }

// ResetFlows sends a reset to both ends of all connections of the host.
func (h *Host) ResetFlows() {
	for flow, s := range h.sockets {
		h.receive(s.peer, packet{flow: flow, flags: flagRST})
		s.peer.receive(h, packet{flow: flow, flags: flagRST})
	}
}

// Vanish takes a host off the network: no packet leaves or reaches it.
func (h *Host) Vanish() { h.Vanished = true }

// StopListening closes the host's listener: connections that nobody accepted are reset.
func (h *Host) StopListening() {
	h.Listening = false
	if h.Accept != nil {
		return
	}
	for _, flow := range slices.Sorted(maps.Keys(h.sockets)) {
		if s := h.sockets[flow]; s.passive {
			s.Abort()
		}
	}
}

// Boot is a host that comes back after a vanish, with no memory of its connections.
func (h *Host) Boot() {
	h.Vanished = false
	h.Listening = false
	for _, s := range h.sockets {
		s.destroy()
	}
	h.sockets = make(map[uint64]*Socket)
}

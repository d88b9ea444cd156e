package tcpsim

// End says how a socket ended.
type End uint8

// The ends of a socket.
const (
	EndReset End = iota
	EndTimeout
	EndUnreachable
)

type state uint8

const (
	stateSynSent state = iota
	stateSynRecv
	stateEstablished
	stateClosed
)

// Options are what setsockopt sets. 0 means off.
type Options struct {
	KeepIdle, KeepInterval int64
	UserTimeout            int64
	RTOMax                 int64
}

// Kinds of transmissions that Retransmitted tells of.
const (
	KindTimeout = iota
	KindTailLossProbe
	KindFast
)

type segment struct {
	seq     int
	payload any
	size    int
	fin     bool
	sentAt  int64
}

// Socket is one end of a connection.
type Socket struct {
	host, peer *Host
	flow       uint64
	state      state
	passive    bool // the peer connected
	opt        Options
	openedAt   int64

	queue        []segment // from sndUna on
	sndUna       int
	sndNxt       int
	rcvNxt       int
	outOfOrder   map[int]packet
	closed       bool // our side has closed; nobody reads
	finReceived  bool
	softErr      bool
	minRTT       int64
	echo         int64 // of what is to be acknowledged
	srtt, rttvar int64
	rto          int64
	timer        *Timer
	tlpSent      bool
	inLoss       bool
	retransmits  int
	backoff      int
	firstRetrans int64
	keepTimer    *Timer
	probes       int
	delayedAck   *Timer

	lastAck, lastData, lastSent           int64
	totalRetrans, segsIn, dataIn, dataOut uint32
	acked                                 uint64
	handshakeAt                           int64
	synTries                              int

	// Callbacks of whoever owns the socket; nil is fine.
	OnEstablished func()
	OnData        func(payload any)
	OnFIN         func()
	OnEnd         func(End)
	// Retransmitted tells of data that was sent again.
	Retransmitted func(kind int, rto int64)
}

func newSocket(h, peer *Host, flow uint64, st state) *Socket {
	now := h.Net.Now()
	s := &Socket{host: h, peer: peer, flow: flow, state: st, opt: h.Options, openedAt: now, rto: Second,
		lastAck: now, lastData: now, lastSent: now, handshakeAt: now, sndUna: 1, sndNxt: 1, rcvNxt: 1}
	h.sockets[flow] = s
	return s
}

// Connect opens a connection to another host.
func (h *Host) Connect(to *Host) *Socket {
	h.Net.flow++
	s := newSocket(h, to, h.Net.flow, stateSynSent)
	s.sendSYN()
	return s
}

// Peer returns the host at the other end.
func (s *Socket) Peer() *Host { return s.peer }

// Established reports whether data can be sent.
func (s *Socket) Established() bool {
	return s.state == stateEstablished && !s.closed && !s.finReceived
}

// SetOptions changes socket options.
func (s *Socket) SetOptions(o Options) {
	s.opt = o
	s.armKeepalive(s.opt.KeepIdle)
}

func (s *Socket) sendSYN() {
	if s.state != stateSynSent {
		return
	}
	s.host.send(s.peer, packet{flow: s.flow, flags: flagSYN, size: 60})
	wait := Second << min(s.synTries, 6)
	s.synTries++
	s.timer = s.host.Net.After(wait, s.sendSYN)
}

func (s *Socket) synReceived() {
	if s.state != stateSynRecv {
		return
	}
	if s.synTries > 0 && s.host.SynAckRetransmitted != nil {
		s.host.SynAckRetransmitted(s.peer)
	}
	if s.synTries > 5 {
		s.destroy()
		return
	}
	s.host.send(s.peer, packet{flow: s.flow, flags: flagSYN | flagACK, size: 60})
	wait := Second << min(s.synTries, 6)
	s.synTries++
	s.timer = s.host.Net.After(wait, s.synReceived)
}

func (s *Socket) establish() {
	s.host.Net.Stop(s.timer)
	s.timer = nil
	s.state = stateEstablished
	now := s.host.Net.Now()
	if s.synTries <= 1 {
		s.measure(now - s.handshakeAt)
	} else {
		s.measure(200 * Millisecond)
	}
	s.lastAck, s.lastData = now, now
	s.armKeepalive(s.opt.KeepIdle)
	if s.host.Accept != nil && s.OnEstablished == nil {
		s.host.Accept(s)
	}
	if s.OnEstablished != nil {
		s.OnEstablished()
	}
}

// measure takes a round trip into the estimate (RFC 6298).
func (s *Socket) measure(rtt int64) {
	if s.minRTT == 0 || rtt < s.minRTT {
		s.minRTT = rtt
	}
	if s.srtt == 0 {
		s.srtt, s.rttvar = rtt, rtt/2
	} else {
		diff := rtt - s.srtt
		if diff < 0 {
			diff = -diff
		}
		s.rttvar += (diff - s.rttvar) / 4
		s.srtt += (rtt - s.srtt) / 8
	}
}

func (s *Socket) baseRTO() int64 { return s.srtt + max(200*Millisecond, 4*s.rttvar) }

// onTick rounds to when the kernel's timers really fire.
func onTick(d int64) int64 { return (d+jiffy-1)/jiffy*jiffy + jiffy }

// receive is tcp_rcv_established and its neighbours.
func (s *Socket) receive(p packet) {
	s.segsIn++
	if p.data {
		s.dataIn++
	}
	if p.flags&flagRST != 0 {
		s.fail(EndReset)
		return
	}
	switch s.state {
	case stateSynSent:
		if p.flags&flagSYN != 0 && p.flags&flagACK != 0 {
			s.establish()
			s.sendAck()
		}
		return
	case stateSynRecv:
		if p.flags&flagSYN != 0 {
			s.host.send(s.peer, packet{flow: s.flow, flags: flagSYN | flagACK, size: 60})
			return
		}
		s.establish()
	}
	if p.flags&flagSYN != 0 {
		s.sendAck()
		return
	}
	s.takeAck(p)
	if s.state == stateClosed {
		return
	}
	switch {
	case p.data:
		s.takeData(p)
	case p.flags&flagProbe != 0:
		s.sendAck()
	}
}

func (s *Socket) takeAck(p packet) {
	now := s.host.Net.Now()
	if p.ack <= s.sndUna {
		if !p.data || p.seq < s.rcvNxt {
			// Pure acknowledgments and old data pass tcp_ack; new data on the fast path does not.
			s.lastAck = now
			s.probes = 0
			s.softErr = false
		}
		return
	}
	s.lastAck, s.probes, s.softErr = now, 0, false
	if p.echo > 0 {
		s.measure(now - p.echo)
	}
	for len(s.queue) > 0 && s.queue[0].seq < p.ack {
		s.acked += uint64(s.queue[0].size)
		s.queue = s.queue[1:]
	}
	s.sndUna = p.ack
	s.retransmits, s.backoff, s.tlpSent = 0, 0, false
	s.rto = s.baseRTO()
	s.host.Net.Stop(s.timer)
	s.timer = nil
	if len(s.queue) == 0 {
		s.inLoss = false
		if s.closed && s.finReceived {
			s.destroy()
		}
		return
	}
	if s.inLoss {
		s.transmit(&s.queue[0], KindFast)
	}
	s.armRTO()
}

func (s *Socket) takeData(p packet) {
	if s.closed {
		// Nobody will read it.
		s.host.send(s.peer, packet{flow: s.flow, flags: flagRST})
		s.destroy()
		return
	}
	switch {
	case p.seq < s.rcvNxt:
		s.echo = p.sent
		s.sendAck()
		return
	case p.seq > s.rcvNxt:
		if s.outOfOrder == nil {
			s.outOfOrder = make(map[int]packet)
		}
		s.outOfOrder[p.seq] = p
		s.sendAck()
		return
	}
	s.lastData = s.host.Net.Now()
	if s.delayedAck == nil {
		s.echo = p.sent
	}
	for {
		s.rcvNxt++
		if p.flags&flagFIN != 0 {
			s.finReceived = true
			s.sendAck()
			if s.OnFIN != nil {
				s.OnFIN()
			}
			return
		}
		s.ackLater()
		if s.OnData != nil {
			s.OnData(p.payload)
		}
		if s.state == stateClosed || s.closed {
			return
		}
		next, ok := s.outOfOrder[s.rcvNxt]
		if !ok {
			return
		}
		delete(s.outOfOrder, s.rcvNxt)
		p = next
	}
}

func (s *Socket) ackLater() {
	if s.delayedAck == nil {
		s.delayedAck = s.host.Net.After(40*Millisecond, func() {
			s.delayedAck = nil
			s.sendAck()
		})
	}
}

func (s *Socket) sendAck() {
	if s.state == stateClosed {
		return
	}
	s.host.Net.Stop(s.delayedAck)
	s.delayedAck = nil
	s.host.send(s.peer, packet{flow: s.flow, flags: flagACK, ack: s.rcvNxt, seq: s.sndNxt, size: 52, echo: s.echo})
}

// Send queues a message; it is one segment.
func (s *Socket) Send(payload any, size int) {
	if s.state != stateEstablished || s.closed {
		return
	}
	s.push(segment{payload: payload, size: size})
}

func (s *Socket) push(g segment) {
	g.seq = s.sndNxt
	s.sndNxt++
	s.queue = append(s.queue, g)
	idle := len(s.queue) == 1
	s.transmit(&s.queue[len(s.queue)-1], -1)
	if s.retransmits > 0 || s.inLoss || s.tlpSent {
		return // the timeout that runs stays
	}
	if idle {
		s.rto = s.baseRTO()
	}
	s.armTLP()
}

// Close says good-bye after what is queued; nobody reads any more.
func (s *Socket) Close() {
	if s.closed || s.state == stateClosed {
		return
	}
	if s.state != stateEstablished {
		s.destroy()
		return
	}
	s.closed = true
	s.dropCallbacks()
	s.push(segment{fin: true})
	s.host.Net.After(60*Second, func() {
		if s.state != stateClosed && len(s.queue) == 0 {
			s.destroy()
		}
	})
}

// Abort resets.
func (s *Socket) Abort() {
	if s.state == stateClosed {
		return
	}
	s.host.send(s.peer, packet{flow: s.flow, flags: flagRST})
	s.destroy()
}

// dropCallbacks: the kernel finishes alone.
func (s *Socket) dropCallbacks() { s.OnData, s.OnFIN, s.OnEnd, s.OnEstablished = nil, nil, nil, nil }

func (s *Socket) fail(e End) {
	f := s.OnEnd
	s.destroy()
	if f != nil {
		f(e)
	}
}

func (s *Socket) destroy() {
	s.state = stateClosed
	n := s.host.Net
	n.Stop(s.timer)
	n.Stop(s.keepTimer)
	n.Stop(s.delayedAck)
	s.timer, s.keepTimer, s.delayedAck = nil, nil, nil
	delete(s.host.sockets, s.flow)
	s.dropCallbacks()
}

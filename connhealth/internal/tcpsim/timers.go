package tcpsim

// transmit sends a segment; kind is -1 for the first time.
func (s *Socket) transmit(g *segment, kind int) {
	now := s.host.Net.Now()
	flags := uint8(flagACK)
	if g.fin {
		flags |= flagFIN
	}
	if kind >= 0 {
		s.totalRetrans++
		if s.Retransmitted != nil {
			s.Retransmitted(kind, s.rto)
		}
	} else {
		g.sentAt = now
	}
	s.dataOut++
	s.lastSent = now
	s.host.Net.Stop(s.delayedAck)
	s.delayedAck = nil
	s.host.send(s.peer, packet{flow: s.flow, flags: flags, seq: g.seq, ack: s.rcvNxt, data: true, size: g.size + 52, payload: g.payload, sent: now, echo: s.echo})
}

// armTLP starts the tail loss probe's timer (RFC 8985, as tcp_schedule_loss_probe).
func (s *Socket) armTLP() {
	pto := 2*s.srtt + 2*jiffy
	if len(s.queue) == 1 {
		pto = 2*s.srtt + 200*Millisecond
	}
	n := s.host.Net
	// Never later than the timeout of the oldest segment.
	left := s.queue[0].sentAt + s.rto - n.Now()
	n.Stop(s.timer)
	s.timer = n.After(onTick(max(min(pto, left), 0)), s.tailLossProbe)
}

func (s *Socket) tailLossProbe() {
	if len(s.queue) == 0 {
		return
	}
	s.tlpSent = true
	s.transmit(&s.queue[len(s.queue)-1], KindTailLossProbe)
	s.armRTO()
}

func (s *Socket) armRTO() {
	n := s.host.Net
	n.Stop(s.timer)
	s.timer = n.After(onTick(min(s.rto, s.opt.RTOMax)), s.timeout)
}

// timeout is tcp_retransmit_timer.
func (s *Socket) timeout() {
	if len(s.queue) == 0 {
		return
	}
	now := s.host.Net.Now()
	if s.retransmits == 0 {
		s.firstRetrans = now
	}
	if s.opt.UserTimeout > 0 && s.retransmits > 0 && now-s.firstRetrans >= s.opt.UserTimeout {
		if s.softErr {
			s.fail(EndUnreachable)
		} else {
			s.fail(EndTimeout)
		}
		return
	}
	if s.closed && s.retransmits > 8 {
		s.destroy() // an orphan
		return
	}
	s.inLoss = true
	s.retransmits++
	s.transmit(&s.queue[0], KindTimeout)
	s.backoff++
	s.rto = min(s.rto*2, s.opt.RTOMax)
	s.armRTO()
}

func (s *Socket) armKeepalive(d int64) {
	n := s.host.Net
	n.Stop(s.keepTimer)
	s.keepTimer = nil
	if s.opt.KeepIdle > 0 && s.state == stateEstablished && !s.closed {
		s.keepTimer = n.After(onTick(d), s.keepalive)
	}
}

// keepalive is tcp_keepalive_timer.
func (s *Socket) keepalive() {
	s.keepTimer = nil
	if len(s.queue) > 0 {
		s.armKeepalive(s.opt.KeepIdle)
		return
	}
	elapsed := s.host.Net.Now() - max(s.lastAck, s.lastData)
	if elapsed < s.opt.KeepIdle {
		s.armKeepalive(s.opt.KeepIdle - elapsed)
		return
	}
	if s.opt.UserTimeout > 0 && elapsed >= s.opt.UserTimeout && s.probes > 0 {
		s.host.send(s.peer, packet{flow: s.flow, flags: flagRST})
		s.fail(EndTimeout)
		return
	}
	s.host.send(s.peer, packet{flow: s.flow, flags: flagACK | flagProbe, ack: s.rcvNxt, seq: s.sndNxt - 1, size: 52})
	s.probes++
	s.armKeepalive(s.opt.KeepInterval)
}

// Info is the part of TCP_INFO that the model has. Times are ages.
type Info struct {
	State                        uint8
	Retransmits, Probes, Backoff uint8
	Unacked                      uint32
	RTO, RTT, RTTVar, MinRTT     int64
	LastDataSent, LastDataRecv   int64
	LastAckRecv                  int64
	TotalRetrans, SegsIn, DataIn uint32
	DataOut                      uint32
	BytesAcked                   uint64
	Unreachable                  bool
}

// Info returns what getsockopt would.
func (s *Socket) Info() Info {
	now := s.host.Net.Now()
	return Info{
		State: 1, Retransmits: uint8(min(s.retransmits, 255)), Probes: uint8(min(s.probes, 255)), Backoff: uint8(min(s.backoff, 255)),
		Unacked: uint32(len(s.queue)), RTO: s.rto, RTT: s.srtt, RTTVar: s.rttvar, MinRTT: s.minRTT,
		LastDataSent: now - s.lastSent, LastDataRecv: now - s.lastData, LastAckRecv: now - s.lastAck,
		TotalRetrans: s.totalRetrans, SegsIn: s.segsIn, DataIn: s.dataIn, DataOut: s.dataOut,
		BytesAcked: s.acked, Unreachable: s.softErr,
	}
}

// Open reports whether the kernel still has the socket.
func (s *Socket) Open() bool { return s.state != stateClosed }

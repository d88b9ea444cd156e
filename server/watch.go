package server

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
	"golang.org/x/sys/unix"
)

// Watcher is told what happens to connections, and answers, when it judges, what is to
// become of brokers whose connection closed. Its methods are called on event loops and in
// lanes; they must not block. What concerns one connection comes in order.
//
// A server without a watcher is Java's: a broker's registration ends with its connection.
type Watcher interface {
	// Judges reports whether a broker's connection that its peer or the network ended is the
	// watcher's to judge. If so, the server unregisters nobody for it: the watcher calls
	// Server.RemoveBroker, or holds and parks.
	Judges() bool
	// Opened tells of an accepted connection, on its loop. fd is valid during the call.
	Opened(id routetable.ConnID, peer, local netip.AddrPort, fd int)
	// Requested tells of a request on a connection that carries a broker, and of the first
	// route query of any other; Answered that such a request was answered.
	Requested(id routetable.ConnID, kind RequestKind)
	Answered(id routetable.ConnID)
	// Bound tells that a request named a broker and that its registration is bound to
	// the connection b.Conn, on which it came. If it was applied while its connection closed,
	// Closed was told already.
	Bound(b BoundBroker, registered bool)
	// Closed tells that a connection ended, and how: an errno of the network, or 0.
	Closed(id routetable.ConnID, reason CloseReason, errno syscall.Errno)
	// Gone tells that a registration left the table.
	Gone(key routetable.RegistrationKey)
}

// BoundBroker is a registration with what a Watcher wants to know of it.
type BoundBroker struct {
	routetable.Binding
	ActingMaster  bool  // its group lets a slave act as master
	TimeoutMillis int64 // its own heartbeat timeout
}

// RequestKind sorts requests by what they say about who sends them.
type RequestKind uint8

// The kinds of requests.
const (
	RequestOther    RequestKind = iota
	RequestRoute                // 105: a client's
	RequestRegister             // 103
)

func kindOf(code int32) RequestKind {
	switch code {
	case codec.CodeGetRouteInfoByTopic:
		return RequestRoute
	case codec.CodeRegisterBroker:
		return RequestRegister
	}
	return RequestOther
}

// watchRequest tells the watcher of a request of c, if it is one that counts. On the loop.
func (l *loop) watchRequest(c *connection, cmd *codec.Command) (watched bool) {
	c.noteAgent(cmd)
	code := cmd.Code
	if cmd.IsResponse() {
		return false // dropped, and never answered
	}
	if !c.carries.Load() {
		if c.asked || code != codec.CodeGetRouteInfoByTopic {
			return false
		}
		c.asked = true
	}
	l.srv.watcher.Requested(c.id, kindOf(code))
	return true
}

// bind is Bindings.Bind, and tells the watcher of what it binds: before it is told of the
// close, which may come while a registration is in its lane, if the connection is still open.
func (h *handlers) bind(conn Conn, b routetable.Binding, registered bool) bool {
	if h.srv.watcher == nil {
		return conn.Bindings().Bind(b, nil)
	}
	if conn.Bindings().Bind(b, func() { h.watchBound(conn, b, registered) }) {
		return true
	}
	if !h.srv.judged(conn.Bindings().Reason()) {
		return false
	}
	// The connection closed a moment ago, perhaps out of trouble. That is the watcher's to
	// judge of this registration, too.
	h.watchBound(conn, b, registered)
	return true
}

// watchBound tells the watcher that a registration is bound to conn now.
func (h *handlers) watchBound(conn Conn, b routetable.Binding, registered bool) {
	w := h.srv.watcher
	if w == nil {
		return
	}
	if c, ok := h.srv.conns.get(conn.ID()); ok {
		c.carries.Store(true)
	}
	snap := h.table.Snapshot()
	info, _ := snap.Registration(routetable.RegistrationKey{Broker: b.Broker, Name: b.Name})
	w.Bound(BoundBroker{Binding: b, ActingMaster: snap.ActingGroup(b.Name), TimeoutMillis: info.TimeoutMillis}, registered)
}

// watchesPath reports whether there is a path between a connection's peer and us that is
// watched, so that one of two open connections may be half dead. Within this machine nothing
// gets lost.
func (h *handlers) watchesPath(conn Conn) bool {
	if h.srv.watcher == nil {
		return false
	}
	peer, err := netip.ParseAddrPort(conn.RemoteAddr())
	return err != nil || !peer.Addr().Unmap().IsLoopback()
}

// judged reports whether the watcher decides what becomes of the brokers of a connection
// that ended for this reason.
func (s *Server) judged(reason CloseReason) bool {
	return s.watcher != nil && (reason == ClosePeer || reason == CloseBroken) && s.watcher.Judges()
}

// resetOnClose has the close of a socket send a reset and forget what was not sent.
func resetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// errnoOf returns the network's error in err, 0 if there is none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return 0
}

// HoldBroker moves a registration to HELD: routes show it while it is being decided. Like
// the others it acts in the broker's lane, behind what waits there, and is void when there
// is a newer registration.
func (s *Server) HoldBroker(key routetable.RegistrationKey, generation uint32) {
	s.inBrokerLane(key, func(x *routetable.Txn) { x.HoldNamed(key, generation) })
}

// ParkBroker hides a registration from routes; its data stays until it expires.
func (s *Server) ParkBroker(key routetable.RegistrationKey, generation uint32) {
	s.inBrokerLane(key, func(x *routetable.Txn) { x.ParkNamed(key, generation) })
}

// RestoreBroker shows a held or parked registration again. renew: it was heard of just now.
func (s *Server) RestoreBroker(key routetable.RegistrationKey, generation uint32, renew bool) {
	nowMillis := int64(0)
	if renew {
		nowMillis = s.clock.Millis()
	}
	s.inBrokerLane(key, func(x *routetable.Txn) { x.RestoreNamed(key, generation, nowMillis) })
}

// RemoveBroker unregisters a broker as the close of its connection does without a watcher.
func (s *Server) RemoveBroker(key routetable.RegistrationKey, generation uint32) {
	h := s.handlers
	s.lanes.SubmitAlways(BrokerLane(key.Broker), laneJobBytes, func() {
		if info, known := h.table.Snapshot().Registration(key); known && info.Generation == generation {
			h.removeBinding(info.Binding())
		}
	})
}

func (s *Server) inBrokerLane(key routetable.RegistrationKey, do func(x *routetable.Txn)) {
	h := s.handlers
	s.lanes.SubmitAlways(BrokerLane(key.Broker), laneJobBytes, func() { h.perform(h.table.Update(h.rules(), do)) })
}

// CloseHalfDead ends a connection of which nothing more is to be expected, and frees it: with
// a reset, so that the kernel does not go on sending either.
func (s *Server) CloseHalfDead(id routetable.ConnID) {
	if c, ok := s.conns.get(id); ok {
		c.loop.post(mail{kind: mailRun, run: func() {
			if !c.closed {
				resetOnClose(c.wire.Fd())
				c.Close(CloseHalfDead)
			}
		}})
	}
}

// EventLoops returns how many loops there are.
func (s *Server) EventLoops() int { return s.o.EventLoops }

// ConnectionIDs returns the connections that are open, in no order.
func (s *Server) ConnectionIDs() (ids []routetable.ConnID) {
	s.conns.each(func(c *connection) { ids = append(ids, c.id) })
	return ids
}

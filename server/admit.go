package server

import (
	"net"

	"github.com/pharosmq/pharos/routetable"
)

// admit decides whether a connection that was accepted may stay. One that may is counted as
// open, until OnClose.
func (s *Server) admit(remote net.Addr) bool {
	open := s.conns.open.Add(1)
	if open <= int64(s.plan.connections) && !s.stopping.Load() {
		return true
	}
	s.conns.open.Add(-1)
	if s.stopping.Load() {
		return false
	}
	s.refused.Add(1)
	s.lines.warn(logTooMany, "closed a new connection: too many are open. Raise the descriptor limit (ulimit -n, LimitNOFILE) or connectionsMax",
		"peer", remote.String(), "open", open-1, "connectionsMax", s.plan.connections, "descriptors", s.plan.limit)
	return false
}

// newConnection makes the state of an accepted connection and lists it.
func (s *Server) newConnection(id routetable.ConnID, l *loop, w wire, remote string) *connection {
	c := &connection{id: id, remote: remote, srv: s, loop: l, wire: w}
	s.conns.add(c)
	return c
}

package server

import (
	"fmt"

	"github.com/pharosmq/pharos/routetable"
)

// Snapshot returns the route table as it is now.
func (s *Server) Snapshot() *routetable.Snapshot { return s.handlers.table.Snapshot() }

// NowMillis is the time that registrations are stamped with: see Clock.Millis.
func (s *Server) NowMillis() int64 { return s.clock.Millis() }

// NotReady says why clients should not be sent here yet, or not any more; "" when they
// should. Readiness is for load balancers; a server that is not ready may well answer.
func (s *Server) NotReady() string {
	if s.stopping.Load() || s.goingAway.Load() {
		return "the server is stopping"
	}
	if _, serving := s.servingLoops(); !serving {
		return "the server is not listening"
	}
	h := s.handlers
	live, now := h.config.Live(), s.clock.Millis()
	if live.NeedWaitForService && !h.readyForService(now, live) {
		left := int64(live.WaitSecondsForService) - (now-h.startMillis)/1000
		return fmt.Sprintf("waiting %d more seconds for brokers to register (needWaitForService)", left)
	}
	return ""
}

package server

import (
	"sync/atomic"

	"github.com/pharosmq/pharos/routetable"
)

const removeReasons = int(routetable.RemoveReplaced) + 1

// handlerCounters is what the handlers and the housekeeping count.
type handlerCounters struct {
	registerUnchanged  atomic.Uint64
	registerChanged    atomic.Uint64
	registerSame       atomic.Uint64
	registerRefused    atomic.Uint64
	registerIgnored    atomic.Uint64
	registerBadRequest atomic.Uint64
	registerCRC        atomic.Uint64
	registerBusy       atomic.Uint64
	registerTooLate    atomic.Uint64
	heartbeatsUnknown  atomic.Uint64
	rebound            atomic.Uint64
	removed            [removeReasons]atomic.Uint64
	scansDelayed       atomic.Uint64
}

// HandlerStats is what became of registrations and brokers.
type HandlerStats struct {
	// Registrations by outcome. Unchanged were answered on the event loop by their digest;
	// of those that were parsed, Changed published something and Same did not. Refused:
	// single-topic before the first full one. Ignored: their id belongs to an address with
	// a higher state version. BadRequest: header or body unusable. CRC: checksum wrong.
	// Busy: no room in the lanes. TooLate: the connection had closed.
	RegisterUnchanged, RegisterChanged, RegisterSame uint64
	RegisterRefused, RegisterIgnored                 uint64
	RegisterBadRequest, RegisterCRC                  uint64
	RegisterBusy, RegisterTooLate                    uint64
	// HeartbeatsUnknown named no registration. Rebound ones came on a new connection while
	// the one the registration was made on had closed.
	HeartbeatsUnknown, Rebound uint64
	// Removed registrations by routetable.RemoveReason.
	Removed [removeReasons]uint64
	// ScansDelayed: expiry scans put off because we, not the brokers, had been silent.
	ScansDelayed uint64
	// Notifications of a changed minimum broker id: sent, failed (unreachable broker), and
	// dropped (too many waiting).
	NotifySent, NotifyFailed, NotifyDropped uint64
}

// HandlerStats returns what has been counted since the start.
func (s *Server) HandlerStats() HandlerStats {
	h := s.handlers
	c := &h.stats
	out := HandlerStats{
		RegisterUnchanged: c.registerUnchanged.Load(), RegisterChanged: c.registerChanged.Load(),
		RegisterSame: c.registerSame.Load(), RegisterRefused: c.registerRefused.Load(),
		RegisterIgnored: c.registerIgnored.Load(), RegisterBadRequest: c.registerBadRequest.Load(),
		RegisterCRC: c.registerCRC.Load(), RegisterBusy: c.registerBusy.Load(),
		RegisterTooLate: c.registerTooLate.Load(), HeartbeatsUnknown: c.heartbeatsUnknown.Load(),
		Rebound: c.rebound.Load(), ScansDelayed: c.scansDelayed.Load(),
		NotifySent: h.notifier.sent.Load(), NotifyFailed: h.notifier.failed.Load(), NotifyDropped: h.notifier.dropped.Load(),
	}
	for i := range c.removed {
		out.Removed[i] = c.removed[i].Load()
	}
	return out
}

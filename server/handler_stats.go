package server

import (
	"sync/atomic"

	"github.com/pharosmq/pharos/routetable"
)

// RegistrationOutcome is what became of a REGISTER_BROKER request.
type RegistrationOutcome uint8

// The outcomes of a registration.
const (
	// RegistrationUnchanged: it says what the broker said last, and was answered on the
	// event loop by its digest.
	RegistrationUnchanged RegistrationOutcome = iota
	// RegistrationChanged: parsed, and something that readers can see was published.
	RegistrationChanged
	// RegistrationSame: parsed, and nothing that readers can see was different.
	RegistrationSame
	// RegistrationRefused: a single topic, before the first full registration.
	RegistrationRefused
	// RegistrationIgnored: its id belongs to an address with a higher state version.
	RegistrationIgnored
	// RegistrationInvalid: a header field is missing, or the body cannot be used.
	RegistrationInvalid
	// RegistrationBadCRC: the checksum is wrong.
	RegistrationBadCRC
	// RegistrationBusy: there was no room in the lanes.
	RegistrationBusy
	// RegistrationTooLate: the connection closed while it waited.
	RegistrationTooLate

	// RegistrationOutcomes is the number of outcomes.
	RegistrationOutcomes = int(RegistrationTooLate) + 1
)

var registrationOutcomeNames = [RegistrationOutcomes]string{"unchanged", "changed", "same", "refused",
	"ignored", "invalid", "bad_crc", "busy", "too_late"}

// String returns the outcome as the metrics label it.
func (o RegistrationOutcome) String() string {
	if int(o) < RegistrationOutcomes {
		return registrationOutcomeNames[o]
	}
	return "unknown"
}

const removeReasons = routetable.RemoveReasons

// handlerCounters is what the handlers and the housekeeping count.
type handlerCounters struct {
	registrations     [RegistrationOutcomes]atomic.Uint64
	removals          [removeReasons]atomic.Uint64
	heartbeatsUnknown atomic.Uint64
	rebound           atomic.Uint64
	scansDelayed      atomic.Uint64
}

func (c *handlerCounters) registered(o RegistrationOutcome) { c.registrations[o].Add(1) }

// HandlerStats is what became of registrations and brokers.
type HandlerStats struct {
	// Registrations by RegistrationOutcome.
	Registrations [RegistrationOutcomes]uint64
	// Removals of registrations from the table, by routetable.RemoveReason.
	Removals [removeReasons]uint64
	// HeartbeatsUnknown named no registration.
	HeartbeatsUnknown uint64
	// Rebound registrations were taken over by the connection of a heartbeat, since the
	// one they were made on had closed.
	Rebound uint64
	// ScansDelayed: expiry scans put off because we, not the brokers, had been silent.
	ScansDelayed uint64
	// NotifySent, NotifyFailed (unreachable broker) and NotifyDropped (too many waiting)
	// are notifications of a changed minimum broker id.
	NotifySent, NotifyFailed, NotifyDropped uint64
}

// HandlerStats returns what has been counted since the start.
func (s *Server) HandlerStats() HandlerStats {
	h := s.handlers
	if h == nil {
		return HandlerStats{}
	}
	out := HandlerStats{
		HeartbeatsUnknown: h.stats.heartbeatsUnknown.Load(), Rebound: h.stats.rebound.Load(),
		ScansDelayed: h.stats.scansDelayed.Load(), NotifySent: h.notifier.sent.Load(),
		NotifyFailed: h.notifier.failed.Load(), NotifyDropped: h.notifier.dropped.Load(),
	}
	for i := range out.Registrations {
		out.Registrations[i] = h.stats.registrations[i].Load()
	}
	for i := range out.Removals {
		out.Removals[i] = h.stats.removals[i].Load()
	}
	return out
}

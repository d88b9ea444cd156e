package connwatch

import (
	"log/slog"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// Mode says what verdicts do (property connectionHealth).
type Mode string

// The modes.
const (
	// Evict: dead brokers are hidden, doubtful closes held, dead connections closed.
	Evict Mode = "evict"
	// Observe: everything is judged, logged and counted, nothing is done. Closes unregister
	// at once, as in Java.
	Observe Mode = "observe"
	// Off: connections are not watched.
	Off Mode = "off"
)

// Options are what New needs.
type Options struct {
	Mode   Mode // Evict or Observe
	Params connhealth.Params
	Log    *slog.Logger
}

// Server is what a Watch needs of the server it watches over; *server.Server is one.
type Server interface {
	HoldBroker(key routetable.RegistrationKey, generation uint32)
	ParkBroker(key routetable.RegistrationKey, generation uint32)
	RestoreBroker(key routetable.RegistrationKey, generation uint32, renew bool)
	RemoveBroker(key routetable.RegistrationKey, generation uint32)
	CloseHalfDead(id routetable.ConnID)
	// OnConnections and OnConnectionsSoon don't keep ids, whose memory is used again.
	OnConnections(ids []routetable.ConnID, f func(id routetable.ConnID, fd int))
	OnConnectionsSoon(ids []routetable.ConnID, f func(id routetable.ConnID, fd int))
	EventLoops() int
	ConnectionIDs() []routetable.ConnID
	Connection(id routetable.ConnID) (server.ConnectionInfo, bool)
	NowMillis() int64 // the clock of registrations
}

// Table is what a Watch needs of the route table; *routetable.Table is one.
type Table interface{ Snapshot() *routetable.Snapshot }

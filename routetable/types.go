package routetable

import "github.com/pharosmq/pharos/codec"

// DefaultHeartbeatTimeoutMillis is a registration's expiry when its broker names none
// (Java: RouteInfoManager.DEFAULT_BROKER_CHANNEL_EXPIRED_TIME).
const DefaultHeartbeatTimeoutMillis int64 = 120_000

// ConnID identifies an accepted connection for the life of the process. Ids grow in the
// order of accepting and are never reused; 0 is no connection.
type ConnID uint64

// BrokerKey names a registration (Java: BrokerAddrInfo).
type BrokerKey struct {
	Cluster string
	Addr    string
}

// State is what routes show of a registration.
type State uint8

// The states of a registration. LIVE and HELD are shown in routes; PARKED is hidden,
// its data kept until its own expiry. Removed is final: the leaf of an entry that is no
// longer in the table.
const (
	StateLive State = iota
	StateHeld
	StateParked
	StateRemoved
)

// ActingMaster is the three-valued enableActingMaster of a registration: absence is an
// old broker and differs from false (a slave with the field present can be prime slave).
type ActingMaster uint8

// The values of the enableActingMaster header field.
const (
	ActingMasterAbsent ActingMaster = iota
	ActingMasterFalse
	ActingMasterTrue
)

// Rules are the settings that change what a transaction does. They are read once per
// transaction; a digest remembered under other rules is void.
type Rules struct {
	DeleteTopicWithBrokerRegistration bool
	NotifyMinBrokerIDChanged          bool
}

// Registration is one REGISTER_BROKER request, parsed. The table keeps its strings and
// those of the body's mappings and filter servers, so they must not share memory with a
// frame; topic names are copied.
type Registration struct {
	Broker        BrokerKey
	Name          string // the group's name, brokerName
	ID            int64
	HAServerAddr  codec.NullString
	Zone          codec.NullString
	TimeoutMillis int64 // heartbeatTimeoutMillis, taken as it is when TimeoutSet
	TimeoutSet    bool  // false: DefaultHeartbeatTimeoutMillis
	ActingMaster  ActingMaster
	Body          *codec.RegisterBody // nil: no body, which is zero topics and version zero
	Conn          ConnID
	NowMillis     int64  // monotonic
	Digest        Digest // of header and raw body; zero: do not remember this registration
}

// Digest is a keyed hash of everything a registration says: header fields and raw body.
// The zero Digest means none.
type Digest struct{ Hi, Lo uint64 }

// RegisterStatus is how a registration ended.
type RegisterStatus uint8

// The outcomes of a registration.
const (
	// Registered: the broker is in the table and bound to its connection.
	Registered RegisterStatus = iota
	// RegisterRefused: a single-topic registration before the first full one; the reply
	// is SYSTEM_ERROR "register broker failed".
	RegisterRefused
	// RegisterIgnored: the id belongs to another live address with a higher state
	// version; Java answers SUCCESS without header fields.
	RegisterIgnored
)

// RegisterResult answers one Registration.
type RegisterResult struct {
	Status       RegisterStatus
	MasterAddr   codec.NullString
	HAServerAddr codec.NullString
	// Binding is what the connection remembers, to unregister exactly this on close.
	Binding Binding
	// Changed: something readers can see was published.
	Changed bool
}

// Binding ties a connection to the registration it made. A removal carries it, and is
// void when the registration has been renewed by a newer one: another generation, or
// another connection. The strings belong to the table; they never change.
type Binding struct {
	Broker     BrokerKey
	Name       string
	ID         int64
	Conn       ConnID
	Generation uint32 // never 0
}

// RemoveReason says why a registration is removed; it only feeds effects and logs.
type RemoveReason uint8

// The reasons a registration is removed for.
const (
	RemoveUnregistered RemoveReason = iota // UNREGISTER_BROKER
	RemoveConnClosed                       // its connection closed
	RemoveExpired                          // not heard of within its heartbeat timeout
	RemoveReplaced                         // its id was taken by another address
	RemoveRoleSwitched                     // its broker announced another id, which was not accepted
)

// EffectKind says what the caller has to do once a transaction is published.
type EffectKind uint8

// The kinds of effects.
const (
	// EffectCloseConn: close Conn, whose registration expired. Its bindings are void.
	EffectCloseConn EffectKind = iota
	// EffectNotifyMinBrokerID: send NOTIFY_MIN_BROKER_ID_CHANGE to Targets.
	EffectNotifyMinBrokerID
	// EffectRemoved: a registration left the table; for logs and metrics.
	EffectRemoved
)

// Effect is something to be done outside the table after a transaction is published.
type Effect struct {
	Kind   EffectKind
	Conn   ConnID
	Reason RemoveReason
	Broker BrokerKey
	Name   string
	ID     int64
	Notify *MinBrokerIDChange
}

// MinBrokerIDChange is the content of NOTIFY_MIN_BROKER_ID_CHANGE and who gets it.
type MinBrokerIDChange struct {
	MinBrokerID       int64
	MinBrokerAddr     string
	OfflineBrokerAddr codec.NullString
	HABrokerAddr      codec.NullString
	Targets           []string // addresses to send to
}

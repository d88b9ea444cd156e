package routetable

import (
	"iter"

	"github.com/pharosmq/pharos/codec"
)

// BrokerInfo is what the table knows of one registration (Java: BrokerLiveInfo). It is a
// copy; its strings never change.
type BrokerInfo struct {
	Broker         BrokerKey
	Name           string
	ID             int64
	DataVersion    codec.DataVersion
	HAServerAddr   codec.NullString
	State          State
	Generation     uint32
	LastSeenMillis int64
	TimeoutMillis  int64
	Conn           ConnID // the connection it is bound to; 0 is none
}

// Binding returns what a connection would have to hold to remove this registration.
func (b BrokerInfo) Binding() Binding {
	return Binding{Broker: b.Broker, Name: b.Name, ID: b.ID, Conn: b.Conn, Generation: b.Generation}
}

// ExpiredBroker is a registration that was silent for longer than its timeout when
// Snapshot.ScanNotActive looked. Txn.ExpireBroker removes it if that is still so.
type ExpiredBroker struct {
	BrokerInfo
}

// Live returns the registration at (cluster, addr). For 322: a broker is unchanged iff it
// is found, not parked, and its DataVersion is equal. Java:
// RouteInfoManager#queryBrokerTopicConfig.
func (s *Snapshot) Live(key BrokerKey) (BrokerInfo, bool) { return BrokerInfo{}, false }

// LiveBytes is Live for borrowed bytes. It allocates nothing and keeps neither argument.
func (s *Snapshot) LiveBytes(cluster, addr []byte) (BrokerInfo, bool) { return BrokerInfo{}, false }

// Brokers yields every registration, parked ones included, ordered by group name and id.
func (s *Snapshot) Brokers() iter.Seq[BrokerInfo] { return func(func(BrokerInfo) bool) {} }

// ScanNotActive returns the registrations that were last heard of more than their timeout
// before nowMillis; nil when there are none. Java: RouteInfoManager#scanNotActiveBroker.
func (s *Snapshot) ScanNotActive(nowMillis int64) []ExpiredBroker { return nil }

// HeartbeatStatus is what a heartbeat met.
type HeartbeatStatus uint8

// The outcomes of a heartbeat.
const (
	// HeartbeatUnknown: no such registration; nothing happened.
	HeartbeatUnknown HeartbeatStatus = iota
	// HeartbeatRenewed: last seen is now; a HELD registration is LIVE again.
	HeartbeatRenewed
	// HeartbeatParked: the registration is hidden, and nothing happened. A heartbeat
	// that names it is strong proof of its life: the caller runs Txn.Restore.
	HeartbeatParked
)

// Heartbeat renews the registration at (cluster, addr) and returns it as it is then, so
// that the caller can Rebind it when the connection it is bound to is closed. It never
// blocks and never allocates. Java: RouteInfoManager#updateBrokerInfoUpdateTimestamp.
func (t *Table) Heartbeat(cluster, addr []byte, nowMillis int64) (BrokerInfo, HeartbeatStatus) {
	return BrokerInfo{}, HeartbeatUnknown
}

// Rebind binds the registration of b to another connection and returns the new binding,
// of a new generation. It is void, and returns false, when b is not the present binding.
// It publishes nothing.
func (t *Table) Rebind(b Binding, to ConnID) (Binding, bool) { return Binding{}, false }

// RenewUnchanged is the short cut for a registration that says what the broker has said
// before: when d was remembered for this broker and nothing has happened since that would
// give the registration an effect, it renews liveness and timeout, binds conn under a new
// generation and returns the answer of the current Snapshot. Otherwise it returns false and
// has done nothing: parse the body and call Txn.RegisterBroker. It never blocks and never
// allocates. h and d must be of the same request, d by a Digester of this Table.
func (t *Table) RenewUnchanged(h *RegistrationHeader, d Digest, conn ConnID, nowMillis int64, rules Rules) (RegisterResult, bool) {
	return RegisterResult{}, false
}

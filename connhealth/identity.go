package connhealth

import "net/netip"

// ConnID identifies a connection for the life of the process; 0 is none. Ids grow in the
// order of accepting and are never reused.
type ConnID uint64

// BrokerKey names a registration. An address may have registered under two names: each is
// judged by the connection that named it last.
type BrokerKey struct {
	Cluster string
	Name    string
	Addr    string
}

// Broker is a registration as the owner knows it.
type Broker struct {
	Cluster string
	Name    string
	ID      int64
	Addr    string // host:port, what clients are given and what is dialed back
	// Generation is opaque: it comes back in every action about the broker, so that an
	// action is void when there is a newer registration.
	Generation uint64
	// ActingMaster: its group lets a slave act as master, and fails over on removal.
	ActingMaster bool
	// HeartbeatTimeoutMillis is the registration's own expiry; at most this long a broker is
	// shown on other proof than requests that name it. 0: 120 s.
	HeartbeatTimeoutMillis int64
}

// Key returns what names the registration.
func (b *Broker) Key() BrokerKey { return BrokerKey{b.Cluster, b.Name, b.Addr} }

func (b *Broker) heartbeatTimeoutMillis() int64 {
	if b.HeartbeatTimeoutMillis <= 0 {
		return 120_000
	}
	return b.HeartbeatTimeoutMillis
}

// addrHost returns the host of a broker's address; invalid when it is a name.
func addrHost(addr string) netip.Addr {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

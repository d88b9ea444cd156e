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

// Live returns the registration at (cluster, addr). For 322: a broker is unchanged iff it
// is found, not parked, and its DataVersion is equal. Java:
// RouteInfoManager#queryBrokerTopicConfig.
func (s *Snapshot) Live(key BrokerKey) (BrokerInfo, bool) {
	l := s.live.find(key.Cluster, key.Addr)
	if l == nil {
		return BrokerInfo{}, false
	}
	return l.info(l.leaf.load()), true
}

// BrokerKey returns the key (cluster, addr). That of a broker with a registration is the
// table's own and costs no memory.
func (s *Snapshot) BrokerKey(cluster, addr []byte) BrokerKey {
	if l := s.live.findBytes(cluster, addr); l != nil {
		return l.key
	}
	return BrokerKey{Cluster: string(cluster), Addr: string(addr)}
}

// Brokers yields every registration, parked ones included, ordered by group name and id.
// One whose address has since registered under another name is among them, until it goes.
func (s *Snapshot) Brokers() iter.Seq[BrokerInfo] {
	return func(yield func(BrokerInfo) bool) {
		for _, g := range s.view.sorted() {
			for i := range g.addrs {
				l := g.addrs[i].live
				if !yield(l.info(l.leaf.load())) {
					return
				}
			}
		}
	}
}

// ExpiredBroker is a registration that was silent for longer than its timeout when
// Snapshot.ScanNotActive looked. Txn.ExpireBroker removes it if that is still so.
type ExpiredBroker struct {
	BrokerInfo
	live *brokerLive
	word leafWord // what its leaf read
}

// ScanNotActive returns the registrations that were last heard of more than their timeout
// before nowMillis; nil when there are none. Java: RouteInfoManager#scanNotActiveBroker.
func (s *Snapshot) ScanNotActive(nowMillis int64) []ExpiredBroker {
	var list []ExpiredBroker
	for _, g := range s.view.groups {
		if g == nil {
			continue
		}
		for i := range g.addrs {
			l := g.addrs[i].live
			if w := l.leaf.load(); w.state() != StateRemoved && l.expired(w, nowMillis) {
				list = append(list, ExpiredBroker{l.info(w), l, w})
			}
		}
	}
	return list
}

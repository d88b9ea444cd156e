package routetable

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
// that the caller can Rebind it when the connection it is bound to is closed. It changes
// neither binding nor timeout, never blocks and never allocates. Java:
// RouteInfoManager#updateBrokerInfoUpdateTimestamp.
func (t *Table) Heartbeat(cluster, addr []byte, nowMillis int64) (BrokerInfo, HeartbeatStatus) {
	// The second look is for a registration that was replaced between load and swap.
	for range 2 {
		l := t.root.Load().live.findBytes(cluster, addr)
		if l == nil {
			return BrokerInfo{}, HeartbeatUnknown
		}
		switch w, ok := l.heard(nowMillis); {
		case ok:
			return l.info(w), HeartbeatRenewed
		case w.state() == StateParked:
			return l.info(w), HeartbeatParked
		}
	}
	return BrokerInfo{}, HeartbeatUnknown
}

// heard moves last seen to now, and HELD to LIVE. It returns what the leaf reads, and
// false when it is parked or removed.
func (l *brokerLive) heard(nowMillis int64) (leafWord, bool) {
	for {
		w := l.leaf.load()
		if w.state() == StateParked || w.state() == StateRemoved {
			return w, false
		}
		next := w.seenAt(nowMillis).withState(StateLive)
		if next == w || l.leaf.swap(w, next) {
			return next, true
		}
	}
}

// Rebind binds the registration of b to another connection and returns the new binding,
// of a new generation. It is void, and returns false, when b is not the present binding or
// the registration is not LIVE, or while a renewal that has drawn a generation is yet to store
// its connection: that one binds. It publishes nothing, never blocks and never allocates.
func (t *Table) Rebind(b Binding, to ConnID) (Binding, bool) {
	l := t.root.Load().live.find(b.Broker.Cluster, b.Broker.Addr)
	if l == nil || l.name != b.Name {
		return Binding{}, false
	}
	for {
		w := l.leaf.load()
		bound, conn := l.conn.load()
		if w.state() != StateLive || w.generation() != b.Generation || bound != b.Generation || conn != b.Conn {
			return Binding{}, false
		}
		generation := nextGeneration(w.generation())
		if l.leaf.swap(w, makeLeafWord(StateLive, generation, w.seenMillis())) {
			l.conn.bind(generation, to)
			return l.binding(generation, to), true
		}
	}
}

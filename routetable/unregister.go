package routetable

import "github.com/pharosmq/pharos/codec"

// UnregisterRequest is one UNREGISTER_BROKER request. The address decides who goes; ID only
// whether the group is told that its smallest id went, as in Java.
type UnregisterRequest struct {
	Broker BrokerKey
	Name   string
	ID     int64
	Conn   ConnID // the connection it came from; 0 when unknown
}

// UnregisterBroker applies one UNREGISTER_BROKER request and reports whether a
// registration was removed. It counts from any connection, 0 included, except one that
// was accepted before the connection that the broker is bound to now: that one speaks of an
// earlier life of the broker. Java: RouteInfoManager#unRegisterBroker, which
//   - also applies such a late request;
//   - removes the name from the cluster that the request names, ours from the group's own.
//
// As in Java, a request with another broker name makes (cluster, addr) unknown to
// heartbeats and version queries, but leaves the address in the group it is in.
func (x *Txn) UnregisterBroker(r UnregisterRequest) bool {
	g := x.view.named(r.Name)
	member := g.byAddr(r.Broker.Addr)
	found := x.live.find(r.Broker.Cluster, r.Broker.Addr)
	fence := found
	if fence == nil && member != nil {
		fence = member.live
	}
	if fence != nil && r.Conn != 0 && r.Conn < x.boundTo(fence) {
		return false
	}
	if found != nil {
		x.unlist(found)
	}
	x.setFilters(r.Broker, nil)
	g = x.view.named(r.Name) // setFilters may have renewed it
	member = g.byAddr(r.Broker.Addr)
	if member == nil {
		if g != nil {
			x.stripIfMasterless(g)
			x.tellIfSmallest(g, r.ID == minIDOf(g), r.Broker.Addr)
		}
		return found != nil
	}
	x.removeMember(g, member.live, r.ID, RemoveUnregistered)
	return true
}

// RemoveBinding removes exactly the registration that b was handed out for, because its
// connection closed (or for another reason of the caller's), and reports whether it did. It
// is void when the broker has registered again since, on whatever connection. A connection
// with several brokers has several bindings; all of them go, unlike in Java, where
// RouteInfoManager#onChannelDestroy removes the first one it finds, queued and without
// looking whether the broker has come back.
func (x *Txn) RemoveBinding(b Binding, reason RemoveReason) bool {
	g := x.view.named(b.Name)
	member := g.byAddr(b.Broker.Addr)
	if member == nil || member.live.key != b.Broker {
		return false
	}
	l := member.live
	for {
		w := l.leaf.load()
		if w.generation() != b.Generation || w.state() == StateRemoved || x.boundTo(l) != b.Conn {
			return false
		}
		// The swap names the generation: a renewal on a loop makes it fail.
		if x.swapLeaf(l, w, w.withState(StateRemoved)) {
			break
		}
	}
	x.removeMember(g, l, l.id, reason)
	return true
}

// ExpireBroker removes a registration that Snapshot.ScanNotActive found silent, and
// reports whether it did: not if anything was heard of it since. It emits EffectCloseConn
// for its connection, as Java closes it. Java: RouteInfoManager#scanNotActiveBroker.
func (x *Txn) ExpireBroker(e ExpiredBroker) bool {
	if e.live == nil || !x.swapLeaf(e.live, e.word, e.word.withState(StateRemoved)) {
		return false
	}
	conn := x.boundTo(e.live)
	if conn != 0 {
		x.emit(Effect{
			Kind: EffectCloseConn, Conn: conn, Reason: RemoveExpired,
			Broker: e.live.key, Name: e.live.name, ID: e.live.id,
		})
	}
	x.removeMember(x.view.groups[e.live.group], e.live, e.live.id, RemoveExpired)
	return true
}

// removeMember takes a registration out of its group and everything that hangs on it. id is
// the one that whoever asks says it has. Java: RouteInfoManager#unRegisterBroker for one
// request.
func (x *Txn) removeMember(g *group, l *brokerLive, id int64, reason RemoveReason) {
	conn := x.boundTo(l)
	x.endLeaf(l)
	x.forget(l)
	g = x.view.groups[g.index] // forget may have renewed it
	smallest := id == minIDOf(g)
	d := draftOf(g)
	d.dropAddr(l.key.Addr, func(int64) bool { return false })
	x.emitRemoved(l, conn, reason)
	if len(d.addrs) == 0 {
		x.removeGroup(g)
		return
	}
	g = x.setGroup(g.index, &d)
	x.stripIfMasterless(g)
	x.tellIfSmallest(g, smallest, l.key.Addr)
}

// tellIfSmallest tells an acting group who has its smallest id, after an unregistration of
// offline under the id that was the smallest.
func (x *Txn) tellIfSmallest(g *group, smallest bool, offline string) {
	if smallest && g.acting {
		x.emitMinBrokerID(g, codec.NullString{String: offline, Valid: true}, codec.NullString{})
	}
}

// stripIfMasterless has the write bit taken from the topics of an acting group without a
// master. Java: RouteInfoManager#isNoMasterExists and #cleanTopicByUnRegisterRequests.
func (x *Txn) stripIfMasterless(g *group) {
	if !g.acting || g.addrs[0].id <= codec.MasterID {
		return
	}
	if x.gone.strip == nil {
		x.gone.strip = make(map[uint32]bool)
	}
	x.gone.strip[g.index] = true
}

package routetable

import "github.com/pharosmq/pharos/codec"

// registering is one REGISTER_BROKER on its way through the rules.
type registering struct {
	*Registration
	body   *codec.RegisterBody
	draft  groupDraft
	holder *groupAddr    // who has the id now, maybe this broker; nil is nobody
	prev   *brokerLive   // found at (cluster, addr) before; nil is none
	stale  []*brokerLive // registrations that end with this one
	index  uint32        // of the group, once accepted
	// first: the broker was not in the group, so everything it says is written.
	first bool
	// restless: it would have an effect each time, so it must never be taken for unchanged.
	restless bool
	// changed: its data version is not the one it was last known by.
	changed bool
}

var noBody codec.RegisterBody

// RegisterBroker applies one REGISTER_BROKER request. Java:
// RouteInfoManager#registerBroker, with these differences, all on purpose:
//
//   - A refused registration leaves no empty group and no cluster entry behind. Of an
//     existing group it still sets zone and acting flag, and a role switch in it still
//     removes the old id, both as in Java.
//   - An ignored one (state version conflict) leaves the group's flags alone. As in Java
//     the newcomer's own registration under another id is removed.
//   - A registration that takes an id from another address ends the other's registration
//     at once; Java keeps a dead entry of it.
//   - A group follows the cluster that its newest registration names; Java lists it under
//     both clusters and keeps the first in its data.
//   - A static mapping is also stored when the table has none of that topic and broker, even
//     under an unchanged data version: unlike Java's it was removed with its topic.
//   - Topic configs without a name are passed over; Java stops half way.
//   - Parked registrations count as absent for version conflicts and for the refusal, held
//     ones for conflicts. The broker's own parked registration is processed as the first
//     one, with one exception: a single topic is not refused, since the data of the full
//     registration are here.
//
// Java's wiping of all other topics by an incremental or split registration under
// deleteTopicWithBrokerRegistration is kept: a part cannot be told from a whole.
func (x *Txn) RegisterBroker(r *Registration) RegisterResult {
	x.flush()
	changes := x.changes
	g := registering{Registration: r, body: r.Body, prev: x.live.find(r.Broker.Cluster, r.Broker.Addr)}
	if g.body == nil {
		g.body = &noBody
	}
	x.work += len(g.body.Topics)
	old := x.view.named(r.Name)
	if old != nil {
		g.draft = draftOf(old)
	} else {
		g.draft = groupDraft{name: r.Name, cluster: r.Broker.Cluster}
	}
	lowered := r.ID < minIDOf(old)
	g.switchRole()

	result := RegisterResult{Status: Registered}
	switch {
	case x.conflicts(&g):
		result.Status = RegisterIgnored
		x.ignore(&g)
	case g.refused():
		result.Status = RegisterRefused
		x.refuse(&g)
	default:
		result.Binding = x.join(&g)
		result.MasterAddr, result.HAServerAddr = answer(x.view.groups[g.index], x.live.liveTable, r.Broker.Cluster, r.ID)
		if lowered {
			x.emitMinBrokerID(x.view.groups[g.index], codec.NullString{}, r.HAServerAddr)
		}
	}
	result.Changed = x.changes != changes
	return result
}

// minIDOf returns the smallest visible id of the group, 0 when there is none: Java's
// prevMinBrokerId.
func minIDOf(g *group) int64 {
	if a := g.visibleMin(); a != nil {
		return a.id
	}
	return 0
}

// switchRole takes the broker's address out of the draft where it has another id: an
// address has one role in a group. Then it looks who has the id.
func (g *registering) switchRole() {
	if a, ok := g.draft.dropAddr(g.Broker.Addr, func(id int64) bool { return id == g.ID }); ok {
		g.stale = append(g.stale, a.live)
	}
	g.holder = g.draft.byID(g.ID)
}

// conflicts reports whether the id belongs to another living address with a higher state
// version.
func (x *Txn) conflicts(g *registering) bool {
	h := g.holder
	if h == nil || h.addr == g.Broker.Addr || h.live.leaf.load().state() != StateLive {
		return false
	}
	l := x.live.find(g.Broker.Cluster, h.addr)
	return l != nil && l.dataVersion.StateVersion > g.body.DataVersion.StateVersion
}

// refused reports whether this is the registration of a single topic by a broker that has
// not sent its full one.
func (g *registering) refused() bool {
	if h := g.holder; h != nil && (!h.parked || h.addr == g.Broker.Addr) {
		return false
	}
	topics := g.body.Topics
	if len(topics) == 0 {
		return false
	}
	for i := range topics[1:] {
		if string(topics[i+1].Key) != string(topics[0].Key) {
			return false // the table has two entries at least
		}
	}
	return true
}

// ignore ends a registration that lost a version conflict.
func (x *Txn) ignore(g *registering) {
	if len(g.stale) > 0 {
		x.setGroup(g.draft.old.index, &g.draft)
	}
	x.endStale(g, RemoveRoleSwitched)
	if g.prev != nil {
		x.unlist(g.prev) // it may be of another group, and stays there
	}
}

// refuse ends a registration that must not come first.
func (x *Txn) refuse(g *registering) {
	switch {
	case g.draft.old == nil:
		return
	case len(g.draft.addrs) == 0:
		x.removeGroup(g.draft.old)
	default:
		g.draft.zone, g.draft.acting = g.Zone, g.ActingMaster == ActingMasterTrue
		x.setGroup(g.draft.old.index, &g.draft)
	}
	x.endStale(g, RemoveRoleSwitched)
}

// endStale ends the registrations that this one displaced.
func (x *Txn) endStale(g *registering, reason RemoveReason) {
	for _, l := range g.stale {
		conn := x.boundTo(l)
		x.endLeaf(l)
		if l.key.Addr == g.Broker.Addr && g.accepted() {
			x.leave(l, g.Broker) // the same broker under another id
			continue
		}
		x.forget(l)
		x.emitRemoved(l, conn, reason)
	}
}

// leave takes a registration out of the index because its broker has come to key, which
// may be where it is: then its filter servers stay.
func (x *Txn) leave(l *brokerLive, key BrokerKey) {
	if l.key == key {
		x.live.drop(l)
	} else {
		x.forget(l)
	}
}

// accepted reports whether the id is the broker's now.
func (g *registering) accepted() bool {
	return g.draft.byID(g.ID) != nil && g.draft.byID(g.ID).addr == g.Broker.Addr
}

// answer returns what a slave is told: its master's address and HA address, if that is in
// the table.
func answer(g *group, live *liveTable, cluster string, id int64) (master, ha codec.NullString) {
	if id == codec.MasterID {
		return
	}
	m := g.byID(codec.MasterID)
	if m == nil || m.parked {
		return
	}
	l := live.find(cluster, m.addr)
	if l == nil {
		return
	}
	return codec.NullString{String: m.addr, Valid: true}, l.haAddr
}

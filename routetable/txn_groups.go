package routetable

import (
	"cmp"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// groupDraft is what a transaction wants a group to be.
type groupDraft struct {
	old     *group // nil: a new one
	name    string
	cluster string
	zone    codec.NullString
	acting  bool
	addrs   []groupAddr // a copy, by id
}

func draftOf(g *group) groupDraft {
	return groupDraft{
		old: g, name: g.name, cluster: g.cluster, zone: g.zone, acting: g.acting,
		addrs: slices.Clone(g.addrs),
	}
}

func (d *groupDraft) byID(id int64) *groupAddr {
	for i := range d.addrs {
		if d.addrs[i].id == id {
			return &d.addrs[i]
		}
	}
	return nil
}

// put adds a member or replaces the one with its id.
func (d *groupDraft) put(a groupAddr) {
	i, found := slices.BinarySearchFunc(d.addrs, a.id, func(e groupAddr, id int64) int { return cmp.Compare(e.id, id) })
	if found {
		d.addrs[i] = a
		return
	}
	d.addrs = slices.Insert(d.addrs, i, a)
}

// dropAddr removes the member at addr unless it has the id keep, and returns it.
func (d *groupDraft) dropAddr(addr string, keep func(id int64) bool) (groupAddr, bool) {
	for i, a := range d.addrs {
		if a.addr == addr && !keep(a.id) {
			d.addrs = slices.Delete(d.addrs, i, i+1)
			return a, true
		}
	}
	return groupAddr{}, false
}

// index returns the group's index, drawing one for a new group.
func (x *Txn) index(d *groupDraft) uint32 {
	if d.old != nil {
		return d.old.index
	}
	if n := len(x.w.freeGroups); n > 0 {
		i := x.w.freeGroups[n-1]
		x.w.freeGroups = x.w.freeGroups[:n-1]
		return i
	}
	return uint32(len(x.view.groups))
}

// setGroup makes the group what the draft says, under an index that index returned. The
// draft has at least one address.
func (x *Txn) setGroup(index uint32, d *groupDraft) *group {
	g := &group{
		index: index, cluster: d.cluster, name: d.name, zone: d.zone, acting: d.acting,
		addrs: d.addrs, filters: x.filters.entries(d.cluster, d.addrs),
	}
	if d.old != nil && d.old.sameShown(g) {
		if slices.Equal(d.old.addrs, g.addrs) {
			return d.old
		}
		// Only registrations were replaced: nothing that anybody sees or remembers.
		n := *d.old
		n.addrs = d.addrs
		x.view.put(index, &n)
		return &n
	}
	g.encode()
	g.stamp = x.w.drawVersion()
	g.shown = g.stamp
	x.view.put(index, g)
	x.view.newEpoch(g.shown)
	x.changes++
	switch {
	case d.old == nil:
		x.view.addName(g.name, index)
		x.view.addToCluster(g.cluster, g.name)
	case d.old.cluster != g.cluster:
		x.view.dropFromCluster(d.old.cluster, g.name)
		x.view.addToCluster(g.cluster, g.name)
	}
	return g
}

// removeGroup takes a group without members out. Its topics are cleaned by flush.
func (x *Txn) removeGroup(g *group) {
	x.view.put(g.index, nil)
	x.view.newEpoch(x.w.drawVersion())
	x.view.dropName(g.name)
	x.view.dropFromCluster(g.cluster, g.name)
	x.changes++
	if x.gone.removed == nil {
		x.gone.removed = make(map[uint32]string)
	}
	x.gone.removed[g.index] = g.name
}

// touch voids the digests remembered under the group's present facts: its topics were
// changed by other means than its registrations.
func (x *Txn) touch(index uint32) {
	n := *x.view.groups[index]
	n.stamp = x.w.drawVersion()
	x.view.put(index, &n)
}

// touchTopics voids the digests that registrations left under
// deleteTopicWithBrokerRegistration: the group may have got topics that they do not name.
// That counts while the setting is off, too: it may be on again before they are repeated.
func (x *Txn) touchTopics(index uint32) {
	n := *x.view.groups[index]
	n.topics = x.w.drawVersion()
	x.view.put(index, &n)
}

// unlist takes a registration that stays in its group out of the index.
func (x *Txn) unlist(l *brokerLive) {
	x.live.drop(l)
	x.w.passGeneration(l.leaf.load().generation()) // the next one at its address is not it
}

// forget takes a registration that ends out of the index, and the filter servers of its
// address with it, unless the address has since registered under another name.
func (x *Txn) forget(l *brokerLive) {
	x.live.drop(l)
	if x.live.find(l.key.Cluster, l.key.Addr) == nil {
		x.setFilters(l.key, nil)
	}
}

// setFilters stores the filter servers of an address, none to remove them, and renews the
// groups that show them.
func (x *Txn) setFilters(key BrokerKey, servers []string) {
	if slices.Equal(x.filters.find(key.Cluster, key.Addr), servers) {
		return
	}
	next := &filterTable{servers: make(map[string][]string, len(x.filters.servers)+1)}
	for k, v := range x.filters.servers {
		next.servers[k] = v
	}
	k := string(appendLiveKey(nil, key.Cluster, key.Addr))
	if next.servers[k] = servers; len(servers) == 0 {
		delete(next.servers, k)
	}
	x.filters = next
	for _, g := range x.view.groups {
		if g != nil && g.cluster == key.Cluster && g.byAddr(key.Addr) != nil {
			d := draftOf(g)
			x.setGroup(g.index, &d)
		}
	}
}

// emit adds an effect of the operation that runs.
func (x *Txn) emit(e Effect) { x.effects = append(x.effects, e) }

// emitRemoved reports a registration that left the table.
func (x *Txn) emitRemoved(l *brokerLive, conn ConnID, reason RemoveReason) {
	x.emit(Effect{Kind: EffectRemoved, Conn: conn, Reason: reason, Broker: l.key, Name: l.name, ID: l.id})
}

// emitMinBrokerID tells the group's members who has the smallest id now. Java:
// RouteInfoManager#notifyMinBrokerIdChanged and #chooseBrokerAddrsToNotify.
func (x *Txn) emitMinBrokerID(g *group, offline, ha codec.NullString) {
	first := g.visibleMin()
	if !x.rules.NotifyMinBrokerIDChanged || first == nil {
		return
	}
	n := &MinBrokerIDChange{MinBrokerID: first.id, MinBrokerAddr: first.addr, OfflineBrokerAddr: offline, HABrokerAddr: ha}
	all := offline.Valid || g.visible == 1
	for i := range g.addrs {
		a := &g.addrs[i]
		if !a.parked && (all || a.id != first.id) {
			n.Targets = append(n.Targets, a.addr)
		}
	}
	x.emit(Effect{Kind: EffectNotifyMinBrokerID, Broker: BrokerKey{g.cluster, first.addr}, Name: g.name, ID: first.id, Notify: n})
}

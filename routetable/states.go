package routetable

import "github.com/pharosmq/pharos/codec"

// Hold moves a LIVE registration to HELD: routes still show it, while its fate is being
// decided. Like Park and Restore it is void, and returns false, when generation is neither
// 0 nor the present one, or the registration is gone or not in the state it starts from.
func (x *Txn) Hold(key BrokerKey, generation uint32) bool {
	return x.hold(x.live.find(key.Cluster, key.Addr), generation)
}

func (x *Txn) hold(l *brokerLive, generation uint32) bool {
	return x.moveState(l, generation, StateHeld, 0, func(s State) bool { return s == StateLive })
}

// Park hides a LIVE or HELD registration from routes and lists: they look as if it had
// been unregistered, but its data stays until it is restored, replaced, or expires.
// Heartbeats don't renew it. The members of its group are told if it had the smallest id.
func (x *Txn) Park(key BrokerKey, generation uint32) bool {
	return x.park(x.live.find(key.Cluster, key.Addr), generation)
}

func (x *Txn) park(l *brokerLive, generation uint32) bool {
	if !x.moveState(l, generation, StateParked, 0, func(s State) bool { return s == StateLive || s == StateHeld }) {
		return false
	}
	x.setParked(l, true)
	return true
}

// Restore makes a HELD or PARKED registration LIVE again, with everything it had, last
// heard of at nowMillis.
func (x *Txn) Restore(key BrokerKey, generation uint32, nowMillis int64) bool {
	return x.restore(x.live.find(key.Cluster, key.Addr), generation, nowMillis)
}

func (x *Txn) restore(l *brokerLive, generation uint32, nowMillis int64) bool {
	if !x.moveState(l, generation, StateLive, nowMillis, func(s State) bool { return s == StateHeld || s == StateParked }) {
		return false
	}
	x.setParked(l, false)
	return true
}

// moveState changes the state of a registration, and when it was heard of; nil is none.
func (x *Txn) moveState(l *brokerLive, generation uint32, to State, nowMillis int64, from func(State) bool) bool {
	if l == nil {
		return false
	}
	for {
		w := l.leaf.load()
		if (generation != 0 && generation != w.generation()) || !from(w.state()) {
			return false
		}
		if x.swapLeaf(l, w, w.withState(to).seenAt(nowMillis)) {
			return true
		}
	}
}

// setParked shows or hides a registration in its group.
func (x *Txn) setParked(l *brokerLive, parked bool) {
	g := x.view.groups[l.group]
	a := g.byID(l.id)
	if a.parked == parked {
		return
	}
	before := g.visibleMin()
	d := draftOf(g)
	d.byID(l.id).parked = parked
	g = x.setGroup(g.index, &d)
	after := g.visibleMin()
	if before == nil || after == nil || before.id == after.id {
		return
	}
	if !parked {
		x.emitMinBrokerID(g, codec.NullString{}, l.haAddr)
	} else if g.acting {
		x.emitMinBrokerID(g, codec.NullString{String: l.key.Addr, Valid: true}, codec.NullString{})
	}
}

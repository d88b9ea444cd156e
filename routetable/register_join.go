package routetable

import (
	"bytes"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// join puts an accepted registration into the table: first the group, then its topics,
// then the registration itself.
func (x *Txn) join(g *registering) Binding {
	h, old := g.holder, g.draft.old
	var own *brokerLive // this broker's registration under the same id
	switch {
	case h == nil:
		g.first = true
	case h.addr == g.Broker.Addr:
		own = h.live
		g.first = h.parked || h.addr == ""
	default:
		g.first = h.parked || h.addr == ""
		g.stale = append(g.stale, h.live)
	}
	g.first = g.first || old == nil
	g.changed = g.prev == nil || g.prev.dataVersion != g.body.DataVersion

	g.index = x.index(&g.draft)
	live, again := own, x.sameFacts(g, own)
	if !again {
		live = x.newLive(g, own)
	}
	g.draft.zone, g.draft.acting = g.Zone, g.ActingMaster == ActingMasterTrue
	g.draft.cluster = g.Broker.Cluster
	g.draft.put(groupAddr{id: g.ID, addr: g.Broker.Addr, live: live})
	x.setGroup(g.index, &g.draft)
	x.endStale(g, RemoveReplaced)
	if !again {
		x.live.put(live)
	}
	x.registerTopics(g)
	if !g.body.FilterServersNull {
		x.setFilters(g.Broker, g.body.FilterServers)
	}
	return x.renew(g, live)
}

// sameFacts reports whether the registration says of the broker what is known already, so
// that it only has to be renewed.
func (x *Txn) sameFacts(g *registering, own *brokerLive) bool {
	return own != nil && own == g.prev && !g.holder.parked && own.haAddr == g.HAServerAddr &&
		own.dataVersion == g.body.DataVersion
}

// newLive makes a new registration; it ends the leaf of the broker's old one.
func (x *Txn) newLive(g *registering, own *brokerLive) *brokerLive {
	if own != nil {
		x.endLeaf(own)
		x.leave(own, g.Broker) // it may have moved to another cluster
	}
	// Nothing that was handed out for the address before fits the new registration.
	for _, l := range g.stale {
		x.endLeaf(l)
	}
	if g.prev != nil {
		x.w.passGeneration(g.prev.leaf.load().generation())
	}
	generation := x.w.drawGeneration()
	l := &brokerLive{
		key: g.Broker, name: g.Name, id: g.ID, group: g.index,
		dataVersion: g.body.DataVersion, haAddr: g.HAServerAddr,
	}
	l.leaf.word.Store(uint64(makeLeafWord(StateLive, generation, g.NowMillis)))
	l.conn.word.Store(makeConnWord(generation, g.Conn))
	l.timeoutMillis.Store(g.timeout())
	return l
}

func (g *registering) timeout() int64 {
	if g.TimeoutSet {
		return g.TimeoutMillis
	}
	return DefaultHeartbeatTimeoutMillis
}

// renew draws a generation and plans what is stored after publication.
func (x *Txn) renew(g *registering, l *brokerLive) Binding {
	generation := uint32(0)
	for generation == 0 {
		old := l.leaf.load()
		next := makeLeafWord(StateLive, nextGeneration(old.generation()), max(old.seenMillis(), g.NowMillis))
		if x.swapLeaf(l, old, next) {
			generation = next.generation()
		}
	}
	r := renewal{live: l, generation: generation, conn: g.Conn, timeoutMillis: g.timeout()}
	// A broker without an address is processed as the first one each time, as in Java.
	if g.Digest != (Digest{}) && !g.body.DataVersionStamped && g.Broker.Addr != "" && !g.restless {
		r.remember = rememberedDigest{digest: g.Digest, rules: x.rules}
		r.remember.stamp, r.remember.topics = x.view.groups[g.index].stamp, x.view.groups[g.index].topics
		if len(g.body.Mappings) > 0 {
			r.remember.mappings = x.mappings.drops + 1
		}
	}
	x.renewals = append(x.renewals, r)
	return l.binding(generation, g.Conn)
}

// boundTo returns the connection that a registration is bound to, by a renewal of this
// transaction if there is one.
func (x *Txn) boundTo(l *brokerLive) ConnID {
	for i := range slices.Backward(x.renewals) {
		if x.renewals[i].live == l {
			return x.renewals[i].conn
		}
	}
	return l.boundTo()
}

// registerTopics writes the topics of a master, or of the slave that stands in for one:
// the one with the smallest id, if it sent the acting flag at all. Other slaves contribute
// none.
func (x *Txn) registerTopics(g *registering) {
	primeSlave := g.ActingMaster != ActingMasterAbsent && g.ID != codec.MasterID && g.draft.addrs[0].id == g.ID
	if (g.ID != codec.MasterID && !primeSlave) || g.body.TopicTableMissing {
		return
	}
	changes := x.changes
	if x.rules.DeleteTopicWithBrokerRegistration && len(g.body.Mappings) == 0 {
		x.deleteUnnamedTopics(g)
	}
	var mask int32
	if primeSlave && g.ActingMaster == ActingMasterTrue {
		mask = codec.PermWrite
	}
	x.putTopics(g, mask)
	if x.changes != changes {
		if x.rules.DeleteTopicWithBrokerRegistration {
			x.touch(g.index) // the broker's other bodies would now delete or add
		} else {
			x.touchTopics(g.index)
		}
	}
	x.putMappings(g)
}

// putTopics writes the broker's queue data of each topic: all of them when the broker is
// new or its version changed, else those that the topic lacks.
func (x *Txn) putTopics(g *registering, mask int32) {
	rewrite := g.first || g.changed
	lastShape, lastHas := uint32(0), false
	var put memoEntry // the latest, none while it leads to no shape: topics that lie side by side are mostly alike
	for i := range g.body.Topics {
		c := &g.body.Topics[i]
		if c.Name == nil {
			continue
		}
		topic := x.topicID(c.Name)
		shape := x.shapeID(topic)
		if !rewrite {
			if shape != lastShape {
				lastShape, lastHas = shape, findMember(x.members(shape), g.index) >= 0
			}
			if lastHas {
				continue
			}
		}
		m := member{g.index, c.ReadQueueNums, c.WriteQueueNums, c.Perm &^ mask, c.TopicSysFlag}
		if put.to == 0 || put.from != shape || put.put != m {
			put = memoEntry{from: shape, put: m, to: x.putMember(shape, m)}
		}
		x.setShape(topic, put.to)
	}
}

// deleteUnnamedTopics takes the group from every topic that is not a key of the body.
func (x *Txn) deleteUnnamedTopics(g *registering) {
	named := make([]bool, x.topics.names)
	for i := range g.body.Topics {
		t := &g.body.Topics[i]
		if id, ok := x.findTopic(t.Key); ok {
			named[id] = true
		}
		// Under a key that is not its name a topic is deleted and then put again.
		g.restless = g.restless || t.Name != nil && !bytes.Equal(t.Key, t.Name)
	}
	x.forgetMappingsOf(g.draft.old, named)
	gone := func(group uint32) bool { return group == g.index }
	lastShape, lastNext := uint32(0), uint32(0)
	for c := range x.topics.shapes {
		for i, shape := range x.topics.shapes[c] {
			topic := uint32(c*idChunkLen + i)
			if shape == 0 || named[topic] {
				continue
			}
			if shape != lastShape {
				lastShape, lastNext = shape, x.dropMembers(shape, gone)
			}
			x.setShape(topic, lastNext)
		}
	}
}

// putMappings stores the static mappings of the body.
func (x *Txn) putMappings(g *registering) {
	for i := range g.body.Mappings {
		m := &g.body.Mappings[i]
		if !m.Info.BName.Valid {
			continue // Java stores it under null, where nobody finds it
		}
		known := x.mappings.find([]byte(m.Topic))
		if _, ok := known.at(m.Info.BName.String); ok && !g.first && !g.changed {
			continue
		}
		x.mappings.put(m.Topic, newBrokerMapping(g.Name, &m.Info))
		x.changes++
	}
}

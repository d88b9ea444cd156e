package routetable

import (
	"maps"

	"github.com/pharosmq/pharos/codec"
)

// register is Java's registerBroker, in its order.
func (m *model) register(r *Registration) RegisterResult {
	prev := m.live[r.Broker]
	old := m.groups[r.Name]
	g := old
	if g == nil {
		g = &modelGroup{name: r.Name, cluster: r.Broker.Cluster, members: make(map[int64]*modelBroker)}
	}
	lowered := r.ID < g.minID()

	// One address has one id in a group.
	switched := g.at(r.Broker.Addr)
	if switched != nil && switched.id != r.ID {
		delete(g.members, switched.id)
	} else {
		switched = nil
	}
	holder := g.members[r.ID]
	other := holder != nil && holder.key.Addr != r.Broker.Addr
	if other && m.conflicts(holder, r) {
		m.end(switched, RemoveRoleSwitched)
		delete(m.live, r.Broker)
		return RegisterResult{Status: RegisterIgnored}
	}
	if (holder == nil || other && holder.parked()) && len(topicKeys(r.Body)) == 1 {
		m.refused(g, r)
		m.end(switched, RemoveRoleSwitched)
		return RegisterResult{Status: RegisterRefused}
	}

	b := &modelBroker{
		key: r.Broker, name: r.Name, id: r.ID, dataVersion: r.Body.DataVersion, haAddr: r.HAServerAddr,
		state: StateLive, seen: r.NowMillis, timeout: 120_000, conn: r.Conn, token: m.newToken(),
	}
	if r.TimeoutSet {
		b.timeout = r.TimeoutMillis
	}
	g.cluster, g.zone, g.acting = r.Broker.Cluster, r.Zone, r.ActingMaster == ActingMasterTrue
	g.members[r.ID] = b
	m.groups[r.Name] = g
	for _, before := range []*modelBroker{switched, holder} {
		switch {
		case before == nil:
		case before.key.Addr != r.Broker.Addr:
			m.end(before, RemoveReplaced)
		case before.key != r.Broker: // the same broker, in another cluster now
			m.forget(before)
		}
	}
	first := old == nil || holder == nil || holder.parked() || holder.key.Addr == ""
	changed := prev == nil || prev.dataVersion != r.Body.DataVersion
	m.registerTopics(g, r, first, changed)
	m.live[r.Broker] = b
	if len(r.Body.FilterServers) > 0 {
		m.filters[r.Broker] = r.Body.FilterServers
	} else if !r.Body.FilterServersNull {
		delete(m.filters, r.Broker)
	}

	result := RegisterResult{Status: Registered, Binding: Binding{Broker: b.key, Name: b.name, ID: b.id, Conn: b.conn}}
	if master := g.members[codec.MasterID]; r.ID != codec.MasterID && master != nil && !master.parked() {
		if l := m.live[BrokerKey{r.Broker.Cluster, master.key.Addr}]; l != nil {
			result.MasterAddr = codec.NullString{String: master.key.Addr, Valid: true}
			result.HAServerAddr = l.haAddr
		}
	}
	if lowered {
		m.notify(g, codec.NullString{}, r.HAServerAddr)
	}
	return result
}

// conflicts reports whether the id is held by another living address of a higher state
// version. What is known of an address is what it said last, under whatever name.
func (m *model) conflicts(holder *modelBroker, r *Registration) bool {
	l := m.live[BrokerKey{r.Broker.Cluster, holder.key.Addr}]
	return l != nil && holder.state == StateLive && l.dataVersion.StateVersion > r.Body.DataVersion.StateVersion
}

// topicKeys returns the keys of the topic table.
func topicKeys(b *codec.RegisterBody) map[string]bool {
	keys := make(map[string]bool)
	for _, t := range b.Topics {
		keys[string(t.Key)] = true
	}
	return keys
}

// refused is what stays of a registration of one topic that must not come first.
func (m *model) refused(g *modelGroup, r *Registration) {
	switch {
	case m.groups[g.name] == nil:
	case len(g.members) == 0:
		m.removeGroup(g)
	default:
		g.zone, g.acting = r.Zone, r.ActingMaster == ActingMasterTrue
	}
}

// registerTopics writes what a master, or the slave that stands in for one, says of its
// topics.
func (m *model) registerTopics(g *modelGroup, r *Registration, first, changed bool) {
	prime := r.ActingMaster != ActingMasterAbsent && r.ID != codec.MasterID && r.ID == g.ids(anyBroker)[0]
	if r.ID != codec.MasterID && !prime {
		return
	}
	if m.rules.DeleteTopicWithBrokerRegistration && len(r.Body.Mappings) == 0 {
		keys := topicKeys(r.Body)
		for topic := range m.topics {
			if !keys[topic] {
				m.dropQueues(topic, g.name)
			}
		}
	}
	for _, c := range r.Body.Topics {
		if c.Name == nil {
			continue
		}
		topic := string(c.Name)
		if _, has := m.topics[topic][g.name]; has && !first && !changed {
			continue
		}
		q := codec.QueueData{
			BrokerName: g.name, ReadQueueNums: c.ReadQueueNums, WriteQueueNums: c.WriteQueueNums,
			Perm: c.Perm, TopicSysFlag: c.TopicSysFlag,
		}
		if prime && g.acting {
			q.Perm &^= codec.PermWrite
		}
		m.putQueues(topic, q)
	}
	for _, e := range r.Body.Mappings {
		if !e.Info.BName.Valid {
			continue
		}
		if _, has := m.mappings[e.Topic][e.Info.BName.String]; has && !first && !changed {
			continue
		}
		if m.mappings[e.Topic] == nil {
			m.mappings[e.Topic] = make(map[string]modelMapping)
		}
		m.mappings[e.Topic][e.Info.BName.String] = modelMapping{owner: g.name, info: e.Info}
	}
}

func (m *model) putQueues(topic string, q codec.QueueData) {
	if m.topics[topic] == nil {
		m.topics[topic] = make(map[string]codec.QueueData)
	}
	m.topics[topic][q.BrokerName] = q
}

// dropQueues takes a topic from a group: its queues and its static mapping. The last group
// takes the topic with it, and then everything that is mapped goes.
func (m *model) dropQueues(topic, group string) bool {
	if _, has := m.topics[topic][group]; !has {
		return false
	}
	delete(m.mappings[topic], group)
	delete(m.topics[topic], group)
	m.dropIfEmpty(topic)
	return true
}

func (m *model) dropIfEmpty(topic string) {
	if len(m.topics[topic]) == 0 {
		delete(m.topics, topic)
		delete(m.mappings, topic)
	} else if len(m.mappings[topic]) == 0 {
		delete(m.mappings, topic)
	}
}

// removeGroup takes out a group without members, its queues of every topic and the static
// mappings that it brought.
func (m *model) removeGroup(g *modelGroup) {
	delete(m.groups, g.name)
	for topic, queues := range m.topics {
		if _, has := queues[g.name]; has {
			delete(queues, g.name)
			m.dropIfEmpty(topic)
		}
	}
	for topic, mappings := range m.mappings {
		maps.DeleteFunc(mappings, func(_ string, e modelMapping) bool { return e.owner == g.name })
		if len(mappings) == 0 {
			delete(m.mappings, topic)
		}
	}
}

// forget takes a registration out of the live and filter tables, unless its address has
// registered there again under another name.
func (m *model) forget(b *modelBroker) {
	if l := m.live[b.key]; l == nil || l == b {
		delete(m.live, b.key)
		delete(m.filters, b.key)
	}
}

// end is forget for a broker that has lost its place; nil is none.
func (m *model) end(b *modelBroker, reason RemoveReason) {
	if b != nil {
		m.forget(b)
		m.emit(Effect{Kind: EffectRemoved, Conn: b.conn, Reason: reason, Broker: b.key, Name: b.name, ID: b.id})
	}
}

func (m *model) emit(e Effect) { m.effects = append(m.effects, e) }

// notify is Java's notifyMinBrokerIdChanged and chooseBrokerAddrsToNotify.
func (m *model) notify(g *modelGroup, offline, ha codec.NullString) {
	if !m.rules.NotifyMinBrokerIDChanged || g.hidden() {
		return
	}
	first := g.min()
	n := &MinBrokerIDChange{MinBrokerID: first.id, MinBrokerAddr: first.key.Addr, OfflineBrokerAddr: offline, HABrokerAddr: ha}
	shown := g.ids(shownBroker)
	for _, id := range shown {
		if offline.Valid || len(shown) == 1 || id != first.id {
			n.Targets = append(n.Targets, g.members[id].key.Addr)
		}
	}
	m.emit(Effect{
		Kind: EffectNotifyMinBrokerID, Broker: BrokerKey{g.cluster, first.key.Addr},
		Name: g.name, ID: first.id, Notify: n,
	})
}

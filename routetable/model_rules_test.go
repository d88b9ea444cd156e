package routetable

import (
	"strings"

	"github.com/pharosmq/pharos/codec"
)

// unregister is Java's unRegisterBroker for one request, which does nothing when it comes
// from a connection older than the one that the broker is bound to.
func (m *model) unregister(r UnregisterRequest) bool {
	g := m.groups[r.Name]
	b, l := g.at(r.Broker.Addr), m.live[r.Broker]
	bound := l
	if bound == nil {
		bound = b
	}
	if bound != nil && r.Conn != 0 && r.Conn < bound.conn {
		return false
	}
	delete(m.live, r.Broker)
	delete(m.filters, r.Broker)
	switch {
	case b != nil:
		m.remove(b, r.ID, RemoveUnregistered)
	case g != nil:
		m.stripIfMasterless(g)
		m.tellIfSmallest(g, r.ID == g.minID(), r.Broker.Addr)
	}
	return b != nil || l != nil
}

// removeBinding is the close of a connection: Java's onChannelDestroy, for exactly the
// registration that was bound.
func (m *model) removeBinding(b Binding, token int, reason RemoveReason) bool {
	l := m.groups[b.Name].at(b.Broker.Addr)
	if l == nil || l.key != b.Broker || l.token != token {
		return false
	}
	m.remove(l, l.id, reason)
	return true
}

// modelExpired is what a scan saw of a registration.
type modelExpired struct {
	b    *modelBroker
	then modelBroker
}

// scan is Java's scanNotActiveBroker, its first half. Also registrations whose address is
// known under another name by now are in their groups and expire.
func (m *model) scan(now int64) []modelExpired {
	var list []modelExpired
	for _, g := range m.sortedGroups() {
		for _, id := range g.ids(anyBroker) {
			if b := g.members[id]; now-b.seen > b.timeout {
				list = append(list, modelExpired{b, *b})
			}
		}
	}
	return list
}

// expire is its second half: void if the broker was heard of since.
func (m *model) expire(e modelExpired) bool {
	b := e.b
	if g := m.groups[b.name]; g == nil || g.members[b.id] != b {
		return false
	}
	if b.seen != e.then.seen || b.state != e.then.state || b.token != e.then.token {
		return false
	}
	if b.conn != 0 {
		m.emit(Effect{Kind: EffectCloseConn, Conn: b.conn, Reason: RemoveExpired, Broker: b.key, Name: b.name, ID: b.id})
	}
	m.remove(b, b.id, RemoveExpired)
	return true
}

// remove takes a registration out of everything; id is the one that is said to go.
func (m *model) remove(b *modelBroker, id int64, reason RemoveReason) {
	g := m.groups[b.name]
	smallest := id == g.minID()
	delete(g.members, b.id)
	m.end(b, reason)
	if len(g.members) == 0 {
		m.removeGroup(g)
		return
	}
	m.stripIfMasterless(g)
	m.tellIfSmallest(g, smallest, b.key.Addr)
}

// tellIfSmallest is the rest of Java's unRegisterBroker: what the request's id says counts.
func (m *model) tellIfSmallest(g *modelGroup, smallest bool, offline string) {
	if smallest && g.acting {
		m.notify(g, codec.NullString{String: offline, Valid: true}, codec.NullString{})
	}
}

// stripIfMasterless takes the write bit from the topics of an acting group without master.
func (m *model) stripIfMasterless(g *modelGroup) {
	if g.acting && g.masterless() {
		m.setPerm(g.name, func(perm int32) int32 { return perm &^ codec.PermWrite })
	}
}

// setPerm is Java's operateWritePermOfBroker.
func (m *model) setPerm(group string, perm func(int32) int32) (topics int) {
	for topic, queues := range m.topics {
		if q, has := queues[group]; has {
			q.Perm = perm(q.Perm)
			m.topics[topic][group] = q
			topics++
		}
	}
	return topics
}

func (m *model) wipeWritePerm(group string) int {
	return m.setPerm(group, func(perm int32) int32 { return perm &^ codec.PermWrite })
}

func (m *model) addWritePerm(group string) int {
	return m.setPerm(group, func(int32) int32 { return codec.PermRead | codec.PermWrite })
}

// deleteTopic is Java's deleteTopic, which leaves the static mapping.
func (m *model) deleteTopic(topic, cluster string) bool {
	if cluster == "" {
		_, had := m.topics[topic]
		delete(m.topics, topic)
		delete(m.mappings, topic)
		return had
	}
	had := false
	for _, g := range m.sortedGroups() {
		if g.cluster == cluster && m.dropQueues(topic, g.name) {
			had = true
		}
	}
	return had
}

// registerTopic is Java's registerTopic.
func (m *model) registerTopic(topic string, queues []codec.QueueData) bool {
	_, known := m.topics[topic]
	good := 0
	for good < len(queues) && m.groups[queues[good].BrokerName] != nil {
		good++
	}
	if known || good == len(queues) {
		for _, q := range queues[:good] {
			m.putQueues(topic, q)
		}
	}
	return good == len(queues)
}

// heartbeat is Java's updateBrokerInfoUpdateTimestamp; it settles the doubt about a held
// broker and leaves a parked one alone.
func (m *model) heartbeat(key BrokerKey, now int64) HeartbeatStatus {
	b := m.live[key]
	switch {
	case b == nil:
		return HeartbeatUnknown
	case b.parked():
		return HeartbeatParked
	}
	b.state, b.seen = StateLive, now
	return HeartbeatRenewed
}

// rebind moves a registration to another connection.
func (m *model) rebind(b Binding, token int, to ConnID) bool {
	l := m.live[b.Broker]
	if l == nil || l.name != b.Name || l.token != token || l.state != StateLive {
		return false
	}
	l.conn, l.token = to, m.newToken()
	return true
}

// moveState holds, parks or restores. token 0 is any.
func (m *model) moveState(key BrokerKey, token int, to State, now int64) bool {
	b := m.live[key]
	if b == nil || token != 0 && token != b.token {
		return false
	}
	from, g := b.state, m.groups[b.name]
	switch {
	case to == StateHeld && from != StateLive,
		to == StateParked && from == StateParked,
		to == StateLive && from == StateLive:
		return false
	}
	before := g.min()
	b.state = to
	if to == StateLive {
		b.seen = now
	}
	after := g.min()
	switch {
	case before == nil || after == nil || before == after:
	case to == StateParked && g.acting:
		m.notify(g, codec.NullString{String: key.Addr, Valid: true}, codec.NullString{})
	case to == StateLive:
		m.notify(g, codec.NullString{}, b.haAddr)
	}
	return true
}

// isSyncTopic: brokers ask for the members of their own group by such a topic.
func isSyncTopic(topic string) bool { return strings.HasPrefix(topic, "rmq_sys_SYNC_BROKER_MEMBER_") }

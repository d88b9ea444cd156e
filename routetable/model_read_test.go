package routetable

import (
	"maps"
	"slices"
	"sort"

	"github.com/pharosmq/pharos/codec"
)

// What the model lets readers see. A group of which everything is parked is absent.

// route is Java's pickupTopicRouteData; lists are ordered by broker name.
func (m *model) route(topic string, supportActingMaster bool) (codec.TopicRouteData, bool) {
	d := codec.TopicRouteData{FilterServerTable: make(map[string][]string)}
	for _, name := range slices.Sorted(maps.Keys(m.topics[topic])) {
		g := m.groups[name]
		if g.hidden() {
			continue
		}
		q := m.topics[topic][name]
		if g.masked() {
			q.Perm &^= codec.PermWrite
		}
		b := codec.BrokerData{
			Cluster: g.cluster, BrokerName: name, BrokerAddrs: g.shownAddrs(), ZoneName: g.zone, EnableActingMaster: g.acting,
		}
		_, hasMaster := b.BrokerAddrs[codec.MasterID]
		if supportActingMaster && !isSyncTopic(topic) && g.acting && !hasMaster && q.Perm&codec.PermWrite == 0 {
			delete(b.BrokerAddrs, g.minID())
			b.BrokerAddrs[codec.MasterID] = g.min().key.Addr
		}
		d.QueueDatas = append(d.QueueDatas, q)
		d.BrokerDatas = append(d.BrokerDatas, b)
		for _, id := range g.ids(shownBroker) {
			addr := g.members[id].key.Addr
			servers := m.filters[BrokerKey{g.cluster, addr}]
			if _, has := d.FilterServerTable[addr]; !has && len(servers) > 0 {
				d.FilterServerTable[addr] = servers
			}
		}
	}
	for name, e := range m.mappings[topic] {
		if m.groups[e.owner].hidden() {
			continue
		}
		if d.TopicQueueMappingByBroker == nil {
			d.TopicQueueMappingByBroker = make(map[string]codec.TopicQueueMappingInfo)
		}
		d.TopicQueueMappingByBroker[name] = e.info
	}
	return d, len(d.QueueDatas) > 0
}

// clusterInfo is Java's getAllClusterInfo.
func (m *model) clusterInfo() codec.ClusterInfo {
	info := codec.ClusterInfo{BrokerAddrTable: make(map[string]codec.BrokerData), ClusterAddrTable: make(map[string][]string)}
	for _, g := range m.sortedGroups() {
		if g.hidden() {
			continue
		}
		info.BrokerAddrTable[g.name] = codec.BrokerData{
			Cluster: g.cluster, BrokerName: g.name, BrokerAddrs: g.shownAddrs(), ZoneName: g.zone, EnableActingMaster: g.acting,
		}
		info.ClusterAddrTable[g.cluster] = append(info.ClusterAddrTable[g.cluster], g.name)
	}
	return info
}

// memberGroup is Java's getBrokerMemberGroup.
func (m *model) memberGroup(cluster, name codec.NullString) codec.BrokerMemberGroup {
	g := codec.BrokerMemberGroup{Cluster: cluster, BrokerName: name, BrokerAddrs: map[int64]string{}}
	if found := m.groups[name.String]; found != nil && name.Valid {
		g.BrokerAddrs = found.shownAddrs()
	}
	return g
}

// shownIn returns the topic's groups that are shown, by name.
func (m *model) shownIn(topic string) []string {
	var names []string
	for name := range m.topics[topic] {
		if !m.groups[name].hidden() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// topicList returns the sorted topics that keep accepts, which is told the groups that are
// shown of the topic, at least one.
func (m *model) topicList(keep func(topic string, groups []string) bool) []string {
	list := []string{}
	for topic := range m.topics {
		if groups := m.shownIn(topic); len(groups) > 0 && keep(topic, groups) {
			list = append(list, topic)
		}
	}
	sort.Strings(list)
	return list
}

func anyTopic(string, []string) bool { return true }

// inCluster is Java's getTopicsByCluster.
func (m *model) inCluster(cluster string) func(string, []string) bool {
	return func(_ string, groups []string) bool {
		return slices.ContainsFunc(groups, func(name string) bool { return m.groups[name].cluster == cluster })
	}
}

// unit is Java's getUnitTopics and its siblings, which look at one group; here the first.
func (m *model) unit(kind UnitKind) func(string, []string) bool {
	return func(topic string, groups []string) bool {
		flag := m.topics[topic][groups[0]].TopicSysFlag
		unit, sub := flag&codec.TopicSysFlagUnit != 0, flag&codec.TopicSysFlagUnitSub != 0
		return map[UnitKind]bool{UnitTopics: unit, UnitSubTopics: sub, UnitSubNonUnitTopics: sub && !unit}[kind]
	}
}

// systemTopicList is Java's getSystemTopicList.
func (m *model) systemTopicList() codec.TopicList {
	var list codec.TopicList
	names := make(map[string]bool)
	for _, g := range m.sortedGroups() {
		if g.hidden() {
			continue
		}
		names[g.cluster], names[g.name] = true, true
		if !list.BrokerAddr.Valid {
			list.BrokerAddr = codec.NullString{String: g.min().key.Addr, Valid: true}
		}
	}
	list.Topics = slices.Sorted(maps.Keys(names))
	return list
}

// info returns a registration as BrokerInfo shows it, without its generation.
func (b *modelBroker) info() BrokerInfo {
	return BrokerInfo{
		Broker: b.key, Name: b.name, ID: b.id, DataVersion: b.dataVersion, HAServerAddr: b.haAddr,
		State: b.state, LastSeenMillis: b.seen, TimeoutMillis: b.timeout, Conn: b.conn,
	}
}

// away returns who is held or parked, in the order of modelKeys.
func (m *model) away() (keys []BrokerKey) {
	for _, key := range modelKeys {
		if l := m.live[key]; l != nil && l.state != StateLive {
			keys = append(keys, key)
		}
	}
	return keys
}

// brokers returns all registrations by group name and id.
func (m *model) brokers() []BrokerInfo {
	var list []BrokerInfo
	for _, g := range m.sortedGroups() {
		for _, id := range g.ids(anyBroker) {
			list = append(list, g.members[id].info())
		}
	}
	return list
}

// stats returns the sizes that follow from the facts.
func (m *model) stats() Stats {
	s := Stats{Topics: len(m.topics), Groups: len(m.groups), Mappings: len(m.mappings)}
	clusters := make(map[string]bool)
	for _, g := range m.groups {
		clusters[g.cluster] = true
		s.Brokers += len(g.members)
		s.Parked += len(g.members) - len(g.ids(shownBroker))
	}
	s.Clusters = len(clusters)
	shapes := make(map[string]bool)
	for _, queues := range m.topics {
		var key []byte
		for _, name := range slices.Sorted(maps.Keys(queues)) {
			q := queues[name]
			key = appendQueueFacts(key, &q)
		}
		shapes[string(key)] = true
	}
	s.Shapes = len(shapes)
	return s
}

package routetable

import (
	"maps"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// model is the route table as RouteInfoManager has it: plain maps, every rule written out
// over all topics, nothing shared, indexed, remembered or put off. It was written from the
// rules of Java, not from this package, and deviates from them only where the comments of
// register.go, unregister.go, states.go, mapping.go and topic_delete.go say that the table
// does, on purpose. It is for one goroutine, so it does without Java's one lock.
type model struct {
	topics   map[string]map[string]codec.QueueData // topicQueueTable
	groups   map[string]*modelGroup                // brokerAddrTable; clusterAddrTable follows from it
	live     map[BrokerKey]*modelBroker            // brokerLiveTable
	filters  map[BrokerKey][]string                // filterServerTable
	mappings map[string]map[string]modelMapping    // topicQueueMappingInfoTable

	rules   Rules
	effects []Effect // of the operations since they were last taken
	tokens  int      // bindings handed out
}

// modelGroup is a broker group (Java: BrokerData).
type modelGroup struct {
	name, cluster string
	zone          codec.NullString
	acting        bool
	members       map[int64]*modelBroker
}

// modelBroker is a registration (Java: BrokerLiveInfo and the address in BrokerData).
type modelBroker struct {
	key         BrokerKey
	name        string
	id          int64
	dataVersion codec.DataVersion
	haAddr      codec.NullString
	state       State
	seen        int64
	timeout     int64
	conn        ConnID
	// token stands for the binding that is valid: each registration and rebinding draws a
	// new one. 0 is none.
	token int
}

// modelMapping is a static mapping and the group whose registration brought it.
type modelMapping struct {
	owner string
	info  codec.TopicQueueMappingInfo
}

func newModel() *model {
	return &model{
		topics:   make(map[string]map[string]codec.QueueData),
		groups:   make(map[string]*modelGroup),
		live:     make(map[BrokerKey]*modelBroker),
		filters:  make(map[BrokerKey][]string),
		mappings: make(map[string]map[string]modelMapping),
	}
}

func (m *model) newToken() int {
	m.tokens++
	return m.tokens
}

func (b *modelBroker) parked() bool { return b.state == StateParked }

// ids returns the ids of the members that keep accepts, sorted.
func (g *modelGroup) ids(keep func(*modelBroker) bool) []int64 {
	var ids []int64
	for id, b := range g.members {
		if keep(b) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func anyBroker(*modelBroker) bool { return true }

func shownBroker(b *modelBroker) bool { return !b.parked() }

// min returns the member with the smallest id that is shown, nil when there is none. It
// may be asked of no group.
func (g *modelGroup) min() *modelBroker {
	if g == nil {
		return nil
	}
	var first *modelBroker
	for _, b := range g.members {
		if !b.parked() && (first == nil || b.id < first.id) {
			first = b
		}
	}
	return first
}

// minID is Java's prevMinBrokerId: 0 stands for no member too.
func (g *modelGroup) minID() int64 {
	if b := g.min(); b != nil {
		return b.id
	}
	return 0
}

func (g *modelGroup) hidden() bool { return g.min() == nil }

// masterless is Java's isNoMasterExists: parked members are still here.
func (g *modelGroup) masterless() bool { return g.ids(anyBroker)[0] > codec.MasterID }

// masked: the group's master is parked. An acting group whose master had gone would have
// lost the write bit of its topics; here it is only shown without.
func (g *modelGroup) masked() bool {
	return g.acting && !g.hidden() && g.minID() > codec.MasterID && !g.masterless()
}

// at returns the member at an address, nil when there is none.
func (g *modelGroup) at(addr string) *modelBroker {
	if g == nil {
		return nil
	}
	for _, b := range g.members {
		if b.key.Addr == addr {
			return b
		}
	}
	return nil
}

// shownAddrs returns what readers see of the members.
func (g *modelGroup) shownAddrs() map[int64]string {
	addrs := make(map[int64]string)
	for id, b := range g.members {
		if !b.parked() {
			addrs[id] = b.key.Addr
		}
	}
	return addrs
}

// sortedGroups returns all groups by name.
func (m *model) sortedGroups() []*modelGroup {
	list := make([]*modelGroup, 0, len(m.groups))
	for _, name := range slices.Sorted(maps.Keys(m.groups)) {
		list = append(list, m.groups[name])
	}
	return list
}

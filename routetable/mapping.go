package routetable

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/pharosmq/pharos/codec"
)

// mappingTable is a snapshot's topicQueueMappingInfoTable: which broker hosts which queues
// of a static topic. Shards are copied on write; nil shards are empty.
type mappingTable struct {
	seed   maphash.Seed
	shards [mappingShards]map[string]*topicMapping
	topics int
	// drops counts removals of entries. Whoever brought one that was removed, or had it
	// overwritten by another group, would store it again: remembered digests of bodies with
	// mappings are void when it moves.
	drops uint64
}

const mappingShards = 64

// topicMapping is one topic's entries, ordered by broker name. Immutable.
type topicMapping struct{ entries []brokerMapping }

// brokerMapping is one broker's share, stored under the bname that it names itself.
type brokerMapping struct {
	broker string
	owner  string // the group whose registration brought it: when that goes, so does it
	info   codec.TopicQueueMappingInfo
	json   [dialects]encodedJSON // "broker":{...}
}

func (t *mappingTable) find(topic []byte) *topicMapping {
	if t.topics == 0 {
		return nil
	}
	return t.shards[maphash.Bytes(t.seed, topic)%mappingShards][string(topic)]
}

// at returns the position of a broker in the entries, and whether it is there.
func (m *topicMapping) at(broker string) (int, bool) {
	if m == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(m.entries, broker, func(e brokerMapping, b string) int {
		return cmp.Compare(e.broker, b)
	})
}

func newBrokerMapping(owner string, info *codec.TopicQueueMappingInfo) brokerMapping {
	m := brokerMapping{broker: info.BName.String, owner: owner, info: *info}
	for d := range codec.Dialect(dialects) {
		m.json[d] = append(codec.AppendJSONString(nil, m.broker, d), ':')
		m.json[d] = codec.AppendTopicQueueMappingInfo(m.json[d], info, d)
	}
	return m
}

// appendTo appends ,"topicQueueMappingByBroker":{...} without the entries of hidden groups.
func (m *topicMapping) appendTo(dst []byte, v *groupView, d codec.Dialect) []byte {
	dst = append(dst, `,"topicQueueMappingByBroker":{`...)
	sep := false
	for i := range m.entries {
		if m.entries[i].hidden(v) {
			continue
		}
		if sep {
			dst = append(dst, ',')
		}
		sep = true
		dst = append(dst, m.entries[i].json[d]...)
	}
	return append(dst, '}')
}

// hidden reports whether the group that brought the entry is parked as a whole.
func (m *brokerMapping) hidden(v *groupView) bool {
	return v.hidden > 0 && v.named(m.owner).visible == 0
}

// visible reports whether any entry is shown.
func (m *topicMapping) visible(v *groupView) bool {
	return m != nil && (v.hidden == 0 || slices.ContainsFunc(m.entries, func(e brokerMapping) bool { return !e.hidden(v) }))
}

// mappingDraft is the writer's copy of a mappingTable.
type mappingDraft struct {
	*mappingTable
	owned  bool
	shards uint64
}

func (d *mappingDraft) own(shard int) map[string]*topicMapping {
	if !d.owned {
		c := *d.mappingTable
		d.mappingTable, d.owned = &c, true
	}
	m := d.mappingTable.shards[shard]
	if d.shards&(1<<shard) == 0 {
		d.shards |= 1 << shard
		if m = maps.Clone(m); m == nil {
			m = make(map[string]*topicMapping)
		}
		d.mappingTable.shards[shard] = m
	}
	return m
}

// set stores entries for a topic; none removes it.
func (d *mappingDraft) set(topic string, entries []brokerMapping) {
	m := d.own(int(maphash.String(d.seed, topic) % mappingShards))
	_, had := m[topic]
	if len(entries) == 0 {
		delete(m, topic)
		if had {
			d.topics--
		}
		return
	}
	m[topic] = &topicMapping{entries}
	if !had {
		d.topics++
	}
}

// put stores one broker's share of a topic.
func (d *mappingDraft) put(topic string, m brokerMapping) {
	old := d.find([]byte(topic))
	i, found := old.at(m.broker)
	if old == nil {
		d.set(topic, []brokerMapping{m})
		return
	}
	entries := slices.Clone(old.entries)
	if found {
		entries[i] = m
	} else {
		entries = slices.Insert(entries, i, m)
	}
	d.set(topic, entries)
}

// dropOwned removes the entries that groups of these names brought.
func (d *mappingDraft) dropOwned(names map[string]bool) {
	if d.topics == 0 {
		return
	}
	for _, shard := range d.mappingTable.shards {
		for topic := range shard {
			d.drop(topic, func(m *brokerMapping) bool { return names[m.owner] })
		}
	}
}

// drop removes the entries of a topic that gone says are to go.
func (d *mappingDraft) drop(topic string, gone func(*brokerMapping) bool) {
	m := d.find([]byte(topic))
	if m == nil || !slices.ContainsFunc(m.entries, func(e brokerMapping) bool { return gone(&e) }) {
		return
	}
	d.set(topic, slices.DeleteFunc(slices.Clone(m.entries), func(e brokerMapping) bool { return gone(&e) }))
	d.drops++
}

func anyMapping(*brokerMapping) bool { return true }

// mappedTo accepts the entries of a broker.
func mappedTo(broker string) func(*brokerMapping) bool {
	return func(m *brokerMapping) bool { return m.broker == broker }
}

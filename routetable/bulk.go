package routetable

import "github.com/pharosmq/pharos/codec"

// Operations on a whole broker group go over shapes, not topics: each affected shape is
// transformed once, and then the topics' shape ids are renamed in one plain pass. Topic
// counts come from the shapes' reference counts.

// bulk is what removals have left to do over all topics. It is put off so that a mass
// disconnect walks the topics once, as Java's batch does.
type bulk struct {
	removed map[uint32]string // groups that are gone, by index: name
	strip   map[uint32]bool   // acting groups that lost their master: write bit goes
}

func (b *bulk) empty() bool { return len(b.removed) == 0 && len(b.strip) == 0 }

// flush does what removals have put off. Every operation that reads topics begins with it.
func (x *Txn) flush() {
	if x.gone.empty() {
		return
	}
	gone := x.gone
	x.gone = bulk{}
	x.transform(func(next []member, old []member) []member {
		for _, m := range old {
			if _, ok := gone.removed[m.group]; ok {
				continue
			}
			if gone.strip[m.group] {
				m.perm &^= codec.PermWrite
			}
			next = append(next, m)
		}
		return next
	})
	if len(gone.removed) == 0 {
		return
	}
	names := make(map[string]bool, len(gone.removed))
	for index, name := range gone.removed {
		names[name] = true
		x.w.freeGroups = append(x.w.freeGroups, index)
	}
	x.mappings.dropOwned(names)
	// The indexes may now come back under other names, which sort elsewhere.
	x.w.memoGen++
}

// transform replaces every shape by what edit makes of its members. edit appends to next;
// applied to its own result it must change nothing.
func (x *Txn) transform(edit func(next, old []member) []member) {
	w := x.w
	if cap(w.remap) < len(w.refs) {
		w.remap = make([]uint32, len(w.refs)+len(w.refs)/4)
	}
	remap := w.remap[:len(w.refs)]
	clear(remap)
	any := false
	for id := 1; id < len(remap); id++ {
		if w.refs[id] == 0 {
			continue
		}
		old := x.shapes.at(uint32(id)).members
		next := edit(w.scratch[:0], old)
		w.scratch = next
		if len(next) == len(old) && string(memberBytesOf(next)) == string(memberBytesOf(old)) {
			continue
		}
		remap[id] = x.shapeFor(next) + 1
		any = true
	}
	if any {
		x.rename(remap)
	}
}

// rename gives every topic whose shape id has an entry in remap the shape entry-1.
func (x *Txn) rename(remap []uint32) {
	x.forgetMappings(remap)
	for c := range x.topics.shapes {
		chunk := x.topics.shapes[c]
		for i, id := range chunk {
			if int(id) >= len(remap) || remap[id] == 0 {
				continue
			}
			x.ownIDChunk(c)[i] = remap[id] - 1
		}
	}
	for id, to := range remap {
		if to != 0 {
			x.moveRefs(uint32(id), to-1, x.w.refs[id])
		}
	}
}

// forgetMappings drops the static mapping of the topics that are about to vanish.
func (x *Txn) forgetMappings(remap []uint32) {
	if x.mappings.topics == 0 {
		return
	}
	for _, shard := range x.mappings.mappingTable.shards {
		for topic := range shard {
			id, ok := x.findTopic([]byte(topic))
			if ok && remap[x.shapeID(id)] == 1 {
				x.mappings.drop(topic, anyMapping)
			}
		}
	}
}

// countTopics returns how many topics have a shape that has the group.
func (x *Txn) countTopics(group uint32) int {
	n := 0
	for id := 1; id < len(x.w.refs); id++ {
		if refs := x.w.refs[id]; refs != 0 && findMember(x.shapes.at(uint32(id)).members, group) >= 0 {
			n += int(refs)
		}
	}
	return n
}

// forgetMappingsOf drops the static mappings of the topics that a group is about to lose:
// all that it has and that are not named.
func (x *Txn) forgetMappingsOf(g *group, named []bool) {
	if x.mappings.topics == 0 || g == nil {
		return
	}
	for _, shard := range x.mappings.mappingTable.shards {
		for topic := range shard {
			id, ok := x.findTopic([]byte(topic))
			if !ok || named[id] {
				continue
			}
			members := x.members(x.shapeID(id))
			switch {
			case findMember(members, g.index) < 0:
			case len(members) == 1: // the topic goes altogether
				x.mappings.drop(topic, anyMapping)
			default:
				x.mappings.drop(topic, mappedTo(g.name))
			}
		}
	}
}

package routetable

import (
	"fmt"
	"hash/maphash"
	"slices"
)

// checkInvariants compares everything that is counted, indexed or derived in the table
// with what it was derived from. No transaction may run meanwhile.
func (t *Table) checkInvariants() error {
	s := t.Snapshot()
	for _, check := range []func(*Snapshot) error{t.checkTopics, t.checkShapes, t.checkGroups, t.checkLive, t.checkFilters, t.checkMappings} {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) checkTopics(s *Snapshot) error {
	w := t.writer
	refs := make(map[uint32]uint32)
	names := make(map[string]bool)
	var bad error
	s.topics.each(func(name []byte, shape uint32) bool {
		refs[shape]++
		if names[string(name)] {
			bad = fmt.Errorf("topic %q twice", name)
		}
		names[string(name)] = true
		if got := s.topics.shapeOf(name); got != shape {
			bad = fmt.Errorf("topic %q: found shape %d, has %d", name, got, shape)
		}
		return true
	})
	if bad != nil {
		return bad
	}
	if len(names) != s.topics.live {
		return fmt.Errorf("%d topics, counted %d", len(names), s.topics.live)
	}
	for id, n := range w.refs {
		if refs[uint32(id)] != n {
			return fmt.Errorf("shape %d has %d topics, counted %d", id, refs[uint32(id)], n)
		}
	}
	if dead := int(s.topics.names) - s.topics.live; dead > max(deadNamesMin, s.topics.live/4) {
		return fmt.Errorf("%d dead names beside %d topics", dead, s.topics.live)
	}
	return nil
}

func (t *Table) checkShapes(s *Snapshot) error {
	w, count := t.writer, 0
	for id := 0; id < s.shapes.len(); id++ {
		sh := s.shapes.at(uint32(id))
		if sh == nil {
			if id < len(w.refs) && w.refs[id] != 0 {
				return fmt.Errorf("shape %d has topics but is nil", id)
			}
			continue
		}
		count++
		if sh.id != uint32(id) || w.refs[id] == 0 {
			return fmt.Errorf("shape %d: id %d, %d topics", id, sh.id, w.refs[id])
		}
		if sh.hash != maphash.Bytes(w.seed, memberBytesOf(sh.members)) || w.intern.find(&shapeTable{chunks: s.shapes.chunks}, sh.hash, sh.members) != sh.id {
			return fmt.Errorf("shape %d is not interned", id)
		}
		for i, m := range sh.members {
			if int(m.group) >= len(s.view.groups) || s.view.groups[m.group] == nil {
				return fmt.Errorf("shape %d names group %d, which is gone", id, m.group)
			}
			if i > 0 && s.view.groups[sh.members[i-1].group].name >= s.view.groups[m.group].name {
				return fmt.Errorf("shape %d is not in the order of names", id)
			}
		}
	}
	if count != s.shapes.count || count != w.intern.count || len(w.freeShapes)+count+1 != len(w.refs) {
		return fmt.Errorf("%d shapes: counted %d, interned %d, free %d of %d ids", count, s.shapes.count, w.intern.count, len(w.freeShapes), len(w.refs))
	}
	return nil
}

func (t *Table) checkGroups(s *Snapshot) error {
	v := s.view
	var sum groupView
	names := 0
	for i, g := range v.groups {
		if g == nil {
			if !slices.Contains(t.writer.freeGroups, uint32(i)) || v.shown[i] != 0 {
				return fmt.Errorf("group index %d is nil but not free", i)
			}
			continue
		}
		names++
		sum.count(g, 1)
		if g.index != uint32(i) || v.named(g.name) != g || v.shown[i] != g.shown || !slices.Contains(v.clusters[g.cluster], g.name) {
			return fmt.Errorf("group %s is not where it should be", g.name)
		}
		if len(g.addrs) == 0 || !slices.IsSortedFunc(g.addrs, func(a, b groupAddr) int { return int(a.id - b.id) }) {
			return fmt.Errorf("group %s: addresses %v", g.name, g.addrs)
		}
		c := *g
		if c.encode(); string(c.brokerData[1][1]) != string(g.brokerData[1][1]) || c.visible != g.visible || c.maskWrite != g.maskWrite {
			return fmt.Errorf("group %s is encoded wrongly", g.name)
		}
	}
	if names != len(v.byName) || sum.hidden != v.hidden || sum.acting != v.acting || sum.members != v.members || sum.parked != v.parked {
		return fmt.Errorf("groups: counted %+v, are %+v", v, sum)
	}
	listed := 0
	for c, list := range v.clusters {
		listed += len(list)
		if len(list) == 0 || !slices.IsSorted(list) {
			return fmt.Errorf("cluster %s: %v", c, list)
		}
	}
	if listed != names {
		return fmt.Errorf("%d groups, listed %d times under clusters", names, listed)
	}
	return nil
}

func (t *Table) checkLive(s *Snapshot) error {
	for i := range s.live.shards {
		for key, l := range s.live.shards[i] {
			g := s.view.groups[l.group]
			if g == nil || g.name != l.name || !g.holds(l) || key != string(appendLiveKey(nil, l.key.Cluster, l.key.Addr)) {
				return fmt.Errorf("registration %v of %s is in no group", l.key, l.name)
			}
		}
	}
	for _, g := range s.view.groups {
		if g == nil {
			continue
		}
		for _, a := range g.addrs {
			l, w := a.live, a.live.leaf.load()
			if l.id != a.id || l.key.Addr != a.addr || l.name != g.name || l.group != g.index {
				return fmt.Errorf("group %s: member %d holds %+v", g.name, a.id, l.key)
			}
			if w.state() == StateRemoved || (w.state() == StateParked) != a.parked {
				return fmt.Errorf("group %s: member %d parked %v, leaf in state %d", g.name, a.id, a.parked, w.state())
			}
			if generation, _ := l.conn.load(); generation != w.generation() {
				return fmt.Errorf("group %s: member %d bound under generation %d, is at %d", g.name, a.id, generation, w.generation())
			}
		}
	}
	return nil
}

func (t *Table) checkFilters(s *Snapshot) error {
	held := make(map[string]bool)
	for _, g := range s.view.groups {
		if g == nil {
			continue
		}
		for _, a := range g.addrs {
			held[string(appendLiveKey(nil, a.live.key.Cluster, a.addr))] = true
		}
		if got, want := len(g.filters), len(s.filters.entries(g.cluster, g.addrs)); got != want {
			return fmt.Errorf("group %s shows %d filter entries, has %d", g.name, got, want)
		}
	}
	for key := range s.filters.servers {
		if !held[key] {
			return fmt.Errorf("filter servers of %q, who is gone", key)
		}
	}
	return nil
}

func (t *Table) checkMappings(s *Snapshot) error {
	topics := 0
	for i := range s.mappings.shards {
		for topic, m := range s.mappings.shards[i] {
			topics++
			for _, e := range m.entries {
				if s.view.named(e.owner) == nil {
					return fmt.Errorf("mapping of %s by %s, which is gone", topic, e.owner)
				}
			}
		}
	}
	if topics != s.mappings.topics {
		return fmt.Errorf("%d mappings, counted %d", topics, s.mappings.topics)
	}
	return nil
}

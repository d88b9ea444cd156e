package routetable

import (
	"hash/maphash"
	"slices"
)

// topicID returns the id of a topic's name, adding the name if it is new. The caller gives
// the topic a shape before it adds another: a name without a shape may lose its place in
// the dictionary when that grows.
func (x *Txn) topicID(name []byte) uint32 {
	t := &x.topics
	if id, ok := x.names.next(t.chunks, t.names, name); ok && x.shapeID(id) != 0 {
		return id
	}
	hash := t.dict.hash(name)
	if id, ok := t.dict.find(t.chunks, t.names, name, hash); ok {
		x.names.behind(t.chunks, t.dict.probe(hash))
		return id
	}
	a := &x.w.arena
	if t.dict.full(t.names) {
		t.dict = x.growDict()
	}
	id, chunk, offset := a.add(name)
	t.dict.insert(hash, chunk, offset)
	t.chunks, t.names = a.chunks, a.names
	x.names = nameRun{chunk: len(a.chunks) - 1, offset: a.used}
	return id
}

// growDict returns a dictionary of twice the size over the same records. Names without a
// shape are left out: after a transaction that was thrown away a name may have two
// records, and only the one with a shape counts.
func (x *Txn) growDict() *dict {
	t := &x.topics
	d := &dict{seed: t.dict.seed, slots: make([]uint64, 2*len(t.dict.slots))}
	eachRecord(t.chunks, t.names, func(id uint32, name []byte, chunk, offset int) bool {
		if x.shapeID(id) != 0 {
			d.insert(d.hash(name), chunk, offset)
		}
		return true
	})
	return d
}

// findTopic returns the id of a topic's name if it is known.
func (x *Txn) findTopic(name []byte) (uint32, bool) {
	t := &x.topics
	return t.dict.find(t.chunks, t.names, name, t.dict.hash(name))
}

// shapeID returns the shape id of a topic id.
func (x *Txn) shapeID(topic uint32) uint32 {
	if chunk := topic / idChunkLen; int(chunk) < len(x.topics.shapes) {
		return x.topics.shapes[chunk][topic%idChunkLen]
	}
	return 0
}

// members returns the members of a shape id, none for 0. They must not be changed.
func (x *Txn) members(shape uint32) []member {
	if shape == 0 {
		return nil
	}
	return x.shapes.at(shape).members
}

// setShape gives a topic another shape; 0 deletes it.
func (x *Txn) setShape(topic, shape uint32) {
	old := x.shapeID(topic)
	if old == shape {
		return
	}
	x.ownIDChunk(int(topic / idChunkLen))[topic%idChunkLen] = shape
	x.moveRefs(old, shape, 1)
}

// moveRefs accounts for n topics that moved from one shape to another.
func (x *Txn) moveRefs(from, to uint32, n uint32) {
	x.changes++
	if (from == 0 || to == 0) && x.topics.list == x.base.topics.list {
		x.topics.list = new(topicList)
	}
	if from == 0 {
		x.topics.live += int(n)
	} else if x.w.refs[from] -= n; x.w.refs[from] == 0 {
		x.w.zero = append(x.w.zero, from)
	}
	if to == 0 {
		x.topics.live -= int(n)
	} else {
		x.w.refs[to] += n
	}
}

// ownIDChunk returns a chunk of shape ids that may be written.
func (x *Txn) ownIDChunk(chunk int) *[idChunkLen]uint32 {
	t, w := &x.topics, x.w
	if !x.ownIDs {
		t.shapes, x.ownIDs = slices.Clone(t.shapes), true
	}
	for chunk >= len(t.shapes) {
		t.shapes = append(t.shapes, new([idChunkLen]uint32))
		w.idChunkTxn = stamp(w.idChunkTxn, len(t.shapes)-1, w.txn)
	}
	if chunk >= len(w.idChunkTxn) || w.idChunkTxn[chunk] != w.txn {
		c := *t.shapes[chunk]
		t.shapes[chunk] = &c
		w.idChunkTxn = stamp(w.idChunkTxn, chunk, w.txn)
	}
	return t.shapes[chunk]
}

// stamp notes that the transaction owns a chunk.
func stamp(stamps []uint64, chunk int, txn uint64) []uint64 {
	for chunk >= len(stamps) {
		stamps = append(stamps, 0)
	}
	stamps[chunk] = txn
	return stamps
}

// shapeFor returns the id of the shape with these members, 0 for none. It copies members
// if it keeps them.
func (x *Txn) shapeFor(members []member) uint32 {
	if len(members) == 0 {
		return 0
	}
	w := x.w
	hash := maphash.Bytes(w.seed, memberBytesOf(members))
	if id := w.intern.find(&x.shapes, hash, members); id != 0 {
		return id
	}
	s := newShape(hash, members)
	if n := len(w.freeShapes); n > 0 {
		s.id, w.freeShapes = w.freeShapes[n-1], w.freeShapes[:n-1]
	} else {
		s.id = uint32(len(w.refs))
		w.refs = append(w.refs, 0)
	}
	x.ownShapeChunk(int(s.id / shapeChunkLen))[s.id%shapeChunkLen] = s
	x.shapes.count++
	w.intern.insert(s)
	w.zero = append(w.zero, s.id) // until a topic takes it
	return s.id
}

// ownShapeChunk returns a chunk of shapes that may be written.
func (x *Txn) ownShapeChunk(chunk int) *[shapeChunkLen]*shape {
	t, w := &x.shapes, x.w
	if !x.ownShapes {
		t.chunks, x.ownShapes = slices.Clone(t.chunks), true
	}
	for chunk >= len(t.chunks) {
		t.chunks = append(t.chunks, new([shapeChunkLen]*shape))
		w.shapeChunkTxn = stamp(w.shapeChunkTxn, len(t.chunks)-1, w.txn)
	}
	if chunk >= len(w.shapeChunkTxn) || w.shapeChunkTxn[chunk] != w.txn {
		c := *t.chunks[chunk]
		t.chunks[chunk] = &c
		w.shapeChunkTxn = stamp(w.shapeChunkTxn, chunk, w.txn)
	}
	return t.chunks[chunk]
}

// freeShapes drops the shapes that no topic has any more. It is the last thing that is
// done to them: inside a transaction a shape may lose its topics and find others.
func (x *Txn) freeShapes(budget *bodyBudget) {
	w := x.w
	for _, id := range w.zero {
		if w.refs[id] != 0 || x.shapes.at(id) == nil {
			continue // found topics again, or listed twice
		}
		s := x.shapes.at(id)
		w.intern.remove(s)
		x.ownShapeChunk(int(id / shapeChunkLen))[id%shapeChunkLen] = nil
		x.shapes.count--
		w.freeShapes = append(w.freeShapes, id)
		s.kill(budget)
	}
	w.zero = w.zero[:0]
}

// putMember returns the shape that a shape becomes when m is put into it: added in the
// order of broker names, or instead of the group's present one.
func (x *Txn) putMember(shape uint32, m member) uint32 {
	w := x.w
	e := x.w.memoAt(shape, m)
	if e.gen == w.memoGen && e.from == shape && e.put == m {
		return e.to
	}
	old := x.members(shape)
	next := append(w.scratch[:0], old...)
	if i := findMember(old, m.group); i >= 0 {
		next[i] = m
	} else {
		name := x.view.groups[m.group].name
		i, _ := slices.BinarySearchFunc(next, name, func(n member, name string) int {
			if x.view.groups[n.group].name < name {
				return -1
			}
			return 1
		})
		next = slices.Insert(next, i, m)
	}
	w.scratch = next
	*e = memoEntry{gen: w.memoGen, from: shape, put: m, to: x.shapeFor(next)}
	return e.to
}

// dropMembers returns the shape that a shape becomes without the members that gone names.
func (x *Txn) dropMembers(shape uint32, gone func(group uint32) bool) uint32 {
	next := x.w.scratch[:0]
	old := x.members(shape)
	for i := range old {
		if !gone(old[i].group) {
			next = append(next, old[i])
		}
	}
	x.w.scratch = next
	if len(next) == len(old) {
		return shape
	}
	return x.shapeFor(next)
}

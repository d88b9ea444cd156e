package routetable

// Nothing of vanished topics stays: names without a topic and shape ids without a shape
// are dropped once they are many, at a cost that the vanishing has paid for.

const (
	deadNamesMin    = 1024 // fewer dead names are never worth a rebuild
	sparseShapesMin = 4096 // nor are fewer shape ids
)

// compact rebuilds what has become mostly empty.
func (x *Txn) compact() {
	dead := int(x.topics.names) - x.topics.live
	if dead > max(deadNamesMin, x.topics.live/4) {
		x.compactNames()
	}
	if n := len(x.w.refs); n > sparseShapesMin && x.shapes.count < n/4 {
		x.compactShapes()
	}
}

// compactNames gives the topics new ids in a new dictionary without dead names.
func (x *Txn) compactNames() {
	var (
		old    = x.topics
		a      = new(arena)
		d      = newDict(old.dict.seed, old.live)
		shapes = make([]*[idChunkLen]uint32, (old.live+idChunkLen-1)/idChunkLen)
	)
	for i := range shapes {
		shapes[i] = new([idChunkLen]uint32)
	}
	eachRecord(old.chunks, old.names, func(oldID uint32, name []byte, _, _ int) bool {
		if s := x.shapeID(oldID); s != 0 {
			id, chunk, offset := a.add(name)
			d.insert(d.hash(name), chunk, offset)
			shapes[id/idChunkLen][id%idChunkLen] = s
		}
		return true
	})
	x.topics = topicTable{dict: d, chunks: a.chunks, names: a.names, shapes: shapes, live: old.live, list: old.list}
	x.ownIDs, x.compacted = true, a
	x.w.idChunkTxn = make([]uint64, len(shapes))
	for i := range shapes {
		x.w.idChunkTxn[i] = x.w.txn
	}
}

// compactShapes numbers the shapes anew. Old snapshots keep their own tables; they share
// the shapes, but only the writer reads a shape's id.
func (x *Txn) compactShapes() {
	w, old := x.w, x.shapes
	renamed := make([]uint32, len(w.refs))
	refs := []uint32{0}
	x.shapes, x.ownShapes = shapeTable{}, true
	w.shapeChunkTxn, w.freeShapes, w.intern, w.remap = nil, nil, internTable{}, nil
	for id, n := range w.refs {
		if n == 0 {
			continue
		}
		s := old.at(uint32(id))
		s.id = uint32(len(refs))
		renamed[id] = s.id
		refs = append(refs, n)
		x.ownShapeChunk(int(s.id / shapeChunkLen))[s.id%shapeChunkLen] = s
		x.shapes.count++
		w.intern.insert(s)
	}
	w.refs = refs
	for c := range x.topics.shapes {
		chunk := x.ownIDChunk(c)
		for i, id := range chunk {
			chunk[i] = renamed[id]
		}
	}
}

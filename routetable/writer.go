package routetable

import "hash/maphash"

// writer is what only the one writer needs: indexes over the newest snapshot and scratch
// space. It can be rebuilt from a snapshot (reset), which is what happens when a
// transaction is thrown away.
type writer struct {
	seed       maphash.Seed
	txn        uint64 // number of the transaction; chunks stamped with it are owned
	versions   uint64 // last version drawn for groups and epochs
	generation uint32 // last generation drawn for a new registration

	arena arena // the newest dictionary's records

	refs       []uint32 // topics per shape id
	intern     internTable
	freeShapes []uint32 // shape ids to be used again
	freeGroups []uint32 // group indexes to be used again
	zero       []uint32 // shape ids that lost their last topic in this transaction

	idChunkTxn    []uint64 // per chunk of topicTable.shapes: transaction that copied it
	shapeChunkTxn []uint64 // per chunk of shapeTable.chunks

	memo    [memoLen]memoEntry
	memoGen uint64 // entries of another are void

	scratch []member
	remap   []uint32
}

// memoEntry remembers what became of a shape when one member was put: the next of 10,000
// alike topics costs a comparison.
type memoEntry struct {
	gen  uint64
	from uint32
	to   uint32
	put  member
}

const memoLen = 1024

func newWriter(seed maphash.Seed) *writer {
	return &writer{seed: seed, refs: make([]uint32, 1)}
}

// drawVersion returns a number never used before.
func (w *writer) drawVersion() uint64 {
	w.versions++
	return w.versions
}

// drawGeneration returns the generation that a new registration starts with.
func (w *writer) drawGeneration() uint32 {
	w.generation = nextGeneration(w.generation)
	return w.generation
}

// passGeneration sees to it that generations drawn from now on are later than one that a
// registration has reached: what was decided about that one must not fit the next.
func (w *writer) passGeneration(generation uint32) {
	if (generation-w.generation)&generationMask <= generationMask/2 {
		w.generation = generation
	}
}

// reset rebuilds the indexes from s. What a thrown-away transaction added to the
// dictionary stays in the arena as names without a shape.
func (w *writer) reset(s *Snapshot) {
	w.txn++
	w.memoGen++
	w.zero = w.zero[:0]
	w.refs = make([]uint32, max(1, s.shapes.len()))
	for _, chunk := range s.topics.shapes {
		for _, id := range chunk {
			if id != 0 {
				w.refs[id]++
			}
		}
	}
	w.intern = internTable{}
	w.freeShapes = w.freeShapes[:0]
	for id := s.shapes.len() - 1; id > 0; id-- {
		if sh := s.shapes.at(uint32(id)); sh != nil {
			w.intern.insert(sh)
		} else {
			w.freeShapes = append(w.freeShapes, uint32(id))
		}
	}
	w.freeGroups = w.freeGroups[:0]
	for i := len(s.view.groups) - 1; i >= 0; i-- {
		if s.view.groups[i] == nil {
			w.freeGroups = append(w.freeGroups, uint32(i))
		}
	}
}

func (w *writer) memoAt(from uint32, m member) *memoEntry {
	h := uint64(from)*0x9E3779B97F4A7C15 ^ uint64(m.group)*0xC2B2AE3D27D4EB4F
	h ^= uint64(uint32(m.read))<<32 | uint64(uint32(m.write))
	h ^= uint64(uint32(m.perm))<<16 ^ uint64(uint32(m.sysFlag))<<48
	h *= 0x9E3779B97F4A7C15
	return &w.memo[h>>(64-10)]
}

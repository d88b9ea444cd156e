package routetable

import "slices"

// Txn is a transaction: the next Snapshot while it is being built. It is valid during the
// function given to Table.Update. Each operation sees what those before it did.
type Txn struct {
	base  *Snapshot
	w     *writer
	rules Rules

	topics   topicTable
	shapes   shapeTable
	view     viewDraft
	live     liveDraft
	mappings mappingDraft
	filters  *filterTable

	ownIDs    bool   // topics.shapes is ours
	ownShapes bool   // shapes.chunks is ours
	compacted *arena // records of the dictionary that replaces the old one

	names    nameRun // through the topics of a registration
	gone     bulk    // what removals have left to do over all topics
	effects  []Effect
	changes  int    // things readers can see that were changed
	work     int    // topics touched, to bound a group commit
	swaps    []swap // of leaves, to be undone
	renewals []renewal
}

// swap is a change of a leaf made before publication.
type swap struct {
	live      *brokerLive
	old, next leafWord
}

// renewal is what is stored in a registration's shared fields after publication.
type renewal struct {
	live          *brokerLive
	generation    uint32
	conn          ConnID
	timeoutMillis int64
	remember      rememberedDigest // zero: nothing to remember
}

// begin starts a transaction on the newest snapshot.
func (t *Table) begin() *Txn {
	s, w := t.root.Load(), t.writer
	w.txn++
	w.memoGen++
	x := &Txn{
		base: s, w: w,
		topics: *s.topics, shapes: *s.shapes,
		view: viewDraft{groupView: s.view}, live: liveDraft{liveTable: s.live},
		mappings: mappingDraft{mappingTable: s.mappings}, filters: s.filters,
	}
	x.topics.chunks, x.topics.names = w.arena.chunks, w.arena.names
	return x
}

// swapLeaf changes a registration's leaf if it still reads old.
func (x *Txn) swapLeaf(l *brokerLive, old, next leafWord) bool {
	if !l.leaf.swap(old, next) {
		return false
	}
	x.swaps = append(x.swaps, swap{l, old, next})
	return true
}

// endLeaf makes a registration's leaf final, whatever happened to it meanwhile, and returns
// what it read last.
func (x *Txn) endLeaf(l *brokerLive) leafWord {
	for {
		w := l.leaf.load()
		if w.state() == StateRemoved || x.swapLeaf(l, w, w.withState(StateRemoved)) {
			x.w.passGeneration(w.generation())
			return w
		}
	}
}

// abort undoes what the transaction did outside its own memory.
func (x *Txn) abort() {
	for _, s := range slices.Backward(x.swaps) {
		s.undo()
	}
	x.w.reset(x.base)
}

// undo takes a swap back. What others have done to the leaf since then stays: they can
// only have renewed it.
func (s *swap) undo() {
	if s.live.leaf.swap(s.next, s.old) || s.next.state() == s.old.state() {
		return
	}
	for {
		w := s.live.leaf.load()
		if w.state() != s.next.state() || s.live.leaf.swap(w, w.withState(s.old.state())) {
			return
		}
	}
}

// publish makes the transaction's state the newest snapshot and then stores what is shared
// between snapshots.
func (t *Table) publish(x *Txn) {
	x.flush()
	x.freeShapes(&t.budget)
	x.compact()
	if next := x.snapshot(); next != nil {
		t.root.Store(next)
		if old := x.base.topics.list; old != next.topics.list {
			old.charged.close(&t.budget)
		}
	}
	if x.compacted != nil {
		x.w.arena = *x.compacted
	}
	for i := range x.renewals {
		x.renewals[i].apply()
	}
	if x.view.epoch != x.base.view.epoch && t.budget.spent() {
		x.shapes.sweepBodies(x.view.groupView, &t.budget)
	}
}

func (r *renewal) apply() {
	r.live.timeoutMillis.Store(r.timeoutMillis)
	r.live.conn.bind(r.generation, r.conn)
	if r.remember.digest != (Digest{}) {
		r.live.remember(r.remember)
	}
}

// snapshot returns the next snapshot, nil when nothing changed.
func (x *Txn) snapshot() *Snapshot {
	if !x.ownIDs && !x.ownShapes && !x.view.owned && !x.live.owned && !x.mappings.owned && x.filters == x.base.filters {
		return nil
	}
	s := *x.base
	s.publication++
	if x.ownIDs {
		s.topics, s.nameBytes = x.finishTopics()
	}
	if x.ownShapes {
		shapes := x.shapes
		s.shapes = &shapes
	}
	s.view, s.live, s.mappings, s.filters = x.view.groupView, x.live.liveTable, x.mappings.mappingTable, x.filters
	return &s
}

// finishTopics returns the topics as the next snapshot has them. Every name has a place
// for its shape there, also those that a thrown-away transaction left behind.
func (x *Txn) finishTopics() (*topicTable, int64) {
	if x.topics.names > 0 {
		x.ownIDChunk(int(x.topics.names-1) / idChunkLen)
	}
	topics := x.topics
	if x.compacted != nil {
		return &topics, x.compacted.bytes
	}
	return &topics, x.w.arena.bytes
}

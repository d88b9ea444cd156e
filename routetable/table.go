package routetable

import (
	"hash/maphash"
	"math/rand/v2"
	"sync/atomic"
)

// DefaultBodyBytesMax is the memory that encoded route bodies may take when Options say
// nothing else.
const DefaultBodyBytesMax int64 = 64 << 20

// Options are the settings of a Table that never change.
type Options struct {
	// BodyBytesMax bounds the bytes of encoded route bodies kept for reuse. Beyond it a
	// route's body is joined from its fragments for every request, which is slower by a
	// factor of two to ten and equal in content. 0 means DefaultBodyBytesMax, a negative
	// value keeps none.
	BodyBytesMax int64
}

// Table is the route table of a name server (Java: RouteInfoManager). All its methods may
// be called from any goroutine at any time.
type Table struct {
	root       atomic.Pointer[Snapshot]
	budget     bodyBudget
	digestSeed uint64 // never 0, which stands for no seed
	queue      commitQueue
	writer     *writer // whoever leads the commit queue owns it
}

// New returns an empty Table.
func New(o Options) *Table {
	t := &Table{digestSeed: rand.Uint64() | 1}
	t.budget.max = o.BodyBytesMax
	if o.BodyBytesMax == 0 {
		t.budget.max = DefaultBodyBytesMax
	}
	seed := maphash.MakeSeed()
	t.root.Store(&Snapshot{
		topics:   &topicTable{dict: newDict(seed, 0), list: new(topicList)},
		shapes:   &shapeTable{},
		view:     &groupView{clusterInfo: new(atomic.Pointer[[]byte]), heads: new(joinedHeads)},
		live:     &liveTable{seed: seed},
		mappings: &mappingTable{seed: seed},
		filters:  &filterTable{},
		budget:   &t.budget,
	})
	t.writer = newWriter(seed)
	return t
}

// Snapshot returns the state after the latest published transaction. It never blocks and
// never allocates. A Snapshot stays valid as long as it is held; hold it for a request,
// not longer, since it keeps everything alive that was in it.
func (t *Table) Snapshot() *Snapshot { return t.root.Load() }

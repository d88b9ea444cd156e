package routetable

import (
	"hash/maphash"
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
	root        atomic.Pointer[Snapshot]
	digestSeeds [2]maphash.Seed
}

// New returns an empty Table.
func New(o Options) *Table {
	t := &Table{digestSeeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	t.root.Store(&Snapshot{})
	return t
}

// Snapshot returns the state after the latest published transaction. It never blocks and
// never allocates. A Snapshot stays valid as long as it is held; hold it for a request,
// not longer, since it keeps everything alive that was in it.
func (t *Table) Snapshot() *Snapshot { return t.root.Load() }

// Update runs fn in a transaction and returns after its publication: whoever loads a
// Snapshot from then on sees what fn did, and nobody ever sees a part of it. The returned
// effects are those of fn alone, in order; the caller performs them.
//
// Callers that arrive while a transaction runs are served together in the next one, in
// the order of their arrival, with one publication (group commit).
//
// fn may run on another caller's goroutine, and more than once: only its last run counts,
// so it must assign its results, not add to them. It must not keep the Txn, call Update, or
// block. When fn panics nothing of it is published, Update panics with the same value, and
// the others' transactions are not affected.
func (t *Table) Update(rules Rules, fn func(*Txn)) []Effect {
	return nil
}

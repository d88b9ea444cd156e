package routetable

import "sync/atomic"

// A leaf is the one thing reachable from a Snapshot that changes: the liveness of one
// registration, in one word, changed by compare-and-swap only.
//
//	63..62 state   61..40 generation   39..0 last seen, milliseconds of the caller's clock
//
// Whoever loses a swap reads again and decides again. That is the whole protocol: a
// renewal on an event loop and a removal by the writer cannot both succeed, since each
// names the word it saw.
type leaf struct{ word atomic.Uint64 }

const (
	leafSeenBits       = 40 // 34 years of milliseconds
	leafGenerationBits = 22
	leafSeenMask       = 1<<leafSeenBits - 1
	generationMask     = 1<<leafGenerationBits - 1
)

// leafWord is one value of a leaf.
type leafWord uint64

func makeLeafWord(s State, generation uint32, seenMillis int64) leafWord {
	// A clock that starts below zero or outlives 34 years is a caller's bug; clamping
	// keeps it from changing the state.
	seen := uint64(min(max(seenMillis, 0), leafSeenMask))
	return leafWord(uint64(s)<<(leafSeenBits+leafGenerationBits) | uint64(generation&generationMask)<<leafSeenBits | seen)
}

func (w leafWord) state() State       { return State(w >> (leafSeenBits + leafGenerationBits)) }
func (w leafWord) generation() uint32 { return uint32(w>>leafSeenBits) & generationMask }
func (w leafWord) seenMillis() int64  { return int64(w & leafSeenMask) }

// withState returns w in another state.
func (w leafWord) withState(s State) leafWord {
	return makeLeafWord(s, w.generation(), w.seenMillis())
}

// seenAt returns w with a later last-seen time. Time never runs backwards in a leaf: a
// request that was handled late must not make the broker look older.
func (w leafWord) seenAt(nowMillis int64) leafWord {
	return makeLeafWord(w.state(), w.generation(), max(w.seenMillis(), nowMillis))
}

// nextGeneration returns the generation after g; 0 is never one, it means "any" in
// arguments.
func nextGeneration(g uint32) uint32 {
	if g = (g + 1) & generationMask; g == 0 {
		g = 1
	}
	return g
}

func (l *leaf) load() leafWord { return leafWord(l.word.Load()) }

func (l *leaf) swap(old, next leafWord) bool {
	return l.word.CompareAndSwap(uint64(old), uint64(next))
}

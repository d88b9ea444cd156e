package routetable

import (
	"sync/atomic"

	"github.com/pharosmq/pharos/codec"
)

// brokerLive is one registration: what a broker said under one name at one address. The
// fields above the line never change; a registration that says something else makes a new
// brokerLive and ends the leaf of the old one. Those below are liveness, shared by every
// snapshot that has the registration.
type brokerLive struct {
	key         BrokerKey
	name        string
	id          int64
	group       uint32 // index of the broker group
	dataVersion codec.DataVersion
	haAddr      codec.NullString
	// ------------------------------------------------------------------
	leaf          leaf
	conn          connWord
	timeoutMillis atomic.Int64
	// digests of the registrations that made this one: one of each part of a split
	// registration. Only the writer stores, and only after publication.
	digests atomic.Pointer[[]rememberedDigest]
}

// connWord is the connection that a registration is bound to, with the generation of that
// binding: generation (22 bits), connection (42 bits). The leaf decides who binds; the
// word follows it. Of two binders that race, the one with the later generation stays.
type connWord struct{ word atomic.Uint64 }

const connBits = 64 - leafGenerationBits

func makeConnWord(generation uint32, conn ConnID) uint64 {
	return uint64(generation)<<connBits | uint64(conn)&(1<<connBits-1)
}

func (c *connWord) load() (generation uint32, conn ConnID) {
	w := c.word.Load()
	return uint32(w >> connBits), ConnID(w & (1<<connBits - 1))
}

// bind stores conn for a generation that the leaf has granted to the caller.
func (c *connWord) bind(generation uint32, conn ConnID) {
	for {
		old := c.word.Load()
		if ahead := (generation - uint32(old>>connBits)) & generationMask; ahead > generationMask/2 {
			return // a later binder was faster
		}
		if c.word.CompareAndSwap(old, makeConnWord(generation, conn)) {
			return
		}
	}
}

// boundTo returns the connection that the registration is bound to.
func (l *brokerLive) boundTo() ConnID {
	_, conn := l.conn.load()
	return conn
}

// expired reports whether a leaf that reads w is past its timeout.
func (l *brokerLive) expired(w leafWord, nowMillis int64) bool {
	// Java adds and overflows; a subtraction of two readings of one clock cannot.
	return nowMillis-w.seenMillis() > l.timeoutMillis.Load()
}

// info returns a copy of everything.
func (l *brokerLive) info(w leafWord) BrokerInfo {
	return BrokerInfo{
		Broker: l.key, Name: l.name, ID: l.id,
		DataVersion: l.dataVersion, HAServerAddr: l.haAddr,
		State: w.state(), Generation: w.generation(), LastSeenMillis: w.seenMillis(),
		TimeoutMillis: l.timeoutMillis.Load(), Conn: l.boundTo(),
	}
}

// binding returns the binding of a generation that conn has drawn.
func (l *brokerLive) binding(generation uint32, conn ConnID) Binding {
	return Binding{Broker: l.key, Name: l.name, ID: l.id, Conn: conn, Generation: generation}
}

package connwatch

import (
	"sync"

	"github.com/pharosmq/pharos/connhealth"
)

// boxBytesMax is what may lie in the box before samples, events of the kernel and removed
// registrations, which the detector can do without, are left out. What it can't do without is
// bounded by what there is: a note or two of each open connection and of each registration,
// and few more of one connection, however much it sends.
const boxBytesMax = 4 << 20

// boxReadBytes in the box have it read even if none of them is urgent.
const boxReadBytes = 256 << 10

// box is where others leave notes. Two piles take turns, so that nothing is allocated in
// the steady state.
//
// A peer that sends faster than the watch reads must not fill it. So requests of one
// connection share a note until it is read, and so do answers; of two namings of one broker
// only the newer is left, and of a connection that opened and closed nothing.
type box struct {
	mu      sync.Mutex
	pile    *pile
	spare   *pile
	conns   map[connhealth.ConnID]connNotes
	brokers map[connhealth.BrokerKey]uint32 // the note that binds it
	voids   int
	dropped dropped
	wake    chan struct{} // has one element while there may be notes
}

// connNotes says where in the pile notes of a connection are: 1 is the first, 0 none.
type connNotes struct {
	opened    uint32
	bound     bool
	requested [requestKinds]uint32
	answered  uint32
}

const requestKinds = int(connhealth.RequestRegister) + 1

// dropped counts notes that were left out for want of room.
type dropped struct{ Samples, Events, Gone uint64 }

func newBox() *box {
	b := &box{pile: &pile{}, spare: &pile{}, wake: make(chan struct{}, 1)}
	b.forget()
	return b
}

// forget begins to look for what notes can share.
func (b *box) forget() {
	const large = 1024 // emptying a map costs what it once held
	if len(b.conns) > large || b.conns == nil {
		b.conns = map[connhealth.ConnID]connNotes{}
	}
	if len(b.brokers) > large || b.brokers == nil {
		b.brokers = map[connhealth.BrokerKey]uint32{}
	}
	clear(b.conns)
	clear(b.brokers)
	b.voids = 0
}

// put leaves a note, and has it read. It never blocks for longer than a copy takes.
func (b *box) put(n *note) {
	b.mu.Lock()
	left := b.leave(n)
	b.mu.Unlock()
	if left {
		b.ring()
	}
}

// putQuietly leaves a note that can wait for the next look of the watch.
func (b *box) putQuietly(n *note) {
	b.mu.Lock()
	b.leave(n)
	full := b.pile.bytes >= boxReadBytes
	b.mu.Unlock()
	if full {
		b.ring()
	}
}

// ring has the box read.
func (b *box) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// leave reports whether n is in the box now, or has changed what is.
func (b *box) leave(n *note) bool {
	switch n.kind {
	case noteOpened:
		b.pile.add(n)
		b.conns[n.conn] = connNotes{opened: b.newest()}
	case noteRequested, noteAnswered:
		b.share(n)
	case noteBound:
		b.bind(n)
	case noteClosed:
		return b.closed(n)
	case noteSample:
		b.ifRoom(n, &b.dropped.Samples)
	case noteEvent:
		b.ifRoom(n, &b.dropped.Events)
	case noteGone:
		b.ifRoom(n, &b.dropped.Gone)
	default:
		b.pile.add(n)
	}
	return true
}

// newest is where the note lies that was added last.
func (b *box) newest() uint32 { return uint32(len(b.pile.slips)) }

func (b *box) at(index uint32) *slip { return &b.pile.slips[index-1] }

func (b *box) ifRoom(n *note, count *uint64) {
	if b.pile.bytes >= boxBytesMax {
		*count++
		return
	}
	b.pile.add(n)
}

// share adds a request or an answer to the connection's note, if there is one. An answer may
// not come before its request, but a request before an earlier answer: so at most one note of
// answers lies before those of requests, and one behind.
func (b *box) share(n *note) {
	c := b.conns[n.conn]
	index := &c.answered
	if n.kind == noteRequested {
		index = &c.requested[n.request]
	}
	if *index != 0 {
		s := b.at(*index)
		s.count++
		s.lastMillis = n.atMillis
		return
	}
	b.pile.add(n)
	*index = b.newest()
	if n.kind == noteRequested {
		c.answered = 0
	}
	b.conns[n.conn] = c
}

// bind takes an earlier naming of the same broker back: where it is bound in the end counts.
func (b *box) bind(n *note) {
	key := n.broker.Key()
	if index := b.brokers[key]; index != 0 {
		s := b.at(index)
		if connhealth.Naming(s.sort) == connhealth.NamedByRegister {
			n.by = connhealth.NamedByRegister
		}
		if s.conn == n.conn {
			s.atMillis, s.lastMillis = n.atMillis, n.atMillis
			s.sort, b.pile.bound[s.more] = uint8(n.by), n.broker
			return
		}
		b.void(index)
	}
	b.pile.add(n)
	b.brokers[key] = b.newest()
	c := b.conns[n.conn]
	c.bound = true
	b.conns[n.conn] = c
	b.compact()
}

// closed takes all notes of a connection back that opened and closed unseen, unless somebody
// has to judge what becomes of its broker. It reports whether it left one.
func (b *box) closed(n *note) bool {
	c := b.conns[n.conn]
	delete(b.conns, n.conn)
	if c.opened == 0 || c.bound {
		b.pile.add(n)
		return true
	}
	b.void(c.opened)
	b.void(c.answered)
	for _, index := range c.requested {
		b.void(index)
	}
	b.compact()
	return false
}

func (b *box) void(index uint32) {
	if index != 0 {
		b.at(index).kind = noteVoid
		b.voids++
	}
}

// compact closes the gaps when they are half of the pile.
func (b *box) compact() {
	const few = 4096
	if b.voids < few || b.voids < len(b.pile.slips)/2 {
		return
	}
	b.voids = 0
	moved := b.pile.compact()
	for id, c := range b.conns {
		c.opened, c.answered = moved[c.opened], moved[c.answered]
		for i, index := range c.requested {
			c.requested[i] = moved[index]
		}
		b.conns[id] = c
	}
	for key, index := range b.brokers {
		b.brokers[key] = moved[index]
	}
}

// take returns what was left since the last take; it is valid until the next.
func (b *box) take() *pile {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.pile
	b.spare.empty()
	b.pile, b.spare = b.spare, taken
	b.forget()
	return taken
}

// lost returns how many notes were left out so far.
func (b *box) lost() dropped {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

package connwatch

import (
	"net/netip"
	"unsafe"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
)

// slip is a note as it lies in the box: what all kinds have, and where the rest is.
type slip struct {
	atMillis   int64
	lastMillis int64
	conn       connhealth.ConnID
	count      uint32
	more       uint32 // index in the pile's list of this kind
	kind       noteKind
	sort       uint8 // request, by, how or dial
}

type openedMore struct{ peer, local netip.AddrPort }

type dialMore struct {
	key connhealth.BrokerKey
	id  uint64
}

// pile is notes in the order in which they were left, each with no more than its kind needs.
type pile struct {
	slips   []slip
	opened  []openedMore
	bound   []connhealth.Broker
	keys    []connhealth.BrokerKey
	samples []connhealth.Sample
	events  []bpf.Event
	dials   []dialMore
	bytes   int
	read    note // the one that all yields: a new one for each pile would be garbage
}

// all calls yield with each note; it is the callee's during the call only.
func (p *pile) all(yield func(*note) bool) {
	n := &p.read
	for i := range p.slips {
		if s := &p.slips[i]; s.kind != noteVoid {
			p.unpack(s, n)
			if !yield(n) {
				break
			}
		}
	}
	*n = note{} // it leads to nothing that need not stay
}

func (p *pile) unpack(s *slip, n *note) {
	*n = note{kind: s.kind, atMillis: s.atMillis, lastMillis: s.lastMillis, count: s.count, conn: s.conn}
	switch s.kind {
	case noteOpened:
		n.peer, n.local = p.opened[s.more].peer, p.opened[s.more].local
	case noteRequested:
		n.request = connhealth.RequestKind(s.sort)
	case noteBound:
		n.broker, n.by = p.bound[s.more], connhealth.Naming(s.sort)
	case noteClosed:
		n.how = connhealth.CloseHow(s.sort)
	case noteGone:
		n.key = p.keys[s.more]
	case noteSample:
		n.sample = p.samples[s.more]
	case noteEvent:
		n.event = p.events[s.more]
	case noteDial:
		n.key, n.dialID, n.dial = p.dials[s.more].key, p.dials[s.more].id, connhealth.DialOutcome(s.sort)
	case noteStalled:
		n.forMillis = s.lastMillis
	}
}

// add packs a note.
func (p *pile) add(n *note) {
	s := slip{atMillis: n.atMillis, lastMillis: max(n.lastMillis, n.atMillis), conn: n.conn, count: max(n.count, 1), kind: n.kind}
	switch n.kind {
	case noteOpened:
		s.more = push(p, &p.opened, openedMore{n.peer, n.local})
	case noteRequested:
		s.sort = uint8(n.request)
	case noteBound:
		s.sort, s.more = uint8(n.by), push(p, &p.bound, n.broker)
	case noteClosed:
		s.sort = uint8(n.how)
	case noteGone:
		s.more = push(p, &p.keys, n.key)
	case noteSample:
		s.more = push(p, &p.samples, n.sample)
	case noteEvent:
		s.more = push(p, &p.events, n.event)
	case noteDial:
		s.sort, s.more = uint8(n.dial), push(p, &p.dials, dialMore{n.key, n.dialID})
	case noteStalled:
		s.lastMillis = n.forMillis
	}
	push(p, &p.slips, s)
}

// push appends x, weighs it, and returns where it is.
func push[T any](p *pile, list *[]T, x T) uint32 {
	*list = append(*list, x)
	p.bytes += int(unsafe.Sizeof(x))
	return uint32(len(*list) - 1)
}

// compact closes gaps, and returns where each note is now: 1 is the first, 0 is nowhere.
func (p *pile) compact() (moved []uint32) {
	moved = make([]uint32, len(p.slips)+1)
	old := *p
	p.slips, p.opened, p.bound, p.keys = p.slips[:0], p.opened[:0], p.bound[:0], p.keys[:0]
	p.samples, p.events, p.dials, p.bytes = p.samples[:0], p.events[:0], p.dials[:0], 0
	for i, s := range old.slips {
		switch s.kind {
		case noteVoid:
			continue
		case noteOpened:
			s.more = push(p, &p.opened, old.opened[s.more])
		case noteBound:
			s.more = push(p, &p.bound, old.bound[s.more])
		case noteGone:
			s.more = push(p, &p.keys, old.keys[s.more])
		case noteSample:
			s.more = push(p, &p.samples, old.samples[s.more])
		case noteEvent:
			s.more = push(p, &p.events, old.events[s.more])
		case noteDial:
			s.more = push(p, &p.dials, old.dials[s.more])
		}
		moved[i+1] = push(p, &p.slips, s) + 1
	}
	clear(old.bound[len(p.bound):])
	clear(old.keys[len(p.keys):])
	return moved
}

// pileKeptBytes is what of a list's memory is used again; a flood's is given back.
const pileKeptBytes = 1 << 20

// empty makes room for others.
func (p *pile) empty() {
	reuse(&p.slips)
	reuse(&p.opened)
	reuse(&p.bound)
	reuse(&p.keys)
	reuse(&p.samples)
	reuse(&p.events)
	reuse(&p.dials)
	p.bytes = 0
}

func reuse[T any](list *[]T) {
	var x T
	if cap(*list)*int(unsafe.Sizeof(x)) > pileKeptBytes {
		*list = nil
		return
	}
	clear(*list)
	*list = (*list)[:0]
}

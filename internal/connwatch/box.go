package connwatch

import (
	"net/netip"
	"sync"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

// noteKind says what a note is about.
type noteKind uint8

const (
	noteOpened noteKind = iota
	noteRequested
	noteAnswered
	noteBound
	noteClosed
	noteGone
	noteSample
	noteEvent
	noteDial
	noteTraced
	noteCalm
)

// note is one thing that happened, with the time it happened.
type note struct {
	kind        noteKind
	atMillis    int64
	conn        connhealth.ConnID
	peer, local netip.AddrPort
	request     connhealth.RequestKind
	broker      connhealth.Broker
	by          connhealth.Naming
	how         connhealth.CloseHow
	key         routetable.BrokerKey
	sample      connhealth.Sample
	event       bpf.Event
	dialID      uint64
	dial        connhealth.DialOutcome
}

// box is where others leave notes. Two slices take turns, so that nothing is allocated in
// the steady state.
type box struct {
	mu    sync.Mutex
	notes []note
	spare []note
	wake  chan struct{} // has one element while there may be notes
}

func newBox() *box { return &box{wake: make(chan struct{}, 1)} }

// put leaves a note. It never blocks for longer than a copy takes.
func (b *box) put(n *note) {
	b.mu.Lock()
	b.notes = append(b.notes, *n)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns what was left since the last take; it is valid until the next.
func (b *box) take() []note {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.notes
	clear(b.spare)
	b.notes, b.spare = b.spare[:0], taken
	return taken
}

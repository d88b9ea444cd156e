package connwatch

import (
	"net/netip"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
)

// noteKind says what a note is about.
type noteKind uint8

const (
	noteVoid noteKind = iota // it was taken back
	noteOpened
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
	noteStalled
)

// note is one thing that happened, with the time it happened. Requests and answers of one
// connection may share a note: there are count of them, the newest at lastMillis.
type note struct {
	kind        noteKind
	atMillis    int64
	lastMillis  int64
	count       uint32
	conn        connhealth.ConnID
	peer, local netip.AddrPort
	request     connhealth.RequestKind
	broker      connhealth.Broker
	by          connhealth.Naming
	how         connhealth.CloseHow
	key         connhealth.BrokerKey
	sample      connhealth.Sample
	event       bpf.Event
	dialID      uint64
	dial        connhealth.DialOutcome
	forMillis   int64 // of noteStalled
}

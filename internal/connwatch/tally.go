package connwatch

import (
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

// tally is what the watch goroutine counts, and remembers, for operators alone. The detector
// counts what it decides itself (connhealth.Stats).
type tally struct {
	suspects    map[connhealth.ConnID]suspect
	held        map[connhealth.BrokerKey]heldBroker
	holdEnds    map[string]uint64
	halfDead    map[string]uint64
	dials       map[string]uint64
	detections  map[suspect]*diag.Detection
	samples     uint64
	clientLines lineBudget
	brokerLines lineBudget
}

// suspect is what a suspicion is counted by.
type suspect struct {
	broker bool
	class  connhealth.Class
}

func (s suspect) role() string { return roleName(s.broker) }

func roleName(broker bool) string {
	if broker {
		return diag.RoleBroker
	}
	return diag.RoleClient
}

// heldBroker is since when a broker is held, and how long it had been in trouble by then.
type heldBroker struct{ sinceMillis, silenceMillis int64 }

// How holds end.
const (
	holdRestored = "restored"
	holdParked   = "parked"
	holdRemoved  = "removed"
	holdGone     = "gone" // the registration left the table: by 104, replaced, or expired
)

func newTally() tally {
	return tally{
		suspects:   map[connhealth.ConnID]suspect{},
		held:       map[connhealth.BrokerKey]heldBroker{},
		holdEnds:   map[string]uint64{holdRestored: 0, holdParked: 0, holdRemoved: 0, holdGone: 0},
		halfDead:   map[string]uint64{diag.RoleBroker: 0, diag.RoleClient: 0},
		dials:      map[string]uint64{},
		detections: map[suspect]*diag.Detection{},
	}
}

// note looks at a note after what it led to was performed.
func (t *tally) note(n *note) {
	switch n.kind {
	case noteClosed:
		delete(t.suspects, n.conn)
	case noteGone:
		t.holdEnded(n.key, holdGone)
	case noteSample:
		t.samples++
	case noteDial:
		t.dials[n.dial.String()]++
	}
}

// action counts one.
func (t *tally) action(a *connhealth.Action) {
	broker, x := a.Broker.Addr != "", a.Why
	if x == nil {
		return
	}
	switch a.Kind {
	case connhealth.ActSuspect:
		t.suspects[a.Conn] = suspect{broker, x.Class}
	case connhealth.ActRecovered:
		delete(t.suspects, a.Conn)
	case connhealth.ActHold:
		if _, held := t.held[a.Broker.Key()]; !held { // else it goes on
			t.held[a.Broker.Key()] = heldBroker{x.AtMillis, max(x.CloseSilence, x.CloseLate)}
		}
	case connhealth.ActRestore:
		t.holdEnded(a.Broker.Key(), holdRestored)
	case connhealth.ActPark:
		t.detected(a)
		t.holdEnded(a.Broker.Key(), holdParked)
	case connhealth.ActRemove:
		if _, held := t.held[a.Broker.Key()]; held {
			t.detected(a)
			t.holdEnded(a.Broker.Key(), holdRemoved)
		}
	case connhealth.ActCloseConn:
		t.halfDead[roleName(broker)]++
		if !broker {
			t.detected(a)
		}
	}
	if s, is := t.suspects[a.Conn]; is && a.Conn == x.Conn && x.Class != connhealth.ClassHealthy {
		t.suspects[a.Conn] = suspect{s.broker, x.Class}
	}
}

func (t *tally) holdEnded(key connhealth.BrokerKey, how string) {
	if _, held := t.held[key]; held {
		delete(t.held, key)
		t.holdEnds[how]++
	}
}

// detected counts how long a silence was that ended in a verdict.
func (t *tally) detected(a *connhealth.Action) {
	x := a.Why
	silence := x.UnansweredMillis // heard, but never answered
	if x.SilentMillis > 0 {
		silence = max(x.HeardAgeMillis, x.SilentMillis)
	}
	if h, held := t.held[a.Broker.Key()]; held {
		silence = h.silenceMillis + x.AtMillis - h.sinceMillis
	}
	key := suspect{a.Broker.Addr != "", x.Class}
	d := t.detections[key]
	if d == nil {
		d = &diag.Detection{Role: key.role(), Class: x.Class.String()}
		t.detections[key] = d
	}
	d.Observe(float64(silence) / 1e3)
}

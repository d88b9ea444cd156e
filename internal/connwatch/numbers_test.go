package connwatch

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

func (r *rig) health() diag.Health {
	r.t.Helper()
	h, err := r.Health(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

func TestNumbersOfAVanishedBroker(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	h := r.health()
	if h.Parks["silence"] != 1 || h.Parks["one_way"] != 0 || h.SuspectsTotal != 1 || h.Contradicted != 0 || h.Samples != 160 || h.EvidenceTotal != 2 {
		t.Errorf("%+v", h)
	}
	want := []diag.SuspectCount{{Role: "broker", Class: "idle_silent", N: 1}}
	if d := cmp.Diff(want, h.Suspects); d != "" {
		t.Error(d)
	}
	if len(h.Detections) != 1 {
		t.Fatalf("detections: %+v", h.Detections)
	}
	d := h.Detections[0]
	if d.Role != "broker" || d.Class != "idle_silent" || d.Count != 1 || d.SumSeconds < 4.1 || d.SumSeconds > 6.5 {
		t.Errorf("it was silent for %v s: %+v", d.SumSeconds, d)
	}
}

// Goal: the honest counter: a broker was hidden, and lived.
func TestContradictedVerdictIsCounted(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	alive := peer{id: 1, segsIn: 1000}
	r.passes(250)
	s := alive.sample(false, 250)
	r.happens(note{kind: noteSample, conn: 1, sample: s})
	h := r.health()
	if h.Restores["heard"] != 1 || h.Contradicted != 1 || len(h.Suspects) != 0 || h.RecoveredTotal != 1 {
		t.Errorf("after it answered: %+v", h)
	}
}

// Goal: every hold that began has ended in one way or is still on.
func TestHoldsEnd(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	f := func(name string, end func(key connhealth.BrokerKey)) {
		hold := fullAction(connhealth.ActHold, 7, name)
		hold.Why.AtMillis, hold.Why.CloseSilence = 10_000, 2000
		r.tally.action(hold)
		again := fullAction(connhealth.ActHold, 7, name) // of a newer registration: the hold goes on
		again.Why.AtMillis, again.Why.CloseSilence = 12_000, 0
		r.tally.action(again)
		end(hold.Broker.Key())
	}
	act := func(name string, kind connhealth.ActionKind) func(connhealth.BrokerKey) {
		return func(connhealth.BrokerKey) {
			a := fullAction(kind, 0, name)
			a.Why.AtMillis, a.Why.Class = 14_000, connhealth.ClassPeerSilent
			r.tally.action(a)
			r.tally.action(a) // what follows is no second end
		}
	}
	f("a", act("a", connhealth.ActRestore))
	f("b", act("b", connhealth.ActPark))
	f("c", act("c", connhealth.ActRemove))
	f("d", func(key connhealth.BrokerKey) { r.tally.note(&note{kind: noteGone, key: key}) })
	f("e", func(connhealth.BrokerKey) {})
	h := r.health()
	want := map[string]uint64{"restored": 1, "parked": 1, "removed": 1, "gone": 1}
	if d := cmp.Diff(want, h.HoldEnds); d != "" {
		t.Error(d)
	}
	if len(r.tally.held) != 1 {
		t.Errorf("%d are held", len(r.tally.held))
	}
	for _, d := range h.Detections { // of b and c, once for the repeated park
		if d.SumSeconds < 12 {
			t.Errorf("silence before a hold and in it: %+v", d)
		}
	}
}

func TestHalfDeadClientsAndDialBacks(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	a := fullAction(connhealth.ActCloseConn, 5, "")
	a.Why.Class, a.Why.SilentMillis, a.Why.HeardAgeMillis = connhealth.ClassPeerSilent, 9500, 10_200
	r.tally.action(a)
	r.tally.note(&note{kind: noteDial, dial: connhealth.DialRefused})
	h := r.health()
	if h.HalfDead["client"] != 1 || h.HalfDead["broker"] != 0 || h.DialBacks["refused"] != 1 {
		t.Errorf("%+v", h)
	}
	if len(h.Detections) != 1 || h.Detections[0].Role != "client" || h.Detections[0].SumSeconds != 10.2 {
		t.Errorf("%+v", h.Detections)
	}
	if d := h.Detections[0]; diag.DetectionBounds[11] != 11 || d.Buckets[11] != 1 {
		t.Errorf("10.2 s are in the wrong bucket: %v", d.Buckets)
	}
}

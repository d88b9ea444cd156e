package connwatch

import (
	"context"
	"log/slog"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

// perform does what the detector decided.
func (w *Watch) perform(actions []connhealth.Action) {
	for i := range actions {
		a := &actions[i]
		w.report(a)
		switch a.Kind {
		case connhealth.ActDialBack: // evidence: wanted by observers, too
			w.dial(a)
			continue
		case connhealth.ActKeepalive:
			w.probeOften(a.Conn, a.UntilMillis)
			continue
		}
		if w.o.Mode == Evict {
			w.evict(a)
		}
	}
}

// dial connects to a broker's own address; the answer becomes a note.
func (w *Watch) dial(a *connhealth.Action) {
	key, id := routetable.BrokerKey(a.Broker.Key()), a.Dial
	w.dials.dial(a.Broker.Addr, millis(a.TimeoutMillis), func(o connhealth.DialOutcome) {
		w.box.put(&note{kind: noteDial, atMillis: w.now(), key: key, dialID: id, dial: o})
	})
}

// evict does what changes routes or connections.
func (w *Watch) evict(a *connhealth.Action) {
	key, generation := routetable.BrokerKey(a.Broker.Key()), uint32(a.Broker.Generation)
	switch a.Kind {
	case connhealth.ActHold:
		w.srv.HoldBroker(key, generation)
	case connhealth.ActPark:
		w.srv.ParkBroker(key, generation)
	case connhealth.ActRestore:
		w.srv.RestoreBroker(key, generation, a.Renew)
	case connhealth.ActRemove:
		w.srv.RemoveBroker(key, generation)
	case connhealth.ActCloseConn:
		w.srv.CloseHalfDead(routetable.ConnID(a.Conn))
	}
}

// report writes one structured line for what an operator wants to know.
func (w *Watch) report(a *connhealth.Action) {
	level, text := slog.LevelInfo, ""
	switch a.Kind {
	case connhealth.ActHold:
		text = "a broker's connection closed out of trouble; its routes are kept until it is known whether it lives"
	case connhealth.ActPark:
		level, text = slog.LevelWarn, "a broker cannot be reached and is hidden from routes until it is heard of"
	case connhealth.ActRestore:
		text = "a broker lives and is shown in routes"
	case connhealth.ActRemove:
		text = "a broker's connection was closed in order; the broker is unregistered"
	case connhealth.ActCloseConn:
		text = "a connection is half dead and closed"
	case connhealth.ActFreeze:
		level, text = slog.LevelWarn, "so many hosts are silent at once that our own link may be at fault; verdicts wait"
	case connhealth.ActThaw:
		text = "verdicts don't wait any longer"
	default:
		return
	}
	args := []any{"mode", string(w.o.Mode)}
	if a.Broker.Addr != "" {
		args = append(args, "clusterName", a.Broker.Cluster, "brokerName", a.Broker.Name, "brokerId", a.Broker.ID, "brokerAddr", a.Broker.Addr)
	}
	if x := a.Why; x != nil {
		args = append(args, "conn", uint64(x.Conn), "why", x.Class.String(), "rule", x.Rule.String(), "silentMillis", x.SilentMillis,
			"unanswered", x.Unanswered, "phi", x.Phi, "witnessAgeMillis", x.WitnessAgeMillis, "freeze", x.Freeze.String(),
			"dialBack", x.Dial.String(), "transmissions", len(x.Timeline))
	}
	w.o.Log.Log(context.Background(), level, text, args...)
}

package connwatch

import (
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

// perform does what the detector decided.
func (w *Watch) perform(actions []connhealth.Action) {
	for i := range actions {
		a := &actions[i]
		w.record(a)
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
	key, id := a.Broker.Key(), a.Dial
	w.dials.dial(a.Broker.Addr, millis(a.TimeoutMillis), func(o connhealth.DialOutcome) {
		w.box.put(&note{kind: noteDial, atMillis: w.now(), key: key, dialID: id, dial: o})
	})
}

// evict does what changes routes or connections.
func (w *Watch) evict(a *connhealth.Action) {
	key, generation := tableKey(a.Broker.Key()), uint32(a.Broker.Generation)
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

// tableKey names a registration as the table does.
func tableKey(key connhealth.BrokerKey) routetable.RegistrationKey {
	return routetable.RegistrationKey{Broker: routetable.BrokerKey{Cluster: key.Cluster, Addr: key.Addr}, Name: key.Name}
}

// brokerKey names a registration as the detector does.
func brokerKey(key routetable.RegistrationKey) connhealth.BrokerKey {
	return connhealth.BrokerKey{Cluster: key.Broker.Cluster, Name: key.Name, Addr: key.Broker.Addr}
}

package server

import (
	"github.com/pharosmq/pharos/routetable"
)

// perform does what a published transaction asks of the world outside the table.
func (h *handlers) perform(effects []routetable.Effect) {
	for i := range effects {
		e := &effects[i]
		switch e.Kind {
		case routetable.EffectCloseConn:
			if conn, open := h.srv.Conn(e.Conn); open {
				conn.Close(CloseExpired)
			}
		case routetable.EffectNotifyMinBrokerID:
			h.notifier.notify(e.Notify)
		case routetable.EffectRemoved:
			if w := h.srv.watcher; w != nil {
				w.Gone(routetable.RegistrationKey{Broker: e.Broker, Name: e.Name})
			}
			h.stats.removals[e.Reason].Add(1)
			h.logRemoved(e)
		}
	}
}

func (h *handlers) logRemoved(e *routetable.Effect) {
	args := []any{"clusterName", clip(e.Broker.Cluster), "brokerName", clip(e.Name), "brokerId", e.ID, "brokerAddr", clip(e.Broker.Addr)}
	switch e.Reason {
	case routetable.RemoveUnregistered:
		h.events.info("broker unregistered", args...)
	case routetable.RemoveConnClosed:
		h.events.info("broker removed: its connection closed", args...)
	case routetable.RemoveExpired:
		h.events.warn("broker removed: not heard of within its heartbeat timeout", args...)
	case routetable.RemoveReplaced:
		h.events.info("broker removed: its id registered from another address", args...)
	case routetable.RemoveRoleSwitched:
		h.events.warn("broker removed: it registered under another id of its group, and that was not accepted", args...)
	}
}

// countRegistration counts a registration that was applied or turned down, and writes the
// line of a broker that is new.
func (h *handlers) countRegistration(p *Pending, reg *routetable.Registration, res *routetable.RegisterResult, known bool) {
	args := []any{"caller", p.Conn.RemoteAddr(), "clusterName", clip(reg.Broker.Cluster), "brokerName", clip(reg.Name),
		"brokerId", reg.ID, "brokerAddr", clip(reg.Broker.Addr)}
	switch {
	case res.Status == routetable.RegisterRefused:
		h.stats.registered(RegistrationRefused)
		h.events.info("registration refused: a single topic, and the broker has not registered before", args...)
	case res.Status == routetable.RegisterIgnored:
		h.stats.registered(RegistrationIgnored)
		h.events.warn("registration ignored: the id belongs to an address with a higher state version; the broker is answered 0, as by Java", args...)
	case res.Changed:
		h.stats.registered(RegistrationChanged)
	default:
		h.stats.registered(RegistrationSame)
	}
	if res.Status == routetable.Registered && !known {
		h.events.info("broker registered", append(args, "topics", len(reg.Body.Topics))...)
	}
}

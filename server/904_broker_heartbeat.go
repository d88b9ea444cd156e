package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// brokerHeartbeat answers BROKER_HEARTBEAT (904): the registration at (clusterName,
// brokerAddr), if there is one, was heard of now. Normally oneway; it allocates nothing.
//
// Java: DefaultRequestProcessor#brokerHeartbeat.
func brokerHeartbeat(h *handlers, rq *Request) {
	cluster, okCluster := rq.Cmd.Ext("clusterName")
	addr, okAddr := rq.Cmd.Ext("brokerAddr")
	if !okCluster || !okAddr {
		rq.Reply(codec.SystemError, remarkNoBroker, nil)
		return
	}
	h.heartbeat(rq, cluster, addr)
	rq.Reply(codec.Success, "", nil)
}

// heartbeat renews a registration, and returns it. If the connection that it is bound to
// has closed, it is bound to this one: its close will be the broker's close. A registration
// that is hidden is shown again: its broker lives.
func (h *handlers) heartbeat(rq *Request, cluster, addr []byte) (routetable.BrokerInfo, routetable.HeartbeatStatus) {
	info, status := h.table.Heartbeat(cluster, addr, rq.NowMillis)
	switch status {
	case routetable.HeartbeatUnknown:
		h.stats.heartbeatsUnknown.Add(1)
	case routetable.HeartbeatParked:
		h.restoreLater(info)
	case routetable.HeartbeatRenewed:
		if info.Conn != rq.Conn.ID() {
			h.rebind(rq.Conn, &info)
		} else {
			h.watchBound(rq.Conn, info.Binding(), false)
		}
	}
	return info, status
}

// rebind binds a registration to conn if the connection it is bound to is no more.
func (h *handlers) rebind(conn Conn, info *routetable.BrokerInfo) {
	if bound, open := h.srv.Conn(info.Conn); open && !bound.Closed() && (info.Conn > conn.ID() || !h.watchesPath(conn)) {
		return // a watcher rather judges the younger connection
	}
	binding, ok := h.table.Rebind(info.Binding(), conn.ID())
	if !ok {
		return
	}
	h.stats.rebound.Add(1)
	if !h.bind(conn, binding, false) {
		h.removeBindingLater(binding)
	}
}

// restoreLater shows a hidden registration again.
func (h *handlers) restoreLater(info routetable.BrokerInfo) {
	h.srv.lanes.Submit(BrokerLane(info.Broker), laneJobBytes, func() {
		restored := false
		h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) {
			restored = x.Restore(info.Broker, info.Generation, h.clock.Millis())
		}))
		if restored {
			h.events.info("hidden broker was heard of and is shown again", "clusterName", clip(info.Broker.Cluster),
				"brokerName", clip(info.Name), "brokerAddr", clip(info.Broker.Addr))
		}
	})
}

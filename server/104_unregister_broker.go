package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// unregisterBroker answers UNREGISTER_BROKER (104). It goes behind whatever waits in the
// broker's lane, is never refused for want of room, and is answered 0 when it is applied,
// also when the broker is unknown or a field of the header is missing: then nothing
// happens to anybody. The brokerId is not compared: the address says who leaves.
//
// Java: DefaultRequestProcessor#unregisterBroker, RouteInfoManager#unRegisterBroker.
func unregisterBroker(h *handlers, rq *Request) {
	cluster, okCluster := rq.Cmd.Ext("clusterName")
	addr, okAddr := rq.Cmd.Ext("brokerAddr")
	_, okName := rq.Cmd.Ext("brokerName")
	_, okID := rq.Cmd.ExtInt64("brokerId")
	if !okCluster || !okAddr || !okName || !okID {
		rq.Reply(codec.Success, "", nil)
		return
	}
	key := routetable.BrokerKey{Cluster: string(cluster), Addr: string(addr)}
	rq.OffloadAlways(BrokerLane(key), func(p *Pending) { h.unregister(p, key) })
}

func (h *handlers) unregister(p *Pending, key routetable.BrokerKey) {
	id, _ := p.Cmd.ExtInt64("brokerId")
	request := routetable.UnregisterRequest{Broker: key, Name: extString(p.Cmd, "brokerName"), ID: id, Conn: p.Conn.ID()}
	counted := false
	effects := h.table.Update(h.rules(), func(x *routetable.Txn) { counted = x.UnregisterBroker(request) })
	if counted && len(p.Conn.Bindings().Of(key)) <= 1 {
		p.Conn.Bindings().Unbind(key)
	}
	h.perform(effects)
	p.Reply(codec.Success, "", nil)
}

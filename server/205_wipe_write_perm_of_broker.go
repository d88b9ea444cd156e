package server

import (
	"strconv"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// wipeWritePermOfBroker answers WIPE_WRITE_PERM_OF_BROKER (205): no topic of the broker
// group takes messages any more, until the broker's data version changes. wipeTopicCount
// is the number of topics the group has.
//
// Java: DefaultRequestProcessor#wipeWritePermOfBroker.
func wipeWritePermOfBroker(h *handlers, rq *Request) {
	h.changeWritePerm(rq, "write permission wiped", "wipeTopicCount", (*routetable.Txn).WipeWritePerm)
}

// changeWritePerm is what 205 and 327 have in common.
func (h *handlers) changeWritePerm(rq *Request, what, countField string, change func(*routetable.Txn, string) int) {
	name, named := rq.Cmd.Ext("brokerName")
	if !named {
		rq.Reply(codec.Success, "", []codec.ExtField{{Key: countField, Value: "0"}})
		return
	}
	rq.Offload(GroupLane(string(name)), func(p *Pending) {
		name, topics := extString(p.Cmd, "brokerName"), 0
		h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) { topics = change(x, name) }))
		h.audit(what, p, topics > 0, nil, "brokerName", name, "topics", topics)
		p.Reply(codec.Success, "", []codec.ExtField{{Key: countField, Value: strconv.Itoa(topics)}})
	})
}

package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// getBrokerClusterInfo answers GET_BROKER_CLUSTER_INFO (106): all groups and clusters,
// with bare integer keys whoever asks, as in Java.
//
// Java: DefaultRequestProcessor#getBrokerClusterInfo.
func getBrokerClusterInfo(h *handlers, rq *Request) {
	h.replyList(rq, (*routetable.Snapshot).AppendClusterInfo)
}

// appendList appends a list that is made from a whole snapshot.
type appendList func(s *routetable.Snapshot, dst []byte) []byte

// listTopicsMax is how many topics, and listGroupsMax how many broker groups, a table may
// have for its lists to be made on the event loop: some 100 us of work.
const (
	listTopicsMax = 2000
	listGroupsMax = 200
)

// replyList answers with a list of the whole table: at once while that is quick, else in
// the admin lane, where it holds up no lookup and no registration.
func (h *handlers) replyList(rq *Request, list appendList) {
	s := h.table.Snapshot()
	if sizes := s.Stats(); sizes.Topics <= listTopicsMax && sizes.Groups <= listGroupsMax {
		rq.Weigh((sizes.Topics + sizes.Groups) / listEntriesPerLookup)
		rq.End(list(s, rq.Begin(codec.Success, "", nil)))
		return
	}
	rq.Offload(AdminLane, func(p *Pending) {
		p.End(list(h.table.Snapshot(), p.Begin(codec.Success, "", nil)))
	})
}

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

// listTopicsMax is how many topics, with names of listNameBytesMax in all, and listGroupsMax
// how many broker groups, a table may have for its lists to be made on the event loop: some
// 100 us of work.
const (
	listTopicsMax    = 2000
	listNameBytesMax = 512 << 10
	listGroupsMax    = 200
)

// listBytes is how large a list of the table may be, roughly: names, punctuation, and what
// a broker group with its addresses usually takes.
func listBytes(sizes *routetable.Stats) int {
	return int(sizes.NameBytes) + sizes.Topics*4 + sizes.Groups*256
}

// replyList answers with a list of the whole table: at once while that is quick, else in
// the lane for lists, where it holds up no lookup and no registration, and waits for no disk.
//
// Nothing is made for a peer that wants no answer, or is gone when it would be its turn.
func (h *handlers) replyList(rq *Request, list appendList) {
	if rq.Oneway() {
		rq.Reply(codec.Success, "", nil)
		return
	}
	s := h.table.Snapshot()
	sizes := s.Stats()
	if sizes.Topics <= listTopicsMax && sizes.NameBytes <= listNameBytesMax && sizes.Groups <= listGroupsMax {
		rq.Weigh((sizes.Topics + sizes.Groups) / listEntriesPerLookup)
		rq.End(list(s, rq.Begin(codec.Success, "", nil)))
		return
	}
	rq.answerBytes = listBytes(&sizes)
	rq.Offload(ListLane, func(p *Pending) {
		if p.Conn.Closed() {
			p.Abandon()
			return
		}
		p.End(list(h.table.Snapshot(), p.Begin(codec.Success, "", nil)))
	})
}

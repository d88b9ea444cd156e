package server

import "github.com/pharosmq/pharos/codec"

// getBrokerMemberGroup answers GET_BROKER_MEMBER_GROUP (901) with the addresses of a broker
// group, with bare integer keys whoever asks. The cluster is echoed, not checked. The
// remark on the success is Java's oversight, and kept.
//
// Java: DefaultRequestProcessor#getBrokerMemberGroup.
func getBrokerMemberGroup(h *handlers, rq *Request) {
	cluster, name := extNull(rq.Cmd, "clusterName"), extNull(rq.Cmd, "brokerName")
	rq.End(h.table.Snapshot().AppendMemberGroup(rq.Begin(codec.Success, RemarkNotSet, nil), cluster, name))
}

package server

import (
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

const remarkNoBroker = "the header has no clusterName or no brokerAddr"

var (
	extChanged   = []codec.ExtField{{Key: "changed", Value: "true"}}
	extUnchanged = []codec.ExtField{{Key: "changed", Value: "false"}}
)

// queryDataVersion answers QUERY_DATA_VERSION (322): has the data version of the body
// changed against the one that this broker registered with? The stored one is the body of
// the answer. It is a heartbeat as well, and brokers that can act as master send it each
// second, oneway: so it allocates nothing. A broker that is hidden (parked) is told to
// register again.
//
// Java: DefaultRequestProcessor#queryBrokerTopicConfig.
func queryDataVersion(h *handlers, rq *Request) {
	rq.Weigh(len(rq.Cmd.Body) / versionBytesPerLookup)
	asked, hasVersion, err := codec.ParseDataVersion(rq.Cmd.Body, time.Now().UnixMilli())
	if err != nil {
		rq.Reply(codec.SystemError, "Failed to decode DataVersion: "+err.Error(), nil)
		return
	}
	cluster, okCluster := rq.Cmd.Ext("clusterName")
	addr, okAddr := rq.Cmd.Ext("brokerAddr")
	if !okCluster || !okAddr {
		rq.Reply(codec.SystemError, remarkNoBroker, nil)
		return
	}
	info, status := h.heartbeat(rq, cluster, addr)
	if status != routetable.HeartbeatRenewed {
		rq.Reply(codec.Success, "", extChanged)
		return
	}
	ext := extChanged
	if hasVersion && asked == info.DataVersion {
		ext = extUnchanged
	}
	rq.End(codec.AppendDataVersion(rq.Begin(codec.Success, "", ext), info.DataVersion))
}

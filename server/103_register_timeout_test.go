package server

import (
	"strconv"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// A broker asks for its heartbeat timeout, within reason: none may be kept for ever.
func TestHeartbeatTimeoutHasABound(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(asked string, want int64) {
		t.Helper()
		b := newBroker("b1", 0, "A", "B")
		a := c.call(codec.CodeRegisterBroker, b.body(codec.Version5_5_0), "clusterName", b.cluster, "brokerName", b.name,
			"brokerAddr", b.addr, "brokerId", "0", "heartbeatTimeoutMillis", asked)
		live, known := r.Snapshot().Live(b.key())
		if a.Code != codec.Success || !known || live.TimeoutMillis != want {
			t.Errorf("%s: code %d, known %v, timeout %d, want %d", asked, a.Code, known, live.TimeoutMillis, want)
		}
	}
	f("10000", 10_000)
	f("-1", -1)
	f("9223372036854775807", heartbeatTimeoutMaxMillis)
	f(strconv.Itoa(heartbeatTimeoutMaxMillis), heartbeatTimeoutMaxMillis)
	f("no number", routetable.DefaultHeartbeatTimeoutMillis)
}

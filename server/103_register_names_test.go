package server

import (
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// A name of a broker that is too long is refused, and nothing of it stays; the longest one
// is accepted.
func TestRegisterOverlongNames(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(field string, bytes int, wantRemark string) {
		t.Helper()
		b := newBroker("b1", 0, "A", "B")
		ext := map[string]string{"clusterName": b.cluster, "brokerName": b.name, "brokerAddr": b.addr, "brokerId": "0"}
		ext[field] = strings.Repeat("n", bytes)
		var fields []string
		for k, v := range ext {
			fields = append(fields, k, v)
		}
		a := c.call(codec.CodeRegisterBroker, b.body(codec.Version5_5_0), fields...)
		if ok := wantRemark == ""; ok != (a.Code == codec.Success) || string(a.Remark) != wantRemark {
			t.Errorf("%s of %d bytes: code %d %s", field, bytes, a.Code, a.Remark)
		}
		if brokers := r.Snapshot().Stats().Brokers; wantRemark != "" && brokers != 0 {
			t.Errorf("%s of %d bytes: %d brokers in the table", field, bytes, brokers)
		}
	}
	for _, field := range []string{"clusterName", "brokerName", "brokerAddr", "haServerAddr", "__ZONE_NAME"} {
		f(field, brokerNameBytesMax+1, "register broker failed: "+field+" has 1025 bytes, and may have 1024")
	}
	for _, field := range []string{"clusterName", "brokerName", "brokerAddr", "haServerAddr", "__ZONE_NAME"} {
		f(field, brokerNameBytesMax, "")
	}
}

// Few topics with very long names are many bytes: their list is not made on the loop.
func TestListOfLongNames(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, strings.Repeat("A", listNameBytesMax/2), strings.Repeat("B", listNameBytesMax/2)))
	release := make(chan struct{})
	r.lanes.SubmitAlways(ListLane, 0, func() { <-release })
	c.push(c.frame(codec.CodeGetAllTopicListFromNameserver, nil))
	if len(c.out) > 0 {
		t.Error("made on the loop")
	}
	close(release)
	if got := topicList(t, c.answer()); len(got) != 2 {
		t.Errorf("%d topics", len(got))
	}
}

package connwatch

import (
	"log/slog"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

// Goal: a broker stays the watch's to judge when an earlier registration of its address ends,
// such as one under the name that it had before. Method: the table has the broker, the watch
// is told that something of that address is gone, then the broker's connection closes.
func TestGoneIsAnEarlierRegistration(t *testing.T) {
	const addr = "10.0.0.1:10911"
	for _, there := range []bool{true, false} {
		r := newRig(t, slog.DiscardHandler)
		key := routetable.BrokerKey{Cluster: "c1", Addr: addr}
		if there {
			topics := []codec.TopicConfig{{Key: []byte("t1"), Name: []byte("t1")}, {Key: []byte("t2"), Name: []byte("t2")}}
			r.Watch.table.(*routetable.Table).Update(routetable.Rules{}, func(x *routetable.Txn) {
				x.RegisterBroker(&routetable.Registration{Broker: key, Name: "broker-a", Conn: 1, Body: &codec.RegisterBody{Topics: topics}})
			})
		}
		r.opens(1, "10.0.0.1:4001")
		r.registers(1, "broker-a", addr)
		r.passes(5000)
		r.happens(note{kind: noteGone, key: brokerKey(routetable.RegistrationKey{Broker: key, Name: "broker-a"})})
		r.happens(note{kind: noteClosed, conn: 1, how: connhealth.CloseFIN})
		page := r.Evidence(0)
		if judged := len(page.Entries) > 0; judged != there {
			t.Errorf("registered: %v; its close was judged: %v (%q)", there, judged, actionsOf(&page))
		}
	}
}

package routetable

import (
	"fmt"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Bodies that are joined say what kept ones say, whichever lists of groups came first, and when
// groups have changed since. Lists of all sorts share a few places.
func TestJoinedHeads(t *testing.T) {
	const brokers, topics = 40, 200
	kept, none := New(Options{BodyBytesMax: 1 << 30}), New(Options{BodyBytesMax: -1})
	has := func(topic, broker int) bool {
		return broker >= topic%brokers && (broker-topic%brokers)%(1+topic%7) == 0
	}
	register := func(broker int, id int64, addr string) {
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: 1}}
		for topic := range topics {
			if name := fmt.Appendf(nil, "topic-%d", topic); has(topic, broker) {
				body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: int32(topic), Perm: 6})
			}
		}
		r := benchRegistration(broker, body)
		r.ID = id
		if addr != "" {
			r.Broker.Addr = addr
		}
		for _, table := range []*Table{kept, none} {
			table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
		}
	}
	compare := func(when string) {
		t.Helper()
		for topic := range topics {
			name := fmt.Appendf(nil, "topic-%d", topic)
			for o := range 4 {
				o := RouteOptions{Dialect: codec.Dialect(o % 2), SupportActingMaster: o > 1}
				want, ok := kept.Snapshot().Route(name)
				got, found := none.Snapshot().Route(name)
				if !ok || !found {
					t.Fatalf("%s, %s: kept %v, joined %v", when, name, ok, found)
				}
				if got, want := string(got.AppendBody(nil, o)), string(want.AppendBody(nil, o)); got != want {
					t.Fatalf("%s, %s: joined %s, kept %s", when, name, got, want)
				}
			}
		}
	}
	for broker := range brokers {
		register(broker, 0, "")
	}
	compare("at first")
	heads := none.Snapshot().view.heads
	compare("again")
	register(7, 1, "10.9.9.9:10911")
	compare("with a replica")
	if none.Snapshot().view.heads == heads {
		t.Error("heads outlive a change of a group")
	}
	for _, table := range []*Table{kept, none} {
		table.Update(Rules{}, func(x *Txn) { x.Park(BrokerKey{"DefaultCluster", "10.9.9.9:10911"}, 0) })
	}
	compare("with it parked")
}

package routetable

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pharosmq/pharos/codec"
)

// Bodies that the table may not keep say of every topic what those say that it keeps, looked up
// alone or many at once: with numbers that are equal on all brokers, on some, and on none.
func TestRoutesJoined(t *testing.T) {
	const topics, brokers = nearSlotsMax, 5
	numbers := []int32{0, 4, 4, 9, 10, -1, 8, 123456, math.MaxInt32, math.MinInt32}
	queues := func(topic, broker int) codec.TopicConfig {
		name := fmt.Appendf(nil, "topic-%d", topic)
		pick := func(i int) int32 { return numbers[(topic/7+i*(broker/(1+topic%3)))%len(numbers)] }
		return codec.TopicConfig{Name: name, Key: name, ReadQueueNums: pick(1), WriteQueueNums: pick(topic % 2), Perm: 4 + pick(2)&3, TopicSysFlag: pick(3)}
	}
	kept, none := New(Options{BodyBytesMax: 1 << 30}), New(Options{BodyBytesMax: -1})
	for broker := range brokers {
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: 1}}
		for topic := range topics {
			body.Topics = append(body.Topics, queues(topic, broker))
		}
		for _, table := range []*Table{kept, none} {
			table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(benchRegistration(broker, body)) })
		}
	}
	if n := len(none.Snapshot().topics.dict.slots); n <= nearSlotsMax {
		t.Fatalf("%d slots: looked up as a small table", n)
	}
	o := RouteOptions{Dialect: codec.DialectStandard}
	var names [RoutesMax][]byte
	var routes [RoutesMax]Route
	for first := 0; first < topics; first += RoutesMax {
		for i := range names {
			names[i] = fmt.Appendf(nil, "topic-%d", first+i)
		}
		none.Snapshot().Routes(names[:], routes[:], &o)
		for i := range routes {
			want, ok := kept.Snapshot().Route(names[i])
			if !ok || !routes[i].Found() || routes[i].Encoded(&o) != nil {
				t.Fatalf("%s: kept %v; joined %v", names[i], ok, routes[i].Found())
			}
			joined := routes[i].AppendBody(nil, o)
			if got, want := string(joined), string(want.AppendBody(nil, o)); got != want {
				t.Fatalf("%s: %s, want %s", names[i], got, want)
			}
			lim := codec.DefaultLimits()
			got, err := codec.ParseTopicRouteData(joined, &lim)
			if err != nil {
				t.Fatalf("%s: %v", names[i], err)
			}
			if diff := cmp.Diff(want.TopicRouteData(o), got); diff != "" {
				t.Fatalf("%s: the body says (+):\n%s", names[i], diff)
			}
		}
	}
}

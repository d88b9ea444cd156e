package client

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// BenchmarkCachedRoute is what a producer pays for each message.
func BenchmarkCachedRoute(b *testing.B) {
	c := NewRoutes(newFakeLookup(brokersAnswer("a", "b", "c")), RoutesOptions{})
	defer c.Close()
	topics := make([]string, 1000)
	for i := range topics {
		topics[i] = fmt.Sprintf("SomeTopicOfSomeService%d", i)
		if _, err := c.Fetch(b.Context(), topics[i]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := c.Route(topics[i]); !ok {
			b.Fatal("not known")
		}
		if i++; i == len(topics) {
			i = 0
		}
	}
}

// bodyLookup parses the same body for every lookup.
type bodyLookup []byte

func (body bodyLookup) Route(context.Context, string) (*codec.TopicRouteData, error) {
	d, err := codec.ParseTopicRouteData(body, nil)
	return &d, err
}

// typicalRoute is the answer for a topic with 8 queues on each of 3 broker groups with a slave.
func typicalRoute() []byte {
	d := codec.TopicRouteData{}
	for _, name := range []string{"broker-a", "broker-b", "broker-c"} {
		g := group(name, "192.168.100.101:10911")
		g.BrokerAddrs[1] = "192.168.100.102:10911"
		d.BrokerDatas = append(d.BrokerDatas, g)
		d.QueueDatas = append(d.QueueDatas, queueData(name, 8, readWrite))
	}
	return codec.AppendTopicRouteData(nil, &d, codec.DialectStandard)
}

// BenchmarkRefresh is the refresh of a topic with typicalRoute: the answer is parsed, compared with the route known and taken over. What the wire
// costs is not in it.
func BenchmarkRefresh(b *testing.B) {
	c := NewRoutes(bodyLookup(typicalRoute()), RoutesOptions{})
	defer c.Close()
	if _, err := c.Fetch(b.Context(), "T"); err != nil {
		b.Fatal(err)
	}
	e := c.table.Get("T")
	b.ReportAllocs()
	for b.Loop() {
		e.mu.Lock()
		f := e.launch()
		e.mu.Unlock()
		<-f.done
		for done := false; !done; {
			e.mu.Lock()
			done = e.flight == nil
			e.mu.Unlock()
		}
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(each*1000)/float64(30*time.Second)*100, "%core/1000topics")
}

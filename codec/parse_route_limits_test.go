package codec

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// largeRoute is a route with many of one thing.
type largeRoute struct {
	what    string
	body    string
	brokers bool // it is RouteBrokersMax that bounds it, not RouteEntriesMax
}

// largeRoutes are routes with n of each thing that a route can have many of.
func largeRoutes(n int) []largeRoute {
	many := func(before, each, after string) string {
		var b strings.Builder
		b.WriteString(before)
		for i := range n {
			b.WriteString(strings.ReplaceAll(each, "#", strconv.Itoa(i)))
			if i < n-1 {
				b.WriteByte(',')
			}
		}
		b.WriteString(after)
		return b.String()
	}
	return []largeRoute{
		{"brokerDatas", many(`{"brokerDatas":[`, `{"brokerAddrs":{0:"10.0.0.1:#"},"brokerName":"b"}`, `]}`), true},
		{"queueDatas", many(`{"queueDatas":[`, `{"brokerName":"b#","perm":6}`, `]}`), true},
		{"filterServerTable", many(`{"filterServerTable":{`, `"b#":["f"]`, `}}`), true},
		{"topicQueueMappingByBroker", many(`{"topicQueueMappingByBroker":{`, `"b#":{"bname":"b"}`, `}}`), true},
		{"brokerAddrs", many(`{"brokerDatas":[{"brokerAddrs":{`, `#:"h"`, `}}]}`), false},
		{"filterServerTable", many(`{"filterServerTable":{"b":[`, `"#"`, `]}}`), false},
		{"currIdMap", many(`{"topicQueueMappingByBroker":{"b":{"currIdMap":{`, `#:1`, `}}}}`), false},
		{"brokerDatas", many(`{"brokerDatas":[`, `null`, `]}`), false},
		{"queueDatas", many(`{`, `"queueDatas":[{"brokerName":"b#"}]`, `}`), false},
	}
}

// Goal: a route may have as much as the limits say and not one more; without limits, which is
// the default, it may have more; the error says which limit it was.
func TestRouteLimits(t *testing.T) {
	const n = 20
	parse := func(body string, brokersMax, entriesMax int) error {
		lim := DefaultLimits()
		lim.RouteBrokersMax, lim.RouteEntriesMax = brokersMax, entriesMax
		_, err := ParseTopicRouteData([]byte(body), &lim)
		return err
	}
	for _, c := range largeRoutes(n) {
		// 2n is enough for each with what is in it, and for what it is in.
		if err := parse(c.body, n, 2*n+2); err != nil {
			t.Errorf("%s: as many as allowed: %v", c.what, err)
		}
		if err := parse(c.body, 0, 0); err != nil {
			t.Errorf("%s: no limit: %v", c.what, err)
		}
		if err := parse(c.body, -1, -1); err != nil {
			t.Errorf("%s: no limit: %v", c.what, err)
		}
		if _, err := ParseTopicRouteData([]byte(c.body), nil); err != nil {
			t.Errorf("%s: default limits: %v", c.what, err)
		}
		err, want := parse(c.body, n-1, 0), "body over a limit: more than 19 brokers in "+c.what
		if !c.brokers {
			err, want = parse(c.body, 0, n-1), "body over a limit: more than 19 entries in all lists and tables, the latest in "+c.what
		}
		if !errors.Is(err, ErrBodyTooLarge) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: one too many: %v, want %s", c.what, err, want)
		}
	}
}

// Goal: what is refused was not made before: the largest frames full of brokers, addresses or
// queues cost what the limits allow, whatever they say.
func TestRouteLimitsBoundMemory(t *testing.T) {
	lim := DefaultLimits()
	lim.RouteBrokersMax, lim.RouteEntriesMax = 1000, 10_000
	const most = 4 << 20
	for _, c := range largeRoutes(160_000) {
		body := []byte(c.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParseTopicRouteData(body, &lim)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrBodyTooLarge) || grown > most {
			t.Errorf("%s: %d bytes for a body of %d, at most %d wanted: %v", c.what, grown, len(body), most, err)
		}
	}
}

// checkBoundedRoute: within small limits a route is small, and it is the one without limits.
func checkBoundedRoute(t *testing.T, body []byte) {
	t.Helper()
	lim := fuzzLimits()
	all, err := ParseTopicRouteData(body, lim)
	lim.RouteBrokersMax, lim.RouteEntriesMax = 20, 50
	some, bounded := ParseTopicRouteData(body, lim)
	if bounded != nil {
		if checkBodyError(t, bounded); err == nil && !errors.Is(bounded, ErrBodyTooLarge) {
			t.Errorf("refused only with limits: %v", bounded)
		}
		return
	}
	checkSame(t, body, all, some, err)
	if max(len(some.BrokerDatas), len(some.QueueDatas), len(some.FilterServerTable), len(some.TopicQueueMappingByBroker)) > 20 {
		t.Errorf("over the limits: %+v", some)
	}
	n := len(some.BrokerDatas) + len(some.QueueDatas) + len(some.FilterServerTable) + len(some.TopicQueueMappingByBroker)
	for _, b := range some.BrokerDatas {
		n += len(b.BrokerAddrs)
	}
	for _, m := range some.TopicQueueMappingByBroker {
		n += len(m.CurrIDMap)
	}
	if n > 50 {
		t.Errorf("%d entries: %+v", n, some)
	}
}

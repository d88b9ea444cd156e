package client

import (
	"errors"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Goal: a route that is too large is refused by a number that can be set, and said.
func TestRouteTooLarge(t *testing.T) {
	f := func(brokersMax, entriesMax int, want string) {
		t.Helper()
		lim := codec.Limits{RouteBrokersMax: brokersMax, RouteEntriesMax: entriesMax}
		inBubble(t, ResolverOptions{Servers: []string{nsA}, Limits: lim}, func(t *testing.T, n *fakeNet, r *Resolver) {
			n.become(nsA, bloated)
			route, err := r.Route(t.Context(), "T")
			switch {
			case want == "" && (err != nil || len(route.BrokerDatas) != 10_001):
				t.Errorf("%d, %d: %v", brokersMax, entriesMax, err)
			case want != "" && (!errors.Is(err, ErrBadReply) || !errors.Is(err, codec.ErrBodyTooLarge) || !strings.Contains(err.Error(), want)):
				t.Errorf("%d, %d: %v, want %q", brokersMax, entriesMax, err, want)
			}
		})
	}
	f(0, 0, nsA+": the answer makes no sense: body over a limit: more than 10000 brokers in brokerDatas")
	f(10_001, 0, "")
	f(-1, 0, "")
	f(-1, 20_000, "more than 20000 entries in all lists and tables")
}

// Goal: limits that are not set are the defaults, whichever others are set, and there is none that
// was forgotten.
func TestLimitsWithDefaults(t *testing.T) {
	want := codec.DefaultLimits()
	want.RouteBrokersMax, want.RouteEntriesMax = 10_000, 524_288
	if got := limitsWithDefaults(codec.Limits{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want = codec.Limits{FrameBytesMax: 1, HeaderBytesMax: 2, ExtFieldsMax: 3, InflatedBytesMax: 4, JSONDepthMax: 5, TopicsMax: 6, RouteBrokersMax: 7, RouteEntriesMax: 8}
	if got := limitsWithDefaults(want); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

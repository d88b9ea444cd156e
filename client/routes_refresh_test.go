package client

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Goal: a topic is in a refresh slot once, however often it is asked for again before that, and
// is then refreshed as any other.
func TestReloadsDoNotFillSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{Refresh: time.Hour, ReloadInterval: time.Millisecond, ForgetAfter: 24 * time.Hour})
		for range 1000 {
			if _, err := c.Fetch(t.Context(), "T"); err != nil {
				t.Fatal(err)
			}
			c.Reload("T")
			time.Sleep(time.Second)
		}
		if n := l.count(); n < 1000 {
			t.Fatalf("%d lookups", n)
		}
		c.mu.Lock()
		for n, s := range c.slots {
			if len(s.entries) != 1 {
				t.Errorf("slot %d has one topic %d times", n, len(s.entries))
			}
		}
		c.mu.Unlock()
		before := l.count()
		for range 20 {
			time.Sleep(time.Hour)
			if known, _ := c.Route("T"); known.Age() > 66*time.Minute {
				t.Fatalf("it is %v old", known.Age())
			}
		}
		if n := l.count() - before; n < 18 || n > 22 {
			t.Errorf("%d refreshes in 20 h", n)
		}
	})
}

// Goal: the longest period there is means never, and not all the time.
func TestRefreshNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{Refresh: math.MaxInt64, ForgetAfter: math.MaxInt64})
		if _, err := c.Fetch(t.Context(), "T"); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			time.Sleep(time.Second)
			if n := l.count(); n != 1 {
				t.Fatalf("%d lookups", n)
			}
		}
		c.Reload("T")
		time.Sleep(time.Second)
		if n := l.count(); n != 2 {
			t.Errorf("%d lookups after a failure", n)
		}
	})
}

// ownRoute has a Route of its own, and all else from a Resolver.
type ownRoute struct {
	*Resolver
	asked atomic.Int32
}

func (l *ownRoute) Route(ctx context.Context, topic string) (*codec.TopicRouteData, error) {
	l.asked.Add(1)
	return l.Resolver.Route(ctx, "of-"+topic)
}

// Goal: a Lookup that embeds a Resolver is asked itself.
func TestLookupThatEmbedsAResolver(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		l := &ownRoute{Resolver: r}
		c := NewRoutes(l, RoutesOptions{})
		defer c.Close()
		for i := range 10 {
			if _, err := c.Fetch(t.Context(), fmt.Sprint("T", i)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if asked := l.asked.Load(); asked < 20 || n.asked(nsA, "T0") > 0 || n.asked(nsA, "of-T0") < 2 {
			t.Errorf("asked %d times, and the name server for T0 %d, for of-T0 %d", asked, n.asked(nsA, "T0"), n.asked(nsA, "of-T0"))
		}
	})
}

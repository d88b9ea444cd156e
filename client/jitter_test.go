package client

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Goal: topics that were first asked for at the same moment do not stay together: neither are they
// refreshed as one, nor asked for again as one while no name server answers.
func TestTopicsDriftApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const topics = 200
		l := newFakeLookup(brokersAnswer("a"))
		c := newRoutes(t, l, RoutesOptions{ForgetAfter: time.Hour})
		for i := range topics {
			if _, err := c.Fetch(t.Context(), fmt.Sprint("T", i)); err != nil {
				t.Fatal(err)
			}
			if i > 0 && l.asked[i] != l.asked[0] {
				t.Fatal("they were not asked for at the same moment")
			}
		}
		stay := func(d time.Duration) (lookups, atOnce int) {
			t.Helper()
			before := l.count()
			time.Sleep(d)
			synctest.Wait()
			moments := map[time.Duration]int{}
			for _, at := range l.asked[before:] {
				moments[at]++
				atOnce = max(atOnce, moments[at])
			}
			return len(l.asked) - before, atOnce
		}
		// Longer than any period: no topic is missed, wherever most of them have drifted to.
		const round = 36 * time.Second
		stay(9 * time.Minute)
		if n, atOnce := stay(round); n < topics || atOnce > topics/2 {
			t.Errorf("%d refreshes, %d of them at once", n, atOnce)
		}
		l.set(down)
		stay(5 * time.Minute)
		if n, atOnce := stay(round); n < topics || atOnce > topics/10 {
			t.Errorf("%d lookups that failed, %d of them at once", n, atOnce)
		}
	})
}

// Goal: producers do not all begin with the first queue.
func TestRoundsBeginAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeCluster(t, "a").producer(ProducerOptions{})
		queues := map[uint64]bool{}
		for i := range 100 {
			queues[p.topic(fmt.Sprint("T", i)).cursor.Load()%4] = true
		}
		if len(queues) != 4 {
			t.Errorf("100 rounds of 4 queues begin at %v", queues)
		}
	})
}

// Goal: with KeepOnTimeout a server that hung comes back on the connection it had, otherwise on a
// new one.
func TestKeepOnTimeout(t *testing.T) {
	f := func(keep bool, wantDials int) {
		t.Helper()
		o := ResolverOptions{KeepOnTimeout: keep, NoHedge: true}
		inBubble(t, o, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			n.become(nsA, frozen)
			route, err := r.Route(t.Context(), "T")
			if err != nil || answeredBy(route) != nsB || inUse(r) != nsB {
				t.Fatalf("keep %v: %v by %s, %s is in use", keep, err, answeredBy(route), inUse(r))
			}
			n.become(nsA, answering)
			time.Sleep(time.Minute)
			if role := r.Servers()[0].Role; role != ServerStandBy || n.dials(nsA) != wantDials {
				t.Errorf("keep %v: it is %s after %d dials, want %d", keep, role, n.dials(nsA), wantDials)
			}
		})
	}
	f(true, 1)
	f(false, 2)
}

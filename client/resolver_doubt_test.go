package client

import (
	"errors"
	"testing"
	"time"
)

// Goal: a server that does not know a topic is not believed while another one does, and
// nobody waits long, nor asks without bounds, for a topic that is nowhere.
func TestDoubt(t *testing.T) {
	f := func(name string, b, c manner, want string, attempts int, longest time.Duration) {
		t.Helper()
		inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			n.become(nsA, empty)
			n.become(nsB, b)
			n.become(nsC, c)
			asked := time.Now()
			route, err := r.Route(t.Context(), "T")
			if took := time.Since(asked); took > longest {
				t.Errorf("%s: it took %v", name, took)
			}
			if answeredBy(route) != want {
				t.Errorf("%s: the answer of %q, %v", name, answeredBy(route), err)
			}
			var e *Error
			if want == "" && (!errors.Is(err, ErrTopicNotFound) || !errors.As(err, &e) || len(e.Attempts) != attempts) {
				t.Errorf("%s: %v", name, err)
			}
			if inUse(r) != nsA {
				t.Errorf("%s: %s is in use", name, inUse(r))
			}
		})
	}
	const ms = time.Millisecond
	f("another one knows it", answering, empty, nsB, 0, 5*ms)
	f("nobody knows it", empty, empty, "", 2, 5*ms)
	f("the other one is busy", overloaded, answering, "", 2, 5*ms)
	f("the other one hangs", frozen, answering, "", 1, 310*ms)
	f("the other one's connection ends", babbling, answering, "", 2, 5*ms)
}

// Goal: doubts are hedges, of which there are one in ten lookups, and ten in a row.
func TestDoubtsAreBounded(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		const lookups = 1000
		for range lookups {
			if _, err := r.Route(t.Context(), "none"); !errors.Is(err, ErrTopicNotFound) {
				t.Fatal(err)
			}
		}
		if s := r.Stats(); s.Doubts > lookups/10+10 || s.Doubts < lookups/10 {
			t.Errorf("%d doubts in %d lookups", s.Doubts, lookups)
		}
	})
}

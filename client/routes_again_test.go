package client

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Goal: an answer that comes again confirms the route without being parsed, another one does
// replace it, and between them nothing is lost of what a failed lookup leaves.
func TestTheSameAnswerAgain(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		c := NewRoutes(r, RoutesOptions{})
		defer c.Close()
		var changes atomic.Int32
		defer c.Watch("T", func(Change) { changes.Add(1) })()
		first, err := c.Fetch(t.Context(), "T")
		if err != nil {
			t.Fatal(err)
		}
		known := func() *Route { r, _ := c.Route("T"); return r }

		time.Sleep(5 * time.Minute)
		if now := known(); now.Data != first.Data || now.Age() > 40*time.Second || changes.Load() != 1 || n.asked(nsA, "T") < 8 {
			t.Errorf("after the same answers: age %v, %d changes, asked %d times, the same data: %v", now.Age(), changes.Load(), n.asked(nsA, "T"), now.Data == first.Data)
		}

		for _, addr := range []string{nsA, nsB, nsC} {
			n.become(addr, overloaded)
		}
		time.Sleep(time.Minute)
		if now := known(); !errors.Is(now.Err, ErrRefused) || now.Data != first.Data {
			t.Errorf("while nobody answers: %v", now.Err)
		}
		n.become(nsA, answering)
		time.Sleep(time.Minute)
		if now := known(); now.Err != nil || now.Data != first.Data || now.Age() > 40*time.Second || changes.Load() != 1 {
			t.Errorf("after the same answer came again: %v, %v old, %d changes", now.Err, now.Age(), changes.Load())
		}

		n.become(nsB, answering)
		n.become(nsA, refused)
		time.Sleep(5 * time.Minute)
		if now := known(); answeredBy(now.Data) != nsB || changes.Load() != 2 || now.Err != nil {
			t.Errorf("after another answer: that of %s, %d changes, %v", answeredBy(now.Data), changes.Load(), now.Err)
		}
	})
}

// Goal: who does not wait for the end of a lookup is told who was asked.
func TestWhoGivesUpIsToldWhom(t *testing.T) {
	f := func(prepare func(*testing.T, *Resolver), m manner, whom string) {
		t.Helper()
		inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
			prepare(t, r)
			c := NewRoutes(r, RoutesOptions{})
			defer c.Close()
			for _, addr := range []string{nsA, nsB, nsC} {
				n.become(addr, m)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := c.Fetch(ctx, "T"); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), whom) {
				t.Errorf("%v; it does not say %s", err, whom)
			}
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			if _, err := c.Fetch(ctx, "T"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), whom) {
				t.Errorf("cancelled: %v; it does not say %s", err, whom)
			}
		})
	}
	f(func(*testing.T, *Resolver) {}, unheard, "of any of "+nsA+";"+nsB+";"+nsC)
	f(settled, frozen, "of "+nsA)
}

// Goal: nothing is parsed for an answer that is known.
func TestRouteIfNew(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		ask := func(topic string, last answerID) *routeQuestion {
			q := &routeQuestion{topic: topic, last: last}
			r.routeIfNew(t.Context(), time.Second, q)
			return q
		}
		first := ask("T", noAnswer)
		if first.err != nil || first.data == nil || first.id == noAnswer {
			t.Fatal(first)
		}
		if again := ask("T", first.id); again.err != nil || again.data != nil || again.id != first.id {
			t.Error(again)
		}
		if none := ask("none", first.id); !errors.Is(none.err, ErrTopicNotFound) {
			t.Error(none)
		}
		n.become(nsA, mad)
		n.become(nsB, refused)
		n.become(nsC, refused)
		if bad := ask("T", first.id); !errors.Is(bad.err, ErrBadReply) {
			t.Error(bad)
		}
	})
}

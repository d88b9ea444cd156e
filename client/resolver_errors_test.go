package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// Goal: a context that ends for a reason of its caller's is still seen to have ended.
func TestCausesOfContexts(t *testing.T) {
	mine := errors.New("mine")
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		for _, addr := range []string{nsA, nsB, nsC} {
			n.become(addr, frozen)
		}
		f := func(ctx context.Context, want ...error) {
			t.Helper()
			_, err := r.Route(ctx, "T")
			for _, w := range append(want, mine) {
				if !errors.Is(err, w) {
					t.Errorf("%v is not %v", err, w)
				}
			}
		}
		late, cancelLate := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, mine)
		defer cancelLate()
		f(late, ErrTimeout, context.DeadlineExceeded)
		f(late, ErrTimeout, context.DeadlineExceeded)
		cancelled, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(mine) })
		f(cancelled, context.Canceled)
		f(cancelled, context.Canceled)
	})
}

// Goal: a lookup that found nobody to ask in its time says why.
func TestNobodyToAskInTime(t *testing.T) {
	inBubble(t, ResolverOptions{Servers: []string{nsA}}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settleOn(t, r)
		n.become(nsA, frozen)
		if _, err := r.Route(t.Context(), "T"); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), nsA) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		n.become(nsA, unheard)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Route(ctx, "T"); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), nsA) {
			t.Error(err)
		}
	})
}

func settleOn(t *testing.T, r *Resolver) {
	t.Helper()
	if _, err := r.Route(t.Context(), "T"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
}

// Goal: a request that is too large to be sent is nothing against a server.
func TestRequestTooLargeToSend(t *testing.T) {
	lim := codec.DefaultLimits()
	lim.FrameBytesMax = 4 << 10
	o := ResolverOptions{Limits: lim, NoHedge: true}
	inBubble(t, o, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		before := r.Stats()
		if _, err := r.Route(t.Context(), strings.Repeat("T", 8<<10)); !errors.Is(err, codec.ErrFrameTooLarge) || errors.Is(err, ErrNoNameServer) {
			t.Error(err)
		}
		h := codec.Header{Code: codec.CodeGetAllTopicListFromNameserver}
		if _, err := r.Call(t.Context(), h, make([]byte, 8<<10)); !errors.Is(err, codec.ErrFrameTooLarge) {
			t.Error(err)
		}
		if _, err := r.CallAt(t.Context(), nsA, h, make([]byte, 8<<10)); !errors.Is(err, codec.ErrFrameTooLarge) || errors.Is(err, ErrNoNameServer) {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		if after := r.Stats(); inUse(r) != nsA || after.Dials != before.Dials || after.FailOvers != before.FailOvers {
			t.Errorf("%s is in use; %+v", inUse(r), after)
		}
	})
}

// Goal: a connection that ended because of what the server sent, a moment before a lookup found it
// in use, is nothing that the lookup's own request is too large for.
func TestServerSentATooLargeFrame(t *testing.T) {
	inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
		settled(t, r)
		r.mu.Lock()
		l := r.links[nsA]
		r.links[nsA] = &link{l.gen, l.conn} // so that the lookup hears of the end first
		r.mu.Unlock()
		l.conn.Abort(fmt.Errorf("%w: %w", wire.ErrGarbage, codec.ErrFrameTooLarge))
		n.become(nsA, refused)
		route, err := r.Route(t.Context(), "T")
		if err != nil || answeredBy(route) == nsA || inUse(r) == nsA {
			t.Errorf("%v by %s, %s is in use", err, answeredBy(route), inUse(r))
		}
	})
}

// Goal: a first server that answers nonsense, or refuses, fails no lookup while another one has
// not even been connected to.
func TestFirstServerIsNoGood(t *testing.T) {
	f := func(m manner) {
		t.Helper()
		inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
			n.become(nsA, m)
			for range 10 {
				route, err := r.Route(t.Context(), "T")
				if by := answeredBy(route); err != nil || by == nsA {
					t.Fatalf("manner %d: %v by %s", m, err, by)
				}
			}
		})
		inBubble(t, ResolverOptions{}, func(t *testing.T, n *fakeNet, r *Resolver) {
			for addr, is := range map[string]manner{nsA: m, nsB: m, nsC: unheard} {
				n.become(addr, is)
			}
			began := time.Now()
			if route, err := r.Route(t.Context(), "T"); err == nil || time.Since(began) > 5*time.Second {
				t.Errorf("manner %d: %v, %v after %v", m, route, err, time.Since(began))
			}
			began = time.Now()
			if route, err := r.Route(t.Context(), "T"); err == nil || time.Since(began) > 5*time.Second {
				t.Errorf("manner %d: %v, %v after %v", m, route, err, time.Since(began))
			}
		})
	}
	for _, m := range []manner{mad, hollow, bloated, stranger, overloaded, starting, going, babbling} {
		f(m)
	}
}

// slowSource takes too long to say where name servers are.
type slowSource struct{}

func (slowSource) Addresses(context.Context) ([]string, error) { return nil, context.DeadlineExceeded }
func (slowSource) Refresh() time.Duration                      { return time.Minute }

func TestListThatTakesTooLong(t *testing.T) {
	inBubble(t, ResolverOptions{Source: slowSource{}}, func(t *testing.T, _ *fakeNet, r *Resolver) {
		const want = "route of T: no name server answers: context deadline exceeded"
		if _, err := r.Route(t.Context(), "T"); !errors.Is(err, ErrNoNameServer) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
}

package client

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Goal: a server that refuses is asked once more if there is no other one, and time for it.
func TestOneServerThatRefuses(t *testing.T) {
	const ms = time.Millisecond
	f := func(name string, within, well time.Duration, attempts int, longest time.Duration) {
		t.Helper()
		inBubble(t, ResolverOptions{Servers: []string{nsA}}, func(t *testing.T, n *fakeNet, r *Resolver) {
			if _, err := r.Route(t.Context(), "T"); err != nil {
				t.Fatal(err)
			}
			n.become(nsA, overloaded)
			defer time.AfterFunc(well, func() { n.become(nsA, answering) }).Stop()
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			asked := time.Now()
			_, err := r.Route(ctx, "T")
			if took := time.Since(asked); took > longest {
				t.Errorf("%s: it took %v", name, took)
			}
			var e *Error
			switch {
			case attempts == 0 && err != nil:
				t.Errorf("%s: after %v: %v", name, time.Since(asked), err)
			case attempts > 0 && (!errors.Is(err, ErrRefused) || !errors.As(err, &e) || len(e.Attempts) != attempts):
				t.Errorf("%s: %v, want %d attempts", name, err, attempts)
			}
		})
	}
	f("for a moment", time.Second, 50*ms, 0, 210*ms)
	f("for long", time.Second, time.Minute, 2, 210*ms)
	f("without the time to ask again", 150*ms, time.Minute, 1, 5*ms)
}

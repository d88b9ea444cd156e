package wire

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Goal: whoever wakes from a pause of our own long after the deadline still gets what has come
// and only has to be read; and if nothing has, waits a moment and no longer.
func TestWaitAfterAPause(t *testing.T) {
	f := func(comesAfter time.Duration, want waited) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			// All of this was before the pause.
			began := time.Now().Add(-time.Minute)
			ctx, cancel := context.WithDeadline(t.Context(), began.Add(time.Second))
			defer cancel()
			what := make(chan int, 1)
			time.AfterFunc(comesAfter, func() { what <- 17 })
			woke := time.Now()
			v, got := wait(ctx, nil, began, what)
			if got != want || got == came && v != 17 {
				t.Errorf("%v %v, want %v", v, got, want)
			}
			if took := time.Since(woke); took > 50*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			time.Sleep(time.Second)
		})
	}
	f(0, came)
	f(40*time.Millisecond, came)
	f(60*time.Millisecond, contextEnded)
}

// Goal: without a pause the deadline is the deadline, and whoever cancels is gone at once.
func TestWaitEndsWithItsContext(t *testing.T) {
	f := func(bound func(context.Context) (context.Context, context.CancelFunc), want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := bound(t.Context())
			defer cancel()
			began := time.Now()
			if _, got := wait(ctx, nil, began, make(chan int)); got != contextEnded || ctx.Err() == nil {
				t.Errorf("%v, the context's error is %v", got, ctx.Err())
			}
			if took := time.Since(began); took != want {
				t.Errorf("it took %v, want %v", took, want)
			}
		})
	}
	f(func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 3*time.Second)
	}, 3*time.Second)
	f(func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}, time.Second)
	f(func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Hour, cancel)
		return ctx, cancel
	}, time.Hour)
}

// Goal: an attempt to connect that ended far too late was late because of us, and is repeated;
// one that ended in time is not.
func TestDialAfterAPause(t *testing.T) {
	f := func(ends time.Duration, want int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			dials := 0
			d := Dialer{Timeout: time.Second, DialFunc: func(context.Context, string, string) (net.Conn, error) {
				dials++
				time.Sleep(ends)
				return nil, errors.New("timeout")
			}}
			if _, err := d.Dial(t.Context(), "a:1"); err == nil || dials != want {
				t.Errorf("%v, %d attempts, want %d", err, dials, want)
			}
		})
	}
	f(time.Second, 1)
	f(time.Minute, 2)
}

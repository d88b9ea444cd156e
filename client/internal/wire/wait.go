package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
)

// Cause is why a context ended, nil if it has not: its cause, which wraps the context's error in
// any case.
func Cause(ctx context.Context) error {
	err := ctx.Err() // first: whoever has an error has a cause
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// waited is how waiting ended.
type waited uint8

const (
	came waited = iota
	contextEnded
	connEnded
)

// Await waits for something to come, until the context ends; ok: it came. As in Call, a pause of
// our own process does not use the context's deadline up, whose time began to count at began.
func Await[T any](ctx context.Context, began time.Time, what <-chan T) (v T, ok bool) {
	v, why := wait(ctx, nil, began, what)
	return v, why == came
}

// wait waits for something to come, until the context ends or the connection does. began is
// when the time of the context's deadline, if it has one, began to count.
func wait[T any](ctx context.Context, connDone <-chan struct{}, began time.Time, what <-chan T) (v T, how waited) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return waitUnbounded(ctx, connDone, what)
	}
	until := pause.After(0, deadline.Sub(began))
	timer := time.NewTimer(until.Next() - time.Since(began))
	defer timer.Stop()
	for done := ctx.Done(); ; {
		select {
		case v = <-what:
			return v, came
		case <-connDone:
			return v, connEnded
		case <-timer.C:
			if until.Over(time.Since(began)) {
				<-ctx.Done() // at this moment, if not before
				return v, contextEnded
			}
			timer.Reset(until.Next() - time.Since(began))
		case <-done:
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) || until.Over(time.Since(began)) {
				return v, contextEnded
			}
			done = nil // it was our time that ended, in a pause perhaps: the timer decides
		}
	}
}

func waitUnbounded[T any](ctx context.Context, connDone <-chan struct{}, what <-chan T) (v T, how waited) {
	select {
	case v = <-what:
		return v, came
	case <-connDone:
		return v, connEnded
	case <-ctx.Done():
		return v, contextEnded
	}
}

package connwatch

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/pharosmq/pharos/internal/diag"
)

// Operators' questions are answered by the watch goroutine between its other work, in pieces
// that are short beside its tick.
const (
	askTimeout   = 2 * time.Second
	pieceLongest = 5 * time.Millisecond
	pieceRows    = 256
)

// query is something to be worked out by the watch goroutine. It must not panic; if it
// does, the question stays without an answer and the watch goes on.
type query func(nowMillis int64)

// ask has the watch goroutine work something out. What f returns must be the caller's to
// keep: after a time-out f may still run.
func ask[T any](ctx context.Context, w *Watch, f func(nowMillis int64) T) (answer T, err error) {
	if w.broken.Load() {
		return answer, diag.ErrNotJudging
	}
	ctx, cancel := context.WithTimeoutCause(ctx, askTimeout, diag.ErrBusy)
	defer cancel()
	answers := make(chan T, 1)
	select {
	case w.queries <- func(now int64) { answers <- f(now) }:
	case <-ctx.Done():
		return answer, w.unanswered(ctx)
	}
	select {
	case answer = <-answers:
		return answer, nil
	case <-ctx.Done():
		return answer, w.unanswered(ctx)
	}
}

func (w *Watch) unanswered(ctx context.Context) error {
	if w.broken.Load() {
		return diag.ErrNotJudging
	}
	return context.Cause(ctx)
}

// answer runs one query on the watch goroutine.
func (w *Watch) answer(q query) {
	defer func() {
		if v := recover(); v != nil {
			w.o.Log.Error("a question about connections panicked; the judgement of connections goes on. Please report this",
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	q(w.at(w.now()))
}

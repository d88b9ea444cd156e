package client

import (
	"context"
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
	"github.com/pharosmq/pharos/client/internal/wire"
)

// togetherMax is how long an answer may wait for the others of its batch.
const togetherMax = 50 * time.Millisecond

// routesIfNew is routeIfNew for several topics, whose requests leave together and whose answers
// are taken together: what a lookup costs is most of all waking up for it. One that is not
// answered soon, and as it should be, goes on as any other, on a goroutine of its own. Each
// question is told of once: on the caller's goroutine, or late, when that one is about to end.
func (r *Resolver) routesIfNew(ctx context.Context, within time.Duration, questions []routeQuestion, told func(i int, late bool)) {
	r.watch.start()
	defer r.watch.stop()
	lookups := r.askTogether(ctx, within, questions)
	wait := time.NewTimer(min(togetherMax, lookups[0].next()-r.now()))
	defer wait.Stop()
	var answered []int
	prompt := true
	for i := len(lookups) - 1; i >= 0; i-- { // the last one first: the others have come by then
		l, q := &lookups[i], &questions[i]
		done := q.err != nil
		if !done {
			done, q.err = l.soon(ctx, wait, &prompt)
		}
		if done {
			answered = append(answered, i)
			continue
		}
		r.watch.start()
		go func() {
			q.err = l.stay(ctx)
			r.watch.stop()
			told(i, true)
		}()
	}
	for _, i := range answered {
		told(i, false)
	}
}

// askTogether begins a lookup for each question. One that can't has the question's error.
func (r *Resolver) askTogether(ctx context.Context, within time.Duration, questions []routeQuestion) []lookup {
	lookups := make([]lookup, len(questions))
	var held *wire.Conn
	for i := range lookups {
		l := &lookups[i]
		*l = r.routeLookup(within, &questions[i])
		l.limit = pause.After(r.now(), l.within)
		l.held = true
		questions[i].err = l.begin(ctx)
		l.held = false
		if l.flights[0] == nil || l.flights[0].link.conn == held {
			continue
		}
		if held != nil {
			held.Flush()
		}
		held = l.flights[0].link.conn
	}
	if held != nil {
		held.Flush()
	}
	return lookups
}

// soon takes the answer as it comes, or, when something else has come before, if it is there.
func (l *lookup) soon(ctx context.Context, wait *time.Timer, prompt *bool) (done bool, err error) {
	f := l.flights[0]
	if f == nil || !*prompt {
		return l.came(ctx)
	}
	select {
	case reply := <-f.reply():
		return l.answered(ctx, 0, reply)
	case <-f.ended():
	case <-l.changed:
	case <-wait.C:
	case <-ctx.Done():
	case <-l.r.ctx.Done():
	}
	*prompt = false
	return l.came(ctx)
}

package client

// A name server that has just started answers that a topic does not exist until its brokers
// have registered, and one that brokers do not reach always does. So the first such answer is
// not believed if there is another server to ask.

import (
	"context"
	"errors"

	"github.com/pharosmq/pharos/codec"
)

// doubt reports whether another server is asked, or is being asked already, before an answer
// that says that the topic does not exist is believed. That is a hedge, and under its budget.
func (l *lookup) doubt(ctx context.Context, first *flight, err error) bool {
	var refusal *Refusal
	if !l.hedge || l.missing != nil || !errors.As(err, &refusal) || refusal.Code != codec.TopicNotExist {
		return false
	}
	l.hedgeAt = 0
	if l.flights == [2]*flight{} {
		f := l.other(first)
		if f == nil {
			return false
		}
		l.second(ctx, f)
	}
	l.missing = err
	l.believe = l.r.now() + l.r.o.hedgeMax()
	return true
}

// other makes a flight to a server that stands by; nil if there is none, or no budget.
func (l *lookup) other(first *flight) *flight {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	addr, gen, ok := r.machine.Hedge(first.addr)
	if !ok || l.hasTried(addr, gen) {
		return nil
	}
	r.stats.Doubts++
	return l.ask(r.now(), addr, gen)
}

// notFound is the error of a lookup whose topic is believed not to exist.
func (l *lookup) notFound() error {
	return &Error{Op: l.op(), Topic: l.topic(), Err: sentinelOfReply(l.missing), Attempts: l.attempts}
}

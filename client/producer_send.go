package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
	"github.com/pharosmq/pharos/codec"
)

// flowTriesMax bounds how often one message is refused by flow control; with pauses that
// double up to a second, SendTimeout ends it before.
const flowTriesMax = 32

// errSendTimeout and errAttemptTimeout tell our deadlines from those of callers.
var (
	errSendTimeout    = fmt.Errorf("the time-out for sending is over: %w", context.DeadlineExceeded)
	errAttemptTimeout = fmt.Errorf("the time-out of the attempt is over: %w", context.DeadlineExceeded)
)

// sending is one message on its way.
type sending struct {
	p          *Producer
	m          *Message
	properties string
	id         string
	start      time.Time
	attempts   []SendAttempt
	tries      int           // attempts that count against Retries
	flows      int           // attempts refused by flow control
	rush       int           // attempts without an answer since the last pause
	pause      time.Duration // the last one; 0: none yet
	begun      time.Time     // the last attempt
	last       string        // the broker group that failed last
	widened    bool          // brokers in doubt were tried for want of another
	others     bool          // there was more than one broker to choose from
	weak       *SendResult   // taken, but not SendOK, while RetryNotStored looks for better
}

// Send sends a message and returns when a broker has taken it. Its error is a *SendError,
// or wraps ErrMessage if the message cannot be sent at all.
//
// Java: DefaultMQProducerImpl#sendDefaultImpl.
func (p *Producer) Send(ctx context.Context, m *Message) (*SendResult, error) {
	s, err := p.begin(m)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.SendTimeout, errSendTimeout)
	defer cancel()
	res, err := s.run(ctx)
	if err != nil {
		p.counts.failed.Add(1)
		return nil, err
	}
	p.counts.sent.Add(1)
	return res, nil
}

func (p *Producer) begin(m *Message) (*sending, error) {
	if err := m.check(p.o.BodyBytesMax); err != nil {
		return nil, err
	}
	s := &sending{p: p, m: m, start: time.Now()}
	var err error
	s.properties, s.id, err = m.encodeProperties(func() string { return p.ids.next(s.start) })
	return s, err
}

func (s *sending) run(ctx context.Context) (*SendResult, error) {
	for {
		q, err := s.choose(ctx)
		if err != nil {
			return s.fail(err)
		}
		s.begun = time.Now()
		res, v, err := s.try(ctx, q)
		if err == nil {
			res.MessageID, res.Attempts = s.id, len(s.attempts)+1
			if res.Status == SendOK || !s.p.o.RetryNotStored || s.tries >= s.p.o.Retries {
				return res, nil
			}
			s.weak, v.retry = res, true
			err = fmt.Errorf("the broker answered %v", res.Status)
		}
		if !s.again(q, v, err) {
			return s.fail(nil)
		}
	}
}

// again takes note of an attempt that failed and reports whether another one follows.
func (s *sending) again(q *Candidate, v verdict, err error) bool {
	s.attempts = append(s.attempts, SendAttempt{Queue: q.Queue, Addr: q.Broker.addr, Err: err, Took: time.Since(s.begun)})
	s.last = q.Broker.name
	if v.lost {
		s.rush++
	}
	switch {
	case v.flow:
		s.flows++
	case v.unsent && s.p.o.Retries > 0: // it cannot be there twice, and pauses see to the rest
	default:
		s.tries++
	}
	if !v.retry || s.tries > s.p.o.Retries || s.flows >= flowTriesMax {
		return false
	}
	s.p.counts.retried.Add(1)
	return true
}

// fail ends a sending: with a result after all if a broker took the message.
func (s *sending) fail(why error) (*SendResult, error) {
	if s.weak != nil {
		return s.weak, nil
	}
	if s.p.ctx.Err() != nil {
		why = ErrClosed
	}
	return nil, &SendError{Topic: s.m.Topic, MessageID: s.id, Attempts: s.attempts, Took: time.Since(s.start), Err: why}
}

// quickEnough is how many times its usual latency a broker has if an attempt is cut short.
const quickEnough = 4

// attempt bounds an attempt. The last one has all the time there is left. If there is less left
// than an attempt may take, it has half of that when there is another broker and this one usually
// takes far less; otherwise its end is that of ctx.
func (s *sending) attempt(ctx context.Context, b *Broker) (context.Context, context.CancelFunc) {
	deadline, _ := ctx.Deadline()
	left, usual := time.Until(deadline), b.Latency()
	switch {
	case s.tries >= s.p.o.Retries:
	case left > s.p.o.AttemptTimeout:
		return context.WithTimeoutCause(ctx, s.p.o.AttemptTimeout, errAttemptTimeout)
	case s.others && usual > 0 && quickEnough*usual < left/2:
		return context.WithTimeoutCause(ctx, left/2, errAttemptTimeout)
	}
	return context.WithCancel(ctx)
}

// try makes one attempt.
func (s *sending) try(ctx context.Context, q *Candidate) (*SendResult, verdict, error) {
	p, b := s.p, q.Broker
	b.inFlight.Add(1)
	timing := p.watch.start()
	attempt, cancel := s.attempt(ctx, b)
	r, lost := p.exchange(attempt, b, sendHeader(&p.o, s.m, s.properties, q, s.start), s.m.Body)
	cancel()
	b.inFlight.Add(-1)
	took := timing.took()
	p.watch.stop()
	if lost != nil {
		return nil, p.noAnswer(ctx, q, took, lost), lost.err
	}
	res, err := readSendReply(r, s.m.Topic, b)
	v := p.answered(q, r.Code, took, err)
	return res, v, err
}

// exchangeError is why a request got no answer.
type exchangeError struct {
	err    error
	silent bool       // nothing was heard of the broker
	unsent bool       // the broker cannot be reached, and not a byte of it left
	ours   bool       // it was not sent, for a reason of ours
	conn   *wire.Conn // that still stands; nil: there is none
}

// exchange sends a request to a broker and returns the answer.
func (p *Producer) exchange(ctx context.Context, b *Broker, h codec.Header, body []byte) (*wire.Reply, *exchangeError) {
	conn, err := p.connect(ctx, b)
	if err != nil {
		return nil, &exchangeError{err: err, silent: true, unsent: errors.Is(err, ErrUnreachable)}
	}
	begun := time.Now()
	r, err := conn.Call(ctx, h, body)
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, wire.ErrClosed):
		return nil, &exchangeError{err: fmt.Errorf("%w: %w", ErrUnreachable, err), silent: true, unsent: errors.Is(err, wire.ErrNotSent)}
	case ctx.Err() == nil:
		return nil, &exchangeError{err: err, ours: true}
	}
	return nil, &exchangeError{err: fmt.Errorf("%w: %w", ErrNoAnswer, err), silent: !conn.Heard().After(begun), conn: conn}
}

// answered takes note of a broker's answer; err is nil if it took the message.
func (p *Producer) answered(q *Candidate, code int32, took time.Duration, err error) verdict {
	b := q.Broker
	b.took(took)
	o := Outcome{Code: code, Latency: took}
	var v verdict
	if _, ok := stored(code); !ok {
		v = judgeSend(code)
	}
	if v.fault {
		o.Result = ResultRefused
		b.counts.refused.Add(1)
	} else {
		b.counts.stored.Add(1)
	}
	if v.flow {
		p.counts.flowControlled.Add(1)
	}
	if v.restMin > 0 {
		p.changed(b.health.rest(time.Now(), err, v.restMin, v.restMax))
	} else {
		p.changed(b.health.answered(time.Now()))
	}
	if v.reload {
		p.routes.Reload(q.Queue.Topic)
	}
	p.done(q, o)
	return v
}

// noAnswer takes note of an attempt without an answer.
func (p *Producer) noAnswer(ctx context.Context, q *Candidate, took time.Duration, lost *exchangeError) verdict {
	if lost.ours {
		p.done(q, Outcome{Result: ResultAbandoned, Latency: took})
		return verdict{retry: errors.Is(lost.err, wire.ErrTooManyCalls)}
	}
	if p.ctx.Err() != nil {
		p.done(q, Outcome{Result: ResultAbandoned, Latency: took})
		return verdict{}
	}
	if p.tooEarly(ctx, took, lost) {
		if !p.silentForLong(q.Broker, took, lost) {
			p.done(q, Outcome{Result: ResultAbandoned, Latency: took})
			return verdict{retry: ctx.Err() == nil, lost: true, unsent: lost.unsent}
		}
		lost.silent = true
	}
	p.counts.notAnswered.Add(1)
	q.Broker.counts.lost.Add(1)
	q.Broker.probeTopic.Store(&q.Queue.Topic)
	if lost.silent && lost.conn != nil {
		q.Broker.drop(lost.conn, ErrNoAnswer)
	}
	p.changed(q.Broker.health.lost(time.Now(), lost.err, lost.silent, p.o.ProbeMin, p.o.ProbeMax))
	p.routes.Reload(q.Queue.Topic)
	p.done(q, Outcome{Result: ResultLost, Latency: took})
	return verdict{retry: ctx.Err() == nil, lost: true, unsent: lost.unsent}
}

// tooEarly reports whether an attempt was given up before it said anything of the broker.
func (p *Producer) tooEarly(ctx context.Context, took time.Duration, lost *exchangeError) bool {
	short := took < p.o.AttemptTimeout/2
	if ctx.Err() != nil {
		return short || errors.Is(ctx.Err(), context.Canceled)
	}
	return short && errors.Is(lost.err, errAttemptTimeout)
}

// silentForLong reports whether a broker has been silent for long enough to be left, in all the
// attempts together that were given up too early.
func (p *Producer) silentForLong(b *Broker, took time.Duration, lost *exchangeError) bool {
	var heard time.Time
	if lost.conn != nil {
		heard = lost.conn.Heard()
	}
	now := time.Now()
	return b.health.gaveUp(now, now.Add(-took), heard, p.o.AttemptTimeout/2)
}

// changed makes the Candidates be made anew.
func (p *Producer) changed(yes bool) {
	if yes {
		p.marks.Add(1)
	}
}

// done tells the Selector, and sees to it that brokers in doubt are probed.
func (p *Producer) done(q *Candidate, o Outcome) {
	p.o.Selector.Done(q, o)
	if o.Result == ResultRefused || o.Result == ResultLost {
		p.probe(q)
	}
}

// SendOneway sends a message and does not ask whether it arrived: it returns when the kernel
// has taken it. Another broker is tried only while nothing has been sent for certain, as when
// one cannot be connected to. Its error is as that of Send.
func (p *Producer) SendOneway(ctx context.Context, m *Message) error {
	s, err := p.begin(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.SendTimeout, errSendTimeout)
	defer cancel()
	for {
		q, err := s.choose(ctx)
		if err != nil {
			p.counts.failed.Add(1)
			_, err = s.fail(err)
			return err
		}
		s.begun = time.Now()
		v, err := s.tryOneway(ctx, q)
		if err == nil {
			p.counts.oneway.Add(1)
			return nil
		}
		if !s.again(q, v, err) {
			p.counts.failed.Add(1)
			_, err = s.fail(nil)
			return err
		}
	}
}

// tryOneway makes one attempt; it is repeated only if nothing was sent.
func (s *sending) tryOneway(ctx context.Context, q *Candidate) (verdict, error) {
	p, b := s.p, q.Broker
	b.inFlight.Add(1)
	defer b.inFlight.Add(-1)
	timing := p.watch.start()
	defer p.watch.stop()
	attempt, cancel := s.attempt(ctx, b)
	defer cancel()
	conn, err := p.connect(attempt, b)
	if err != nil {
		return p.noAnswer(ctx, q, timing.took(), &exchangeError{err: err, silent: true, unsent: errors.Is(err, ErrUnreachable)}), err
	}
	err = conn.Oneway(attempt, sendHeader(&p.o, s.m, s.properties, q, s.start), s.m.Body)
	took := timing.took()
	switch {
	case err == nil:
		p.done(q, Outcome{Latency: took})
		return verdict{}, nil
	case errors.Is(err, wire.ErrClosed):
		unsent := errors.Is(err, wire.ErrNotSent)
		v := p.noAnswer(ctx, q, took, &exchangeError{err: err, silent: true, unsent: unsent})
		v.retry = v.retry && unsent
		return v, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case attempt.Err() != nil: // the kernel's buffer is full: the broker does not read
		p.noAnswer(ctx, q, took, &exchangeError{err: err, silent: true, conn: conn})
		return verdict{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	p.done(q, Outcome{Result: ResultAbandoned, Latency: took})
	return verdict{}, err
}

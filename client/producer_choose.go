package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
)

// A message that no broker can be reached for is tried again after pauses that double from
// reachPauseMin to reachPauseMax, as is one that brokers refused who rest for longer than it has
// time. The last attempt has reachPauseMin left, or is not made.
const (
	reachPauseMin = 50 * time.Millisecond
	reachPauseMax = 500 * time.Millisecond
)

var errNoTimeLeft = fmt.Errorf("no broker is there to take it, and there is no time left to try again: %w", context.DeadlineExceeded)

// choose chooses a queue. While every broker that works asks for less, and while none can be
// reached, it waits, if there is time to.
func (s *sending) choose(ctx context.Context) (*Candidate, error) {
	for {
		if err := wire.Cause(ctx); err != nil {
			return nil, err
		}
		c, err := s.p.candidates(ctx, s.m.Topic)
		if err != nil {
			return nil, err
		}
		if wide := s.widen(c); wide != nil {
			s.others = true
			return s.p.choose(wide, s.last), nil
		}
		s.others = len(c.Brokers) > 1
		deadline, _ := ctx.Deadline() // Send and SendOneway set one
		var wait time.Duration
		switch {
		case s.rushed(c):
			if wait, err = s.nextPause(time.Until(deadline)); err != nil {
				return nil, err
			}
		case c.state == brokerResting && !deadline.Before(c.until):
			wait = spread(time.Until(c.until))
		case c.state == brokerResting && len(s.attempts) > 0: // they rest for longer than there is time
			if wait, err = s.nextPause(time.Until(deadline)); err != nil {
				return nil, err
			}
		}
		if wait <= 0 {
			return s.p.choose(c, s.last), nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-s.p.ctx.Done():
			timer.Stop()
			return nil, ErrClosed
		}
		timer.Stop()
	}
}

// rushed reports whether the message had no answer from any broker there is, if all are down,
// nor in as many attempts as Retries allows: then the next one comes after a pause. As long as a
// broker is left that is not down, those Retries are all that is made at once.
func (s *sending) rushed(c *Candidates) bool {
	atOnce := s.p.o.Retries + 1
	if c.state == brokerDown {
		atOnce = min(atOnce, len(c.Brokers))
	}
	return s.rush >= atOnce
}

// nextPause is how long to wait before the next attempt, with so much time left: the pause counts
// from the last attempt on, so that there is none after one that took long.
func (s *sending) nextPause(left time.Duration) (time.Duration, error) {
	if s.weak != nil {
		return 0, errNoTimeLeft // it is stored, if not as well as it could be
	}
	s.rush = 0
	s.pause = min(max(2*s.pause, reachPauseMin), reachPauseMax)
	wait := spread(s.pause) - time.Since(s.begun)
	if wait <= left/2 {
		return wait, nil
	}
	if left/2 < reachPauseMin {
		return 0, errNoTimeLeft
	}
	return left / 2, nil
}

// spread is d and up to a quarter more, so that not all come at the same moment. d is negative if
// the moment has passed since it was computed.
func spread(d time.Duration) time.Duration {
	d = max(d, 0)
	return d + rand.N(d/4+time.Millisecond)
}

// widen returns a choice that includes the brokers in doubt, if all others come down to the
// one that has just failed this message: rather one that may be back than the same again. It
// does so once for a message.
func (s *sending) widen(c *Candidates) *Candidates {
	if s.widened || s.last == "" || len(c.Brokers) > 1 || c.Brokers[0].name != s.last {
		return nil
	}
	wide := newCandidates(c.route, s.p.broker, c.cursor, c.marks, time.Now(), brokerDown)
	if len(wide.Brokers) == 1 {
		return nil
	}
	s.widened = true
	return wide
}

// choose asks the Selector, and does not depend on it.
func (p *Producer) choose(c *Candidates, last string) *Candidate {
	if q := p.o.Selector.Select(c, last); q != nil {
		return q
	}
	return c.notOn(last)
}

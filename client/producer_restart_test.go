package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sendBoth calls f with each of the two ways to send, in simulated time of its own.
func sendBoth(t *testing.T, f func(t *testing.T, send func(*Producer, context.Context) error)) {
	t.Run("Send", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f(t, func(p *Producer, ctx context.Context) error {
				_, err := p.Send(ctx, text("T", 0))
				return err
			})
		})
	})
	t.Run("SendOneway", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f(t, func(p *Producer, ctx context.Context) error { return p.SendOneway(ctx, text("T", 0)) })
		})
	})
}

// afterKill returns a producer whose brokers a, b, ... have all been sent to and are dead now.
func afterKill(t *testing.T, o ProducerOptions, names ...string) (*fakeCluster, *Producer) {
	t.Helper()
	c := newFakeCluster(t, names...)
	p := c.producer(o)
	sendAll(t, p, 1, 2*len(names))
	for _, b := range c.brokers {
		b.kill()
	}
	synctest.Wait()
	return c, p
}

func (c *fakeCluster) restartAfter(d time.Duration) {
	time.AfterFunc(d, func() {
		for _, b := range c.brokers {
			b.set(func(b *fakeBroker) { b.refuse = false })
		}
	})
}

// Goal: a message waits for brokers that restart, all of them or the only one, and is sent soon
// after they are back, with few attempts.
func TestBrokersRestart(t *testing.T) {
	for _, names := range [][]string{{"a"}, {"a", "b"}, {"a", "b", "c", "d", "e"}} {
		for _, away := range []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second, 2300 * time.Millisecond} {
			sendBoth(t, func(t *testing.T, send func(*Producer, context.Context) error) {
				c, p := afterKill(t, ProducerOptions{}, names...)
				before := p.Stats()
				c.restartAfter(away)
				began := time.Now()
				if err := send(p, t.Context()); err != nil {
					t.Fatalf("%v, away for %v: %v", names, away, err)
				}
				s, took := p.Stats(), time.Since(began)
				if took > away+reachPauseMin+reachPauseMax*5/4 {
					t.Errorf("%v, away for %v: it took %v", names, away, took)
				}
				if n, most := s.Retried-before.Retried, uint64(10*min(len(names), 3)); n > most || s.Failed != 0 {
					t.Errorf("%v, away for %v: %d repetitions, at most %d wanted; stats %+v", names, away, n, most, s)
				}
			})
		}
	}
}

// Goal: the wait for brokers that do not come back ends by SendTimeout, by what the caller's
// context allows or when that is canceled; the error says what there was.
func TestBrokersStayAway(t *testing.T) {
	f := func(name string, o ProducerOptions, begin func(context.Context) (context.Context, context.CancelFunc), least, most time.Duration, attempts int, is error) {
		t.Helper()
		for _, names := range [][]string{{"a"}, {"a", "b"}} {
			sendBoth(t, func(t *testing.T, send func(*Producer, context.Context) error) {
				_, p := afterKill(t, o, names...)
				ctx, cancel := begin(t.Context())
				defer cancel()
				began := time.Now()
				err := send(p, ctx)
				took := time.Since(began)
				var se *SendError
				if !errors.As(err, &se) || !errors.Is(err, is) || !errors.Is(err, ErrUnreachable) || took < least || took > most {
					t.Fatalf("%s, %v: after %v, want %v to %v: %v", name, names, took, least, most, err)
				}
				if n := len(se.Attempts); n > attempts*len(names) {
					t.Errorf("%s, %v: %d attempts: %v", name, names, n, err)
				}
				if s := p.Stats(); s.Failed != 1 {
					t.Errorf("%s, %v: stats %+v", name, names, s)
				}
			})
		}
	}
	none := func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }
	within := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, d)
		}
	}
	canceled := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(120*time.Millisecond, cancel)
		return ctx, cancel
	}
	const ms = time.Millisecond
	f("SendTimeout", ProducerOptions{}, none, 2900*ms, 3000*ms, 14, context.DeadlineExceeded)
	f("a longer one", ProducerOptions{SendTimeout: 20 * time.Second}, none, 19900*ms, 20000*ms, 48, context.DeadlineExceeded)
	f("the caller's", ProducerOptions{}, within(500*ms), 400*ms, 500*ms, 8, context.DeadlineExceeded)
	f("no time to wait", ProducerOptions{}, within(80*ms), 0, 0, 1, context.DeadlineExceeded)
	f("canceled", ProducerOptions{}, canceled, 120*ms, 120*ms, 3, context.Canceled)
	f("no repetition wanted", ProducerOptions{Retries: -1}, none, 0, 0, 1, ErrUnreachable)
}

// Goal: the text of an error with many attempts stays short, and says where it comes from.
func TestErrorOfManyAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := afterKill(t, ProducerOptions{SendTimeout: time.Minute}, "a")
		_, err := p.Send(t.Context(), text("T", 0))
		for _, want := range []string{"topic T failed after 59.", "no broker is there to take it", "; attempt 2 on a (ha, ", " more; attempt 1", "connection refused"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in %q", want, err)
			}
		}
		if n := len(err.Error()); n > 2000 {
			t.Errorf("%d bytes: %v", n, err)
		}
	})
}

// Goal: as long as a broker works nothing waits, whichever others are dead.
func TestNoPauseWhileABrokerWorks(t *testing.T) {
	sendBoth(t, func(t *testing.T, send func(*Producer, context.Context) error) {
		c, p := afterKill(t, ProducerOptions{}, "a", "b", "c")
		c.brokers["hc"].set(func(b *fakeBroker) { b.refuse = false })
		for range 20 {
			began := time.Now()
			if err := send(p, t.Context()); err != nil || time.Since(began) > 0 {
				t.Fatalf("after %v: %v", time.Since(began), err)
			}
		}
	})
}

// Goal: with many brokers and no way to any, a message does not rush through all of them.
func TestManyBrokersAway(t *testing.T) {
	sendBoth(t, func(t *testing.T, send func(*Producer, context.Context) error) {
		names := strings.Split("abcdefghijklmnopqrst", "")
		_, p := afterKill(t, ProducerOptions{}, names...)
		ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
		defer cancel()
		var se *SendError
		if err := send(p, ctx); !errors.As(err, &se) || len(se.Attempts) != 3 || se.Took > 0 {
			t.Errorf("%d attempts: %v", len(se.Attempts), err)
		}
	})
}

// Goal: a message that was being sent when its broker died is sent once more when that is back;
// one that was stored, if not as well as wanted, does not wait for it.
func TestBrokerDiesWithAMessage(t *testing.T) {
	f := func(name string, code int32, want SendStatus, most time.Duration, attempts int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a")
			b := c.brokers["ha"]
			b.latency, b.code = 10*time.Millisecond, code
			p := c.producer(ProducerOptions{RetryNotStored: true})
			time.AfterFunc(15*time.Millisecond, b.kill)
			c.restartAfter(time.Second)
			if code == 0 {
				b.latency = 20 * time.Millisecond
			}
			began := time.Now()
			res, err := p.Send(t.Context(), text("T", 0))
			if took := time.Since(began); err != nil || res.Status != want || took > most || res.Attempts > attempts {
				t.Errorf("%s: after %v: %+v, %v", name, took, res, err)
			}
		})
	}
	f("sent again", 0, SendOK, 1700*time.Millisecond, 8)
	f("stored", codeFlushDiskTimeout, SendFlushDiskTimeout, 15*time.Millisecond, 1)
}

// Goal: a broker that is back, and asks for less at first, is not asked without a pause; nor is one
// that rests for longer than a message has time.
func TestBrokerIsBackAndBusy(t *testing.T) {
	f := func(name string, names []string, freeAfter time.Duration, attempts int, succeed bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c, p := afterKill(t, ProducerOptions{}, names...)
			for _, b := range c.brokers {
				b.set(func(b *fakeBroker) { b.code = codeFlowControl })
				time.AfterFunc(freeAfter, func() { b.set(func(b *fakeBroker) { b.code = 0 }) })
			}
			c.restartAfter(500 * time.Millisecond)
			began := time.Now()
			_, err := p.Send(t.Context(), text("T", 0))
			refused := 0
			for _, b := range p.Stats().Brokers {
				refused += int(b.Refused)
			}
			if took := time.Since(began); succeed != (err == nil) || took > 3*time.Second || refused == 0 || refused > attempts*len(names) {
				t.Errorf("%s, %v: refused %d times; after %v: %v", name, names, refused, took, err)
			}
		})
	}
	for _, names := range [][]string{{"a"}, {"a", "b", "c"}} {
		f("for a moment", names, time.Second, 7, true)
		f("for long", names, 2*time.Second, 10, true)
		f("for ever", names, time.Hour, 14, false)
	}
}

package client

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// standStill has a stopwatch see what it sees of a process that stands still: no beat comes,
// until what it returns is called.
func standStill(w *stopwatch) (goOn func()) {
	w.mu.Lock()
	timer := w.timer
	w.mu.Unlock()
	for !timer.Stop() { // a beat is being noted, and the next one set
		synctest.Wait()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		timer.Reset(0)
	}
}

func beats(w *stopwatch) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.beating
}

// TestStopwatch: an answer's time is its own, whatever we stood still for meanwhile, before or
// after.
func TestStopwatch(t *testing.T) {
	f := func(before, stood, after, least, most time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := newStopwatch()
			defer w.close()
			w.start() // another one's
			defer w.stop()
			time.Sleep(7 * time.Millisecond)
			timing := w.start()
			defer w.stop()
			time.Sleep(before)
			if stood > 0 {
				goOn := standStill(w)
				time.Sleep(stood)
				goOn()
			}
			time.Sleep(after)
			if took := timing.took(); took < least || took > most {
				t.Errorf("%v, %v still, %v: it took %v, want %v to %v", before, stood, after, took, least, most)
			}
			fresh := w.split()
			time.Sleep(time.Second)
			if took := fresh.took(); took != time.Second {
				t.Errorf("an answer after the pause took %v", took)
			}
		})
	}
	ms := time.Millisecond
	f(0, 0, 1500*ms, 1500*ms, 1500*ms)
	f(0, 3*time.Second, 0, 0, 20*ms)
	f(100*ms, 3*time.Second, 0, 60*ms, 120*ms)
	f(100*ms, 3*time.Second, 600*ms, 660*ms, 720*ms)
	f(600*ms, time.Hour, 100*ms, 660*ms, 720*ms)
}

// TestStopwatchRests: it beats while something is outstanding, and no longer.
func TestStopwatchRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStopwatch()
		for range 3 {
			timing := w.start()
			time.Sleep(time.Second)
			w.stop()
			time.Sleep(time.Minute)
			if beats(w) || w.waiting != 0 {
				t.Fatalf("a minute later: beating %v, %d outstanding", beats(w), w.waiting)
			}
			if took := timing.took(); took != time.Minute+time.Second {
				t.Errorf("while it rests: %v", took)
			}
		}
		w.start()
		w.close()
		w.start()
		time.Sleep(time.Minute)
		if beats(w) {
			t.Error("it beats after close")
		}
	})
}

// TestPauseIsNoLatency: answers that came while the process stood still are not held against
// brokers: not in their latency, which weighs them, and not by LatencyFault. Those that take as
// long by themselves are.
func TestPauseIsNoLatency(t *testing.T) {
	for _, paused := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeCluster(t, "a", "b")
			latency := func(d time.Duration) {
				for _, b := range c.brokers {
					b.set(func(b *fakeBroker) { b.latency = d })
				}
			}
			s := NewLatencyFault(nil)
			p := c.producer(ProducerOptions{Selector: s, AttemptTimeout: 10 * time.Second, SendTimeout: 20 * time.Second})
			latency(time.Millisecond)
			sendAll(t, p, 1, 10)
			latency(3 * time.Second)
			var sends sync.WaitGroup
			sends.Go(func() { sendAll(t, p, 20, 20) })
			time.Sleep(10 * time.Millisecond)
			if paused {
				goOn := standStill(p.watch)
				time.Sleep(3 * time.Second)
				goOn()
			}
			sends.Wait()
			for _, b := range p.Stats().Brokers {
				if quick := b.Latency < 50*time.Millisecond; quick != paused {
					t.Errorf("paused %v: the latency of %s is %v", paused, b.Name, b.Latency)
				}
				if s.available(b.Name, s.now()) != paused {
					t.Errorf("paused %v: what LatencyFault says of %s", paused, b.Name)
				}
			}
		})
	}
}

// TestPauseIsNoLatencyOfNameServers: the same of a Resolver, whose lookups of later on are hedged
// as before.
func TestPauseIsNoLatencyOfNameServers(t *testing.T) {
	for _, paused := range []bool{true, false} {
		inBubble(t, ResolverOptions{NoHedge: true}, func(t *testing.T, n *fakeNet, r *Resolver) {
			settled(t, r)
			for range 30 {
				r.Route(t.Context(), "T")
			}
			n.become(nsA, slowly)
			var lookups sync.WaitGroup
			for range 20 {
				lookups.Go(func() {
					if _, err := r.Route(t.Context(), "T"); err != nil {
						t.Error(err)
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
			if paused {
				goOn := standStill(r.watch)
				time.Sleep(2 * time.Second)
				goOn()
			}
			lookups.Wait()
			r.mu.Lock()
			hedgeAfter := r.machine.HedgeAfter()
			r.mu.Unlock()
			s := r.Servers()[0]
			if quick := s.Latency < 50*time.Millisecond && hedgeAfter < 50*time.Millisecond; quick != paused || s.Role != ServerInUse {
				t.Errorf("paused %v: hedges after %v; %+v", paused, hedgeAfter, s)
			}
		})
	}
}

package choice

import (
	"testing"
	"time"
)

// Goal: our own process stands still, for whatever time and from whatever moment on, with
// questions outstanding: nobody is left for it, on whichever time-out, and no connection ends.
func TestWeStandStill(t *testing.T) {
	f := func(name string, p Params, latency condition) {
		t.Helper()
		for _, d := range []time.Duration{240 * ms, 260 * ms, 490 * ms, 510 * ms, 700 * ms, 2900 * ms, 2990 * ms, 3010 * ms, 3500 * ms, time.Minute} {
			for from := time.Duration(0); from < 10*ms; from += 500 * time.Microsecond {
				w := started(t, p, "a", "b", "c")
				w.become("a", latency)
				w.load(10 * ms)
				w.run(time.Second + from)
				dials := w.dials["a"] + w.dials["b"] + w.dials["c"]
				w.stand(d)
				w.run(200 * ms)
				if w.m.InUse() != "a" || w.role("b") != StandBy || w.role("c") != StandBy {
					t.Fatalf("%s: we stood still for %v: %s", name, d, w.describe())
				}
				w.run(10 * time.Second)
				if n := w.dials["a"] + w.dials["b"] + w.dials["c"]; n != dials || w.m.InUse() != "a" {
					t.Fatalf("%s: we stood still for %v: %d new connections; %s", name, d, n-dials, w.describe())
				}
			}
		}
	}
	f("hedging", Params{Silence: 500 * ms}, up)
	f("no hedging", Params{}, up)
	f("impatient", Params{SoftThreshold: 1, KeepOnTimeout: true}, up)
	// Every answer is outstanding for most of the time.
	f("slow", Params{SlowAfter: time.Minute}, slow)
}

// Goal: one that hung while we stood still is left when it has had its time, and not later.
func TestOneThatHungWhileWeStoodStill(t *testing.T) {
	f := func(p Params, d, limit time.Duration) {
		t.Helper()
		w := started(t, p, "a", "b")
		w.load(10 * ms)
		w.until("a question", time.Second, func() bool { return w.peers["a"].gen != 0 && owes(w, "a") })
		w.become("a", hung)
		w.stand(d)
		if took := w.until("another server in use", time.Minute, func() bool { return w.m.InUse() == "b" }); took > limit {
			t.Errorf("after we stood still for %v: %v", d, took)
		}
	}
	f(Params{}, 5*time.Second, 100*ms)
	f(Params{}, 2*time.Second, 1100*ms)
	f(Params{Silence: 500 * ms}, 5*time.Second, 100*ms)
	f(Params{Silence: 500 * ms}, 200*ms, 400*ms)
}

// owes reports whether a server owes an answer.
func owes(w *world, addr string) bool { return w.m.find(addr).owed != never }

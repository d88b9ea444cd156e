package choice

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Goal: whatever servers do and whenever: one that has answered for a while is in use, or
// another that answers is; nobody is in use who has not answered for a while; nobody is
// dialled or probed too often; the machine always comes to rest and always goes on.
func TestNeverWithoutAServerThatAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{
			Seed:          rapid.Uint64().Draw(t, "seed"),
			KeepOnTimeout: rapid.Bool().Draw(t, "keep"),
			SoftThreshold: rapid.IntRange(1, 4).Draw(t, "soft"),
		}
		if rapid.Bool().Draw(t, "hedging") {
			p.Silence = 500 * ms
		}
		addrs := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "servers")]
		w := newWorld(t, p, addrs...)
		// A dial into nothing and a rest may have to pass first, or a time-out and a probe.
		const bound = 9 * time.Second
		good := func(is condition) bool { return is == up || is == slow }
		w.after = func() { w.check(bound, good) }
		w.load(time.Duration(rapid.IntRange(50, 1000).Draw(t, "lookups every ms")) * ms)
		for range rapid.IntRange(1, 15).Draw(t, "changes") {
			addr := rapid.SampledFrom(addrs).Draw(t, "server")
			w.become(addr, condition(rapid.IntRange(0, len(conditionNames)-1).Draw(t, "becomes")))
			w.run(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "for ms")) * ms)
		}
		for _, a := range addrs {
			w.become(a, up)
		}
		w.run(2 * time.Minute)
		for _, a := range addrs {
			if r := w.role(a); r != InUse && r != StandBy {
				t.Fatalf("two minutes after all are well: %s", w.describe())
			}
		}
		total := w.now
		for a, n := range w.dials {
			if float64(n) > 2.5*total.Seconds()+20 {
				t.Fatalf("%s was dialled %d times in %v", a, n, total)
			}
		}
	})
}

// check fails if a server that has been well that long does not help, or one that has not is
// in use.
func (w *world) check(bound time.Duration, good func(condition) bool) {
	inUse := w.m.InUse()
	well := ""
	for a, p := range w.peers {
		if p.is == up && w.now-p.since > bound && w.now > bound {
			well = a
		}
	}
	if inUse != w.was {
		w.was, w.wasSince = inUse, w.now
	}
	if well == "" {
		return
	}
	if inUse == "" && w.now-w.wasSince > 1100*ms {
		w.t.Fatalf("%s answers and nobody is in use: %s", well, w.describe())
	}
	if p := w.peers[inUse]; p != nil && !good(p.is) && w.now-max(p.since, w.wasSince) > bound {
		w.t.Fatalf("%s has been %v for %v and is in use while %s answers: %s", inUse, p.is, w.now-p.since, well, w.describe())
	}
}

package connhealth_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// hiccup is one thing of a random history that nobody dies of.
type hiccup struct {
	kind   string
	broker int
	length int64 // milliseconds
	gap    int64 // seconds of quiet after it
}

func (x hiccup) String() string {
	return fmt.Sprintf("%s(broker %d, %d ms, then %d s)", x.kind, x.broker, x.length, x.gap)
}

// history is a random world: hiccups, and at the end a death.
type history struct {
	o       worldOptions
	lossPct int
	hiccups []hiccup
	death   int
}

func drawHistory(t *rapid.T) history {
	var h history
	h.o = worldOptions{
		seed:    rapid.Uint64Range(1, 1<<32).Draw(t, "seed"),
		rtt:     rapid.SampledFrom([]int64{200, 50 * ms, 10 * ms, 200 * ms}).Draw(t, "rtt"),
		events:  rapid.Bool().Draw(t, "events"),
		brokers: rapid.IntRange(2, 9).Draw(t, "brokers"),
		clients: rapid.IntRange(1, 4).Draw(t, "clients"),
		servers: rapid.SampledFrom([]int{1, 3}).Draw(t, "servers"),
		noDial:  rapid.Bool().Draw(t, "no dial-back"),
	}
	h.lossPct = rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "loss")
	h.o.loss = float64(h.lossPct) / 100
	n := rapid.IntRange(0, 4).Draw(t, "hiccups")
	for range n {
		h.hiccups = append(h.hiccups, hiccup{
			kind:   rapid.SampledFrom([]string{"outage", "own link", "reset", "freeze", "stop", "one way out", "one way in"}).Draw(t, "kind"),
			broker: rapid.IntRange(0, h.o.brokers-1).Draw(t, "broker"),
			length: rapid.Int64Range(100, 4000).Draw(t, "length"),
			gap:    rapid.Int64Range(20, 60).Draw(t, "gap"),
		})
	}
	h.death = rapid.IntRange(0, len(deadFaults())-1).Draw(t, "death")
	return h
}

func (x *hiccup) hit(w *world) {
	b := w.brokers[x.broker]
	d := x.length * ms
	switch x.kind {
	case "outage":
		b.host.outage(d)
	case "own link":
		ownLinkDown(2 * d)(w)
	case "reset":
		b.host.ResetFlows()
	case "freeze":
		b.freeze(2 * d)
	case "stop":
		w.stop(2 * d)
	case "one way out":
		b.host.FromSrv.Down = true
		w.net.After(d, func() { b.host.FromSrv.Down = false })
	case "one way in":
		b.host.ToServer.Down = true
		w.net.After(d, func() { b.host.ToServer.Down = false })
	}
}

// allowance is how long a living broker may be missing for these hiccups: the stated
// exceptions. With losses around it an outage looks longer than it was; and without dial-back
// a healthy connection that is reset, or closed by a broker that was paused, is a process that
// ended.
func (h *history) allowance() (seconds float64) {
	for _, x := range h.hiccups {
		switch {
		case (x.kind == "reset" || x.kind == "freeze") && h.o.noDial:
			seconds += 31
			if len(h.hiccups) > 1 {
				seconds += 60 // another hiccup may cost the next registrations
			}
		case x.kind == "reset" && h.lossPct > 0:
			seconds += 2
		case (x.kind == "own link" || x.kind == "stop") && h.lossPct > 0:
			seconds += float64(2*x.length)/1000 + 4 // a lost SYN costs a second, two of them three
		case x.kind == "freeze" || x.kind == "stop" || x.kind == "own link":
		case h.lossPct > 0 && x.length > 2000:
			seconds += float64(x.length)/1000 + 2
		}
	}
	return seconds
}

// TestRandomHistories: in any history the dead are found, and the living are shown.
func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		w := newWorld(h.o)
		var lines []string
		w.log = func(f string, a ...any) { lines = append(lines, fmt.Sprintf(f, a...)) }
		fail := func(format string, a ...any) {
			for _, l := range lines {
				rt.Log(l)
			}
			rt.Fatalf(format, a...)
		}
		w.run(40 * sec)
		for i := range h.hiccups {
			lines = append(lines, fmt.Sprintf("%8d %v", w.now()-epoch, h.hiccups[i]))
			h.hiccups[i].hit(w)
			w.run(2*h.hiccups[i].length*ms + h.hiccups[i].gap*sec)
		}
		if m := w.missing(); m > h.allowance() {
			fail("%.1f s missing, %.1f allowed, after %v", m, h.allowance(), h.hiccups)
		}
		f := deadFaults()[h.death]
		b := w.brokers[0]
		lines = append(lines, fmt.Sprintf("%8d %s", w.now()-epoch, f.name))
		f.hit(w, b)
		w.run(80 * sec)
		b.account()
		if b.detected < 0 && b.dead {
			fail("%s: not found", f.name)
		}
		// A contradicted verdict doubles the thresholds; loss makes any of them longer.
		limit := f.max + 1
		if h.lossPct > 0 || w.det.Stats().Contradicted > 0 {
			limit = 17
		}
		if h.o.rtt >= 200*ms {
			limit++
		}
		if h.o.noDial {
			limit = max(limit+1.5, 7.5)
		}
		if s := float64(b.detected) / float64(sec); s > limit {
			fail("%s: found after %.1f s, want %.1f", f.name, s, limit)
		}
	})
}

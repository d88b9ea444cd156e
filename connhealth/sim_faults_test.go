package connhealth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fault is one way for brokers to die, or to be thought dead.
type fault struct {
	name string
	// hit does it to one broker at a moment that the seed chose; died says whether it is dead
	// from now on.
	hit func(w *world, b *simBroker)
	// median and max seconds until it is hidden; 0: it lives, and is never to be hidden for
	// longer than max.
	median, max float64
	loss        float64
}

// whenPolled does f in the moment the broker's next 106 was answered: something is in flight.
func whenPolled(b *simBroker, f func()) {
	b.pollHere = true
	b.polled = func() {
		b.polled = nil
		// Half a round trip later the request is at the server.
		b.w.net.After(b.host.ToServer.Delay+1, f)
	}
}

func deadFaults() []fault {
	return []fault{
		{name: "vanish, idle", median: 6, max: 7, hit: func(w *world, b *simBroker) { b.vanish() }},
		{name: "vanish, in flight", median: 5, max: 6, hit: func(w *world, b *simBroker) { whenPolled(b, b.vanish) }},
		{name: "vanish, in flight, 5 % loss", loss: 0.05, median: 10, max: 15, hit: func(w *world, b *simBroker) { whenPolled(b, b.vanish) }},
		{name: "vanish, in flight, 10 % loss", loss: 0.1, median: 15, max: 17, hit: func(w *world, b *simBroker) { whenPolled(b, b.vanish) }},
		{name: "one way, towards broker", median: 9, max: 11, hit: func(w *world, b *simBroker) {
			b.die()
			b.host.FromSrv.Down = true
		}},
		{name: "one way, towards server", median: 6, max: 7, hit: func(w *world, b *simBroker) {
			b.die()
			b.host.ToServer.Down = true
		}},
		{name: "rejecting path", median: 1, max: 2, hit: func(w *world, b *simBroker) {
			b.die()
			b.host.ToServer.Reject, b.host.FromSrv.Reject = true, true
		}},
		{name: "unreachable", median: 6, max: 7, hit: func(w *world, b *simBroker) {
			b.vanish()
			b.host.FromSrv.Unreachable = true
		}},
		{name: "killed", median: 0.1, max: 0.2, hit: func(w *world, b *simBroker) { b.kill(false) }},
		{name: "killed, by reset", median: 0.1, max: 0.2, hit: func(w *world, b *simBroker) { b.kill(true) }},
		{name: "killed, its listener last", median: 0.1, max: 0.2, hit: func(w *world, b *simBroker) { b.killSlowly(true) }},
		{name: "killed, its listener last, unheard", median: 0.2, max: 0.3, hit: func(w *world, b *simBroker) { b.killSlowly(false) }},
		{name: "killed, 5 % loss", loss: 0.05, median: 4.5, max: 6, hit: func(w *world, b *simBroker) { b.kill(false) }},
		{name: "killed 10 s after an outage", median: 4.5, max: 6, hit: func(w *world, b *simBroker) {
			b.host.outage(3 * sec)
			w.net.After(13*sec, func() { b.kill(false) })
		}},
		{name: "killed 5 s after an outage, client beside it", median: 4.5, max: 6, hit: func(w *world, b *simBroker) {
			c := newSimClient(w, b.host.Host)
			b.host.outage(3 * sec)
			w.net.After(8*sec, func() {
				b.kill(false)
				w.net.After(w.net.Rand.Int64N(2*sec), c.lookup)
			})
		}},
	}
}

// detections runs a fault n times and returns seconds from death to hiding.
func detections(t *testing.T, f *fault, o worldOptions, n int) []float64 {
	t.Helper()
	var list []float64
	for i := range n {
		o.seed = uint64(i) + 1
		o.loss = f.loss
		o.brokers, o.clients = 4, 2
		w := newWorld(o)
		w.run(40*sec + w.net.Rand.Int64N(30*sec))
		b := w.brokers[0]
		f.hit(w, b)
		w.run(60 * sec)
		b.account()
		if !b.dead {
			t.Fatalf("%s, seed %d: did not die", f.name, o.seed)
		}
		if b.detected < 0 {
			t.Errorf("%s, seed %d: not found", f.name, o.seed)
			continue
		}
		list = append(list, float64(b.detected)/float64(sec))
		for _, other := range w.brokers[1:] {
			if other.account(); other.missing > 0 && f.loss < 0.1 {
				t.Errorf("%s, seed %d: %s was missing for %.1f s", f.name, o.seed, other.name, float64(other.missing)/float64(sec))
			}
		}
	}
	slices.Sort(list)
	return list
}

func at(list []float64, p float64) float64 {
	if len(list) == 0 {
		return -1
	}
	return list[int(p*float64(len(list)-1))]
}

// variant is a way to run the same faults.
type variant struct {
	name string
	o    worldOptions
}

func variants() []variant {
	var list []variant
	for _, rtt := range []int64{200, 50 * ms, 200 * ms} {
		for _, events := range []bool{true, false} {
			for _, servers := range []int{1, 3} {
				mode := "samples"
				if events {
					mode = "events"
				}
				list = append(list, variant{fmt.Sprintf("rtt %.1f ms, %s, %d servers", float64(rtt)/1000, mode, servers),
					worldOptions{rtt: rtt, events: events, servers: servers}})
			}
		}
	}
	return list
}

// TestDetectionTimes: every kind of death is found within its bound, and nobody else is
// hidden meanwhile.
func TestDetectionTimes(t *testing.T) {
	runs := 4
	if long() {
		runs = 20
	}
	var table strings.Builder
	for _, f := range deadFaults() {
		for _, v := range variants() {
			list := detections(t, &f, v.o, runs)
			median, most := at(list, 0.5), at(list, 1)
			fmt.Fprintf(&table, "%-46s %-32s median %5.2f max %5.2f\n", f.name, v.name, median, most)
			extra := 0.0
			if !v.o.events {
				extra = 1
			}
			if v.o.rtt >= 200*ms {
				extra++
			}
			if median > f.median+extra || most > f.max+extra {
				t.Errorf("%s, %s: median %.2f max %.2f, want %.1f and %.1f", f.name, v.name, median, most, f.median+extra, f.max+extra)
			}
		}
	}
	t.Log("\n" + table.String())
}

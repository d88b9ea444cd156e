package connhealth_test

import (
	"fmt"
	"slices"
	"testing"
)

// busy stops the server process again and again, as a machine with far too much to do does.
func busy(w *world, stall, period, length int64) {
	end := w.net.Now() + length
	var stand func()
	stand = func() {
		if w.net.Now() < end {
			w.stop(stall)
			w.net.After(period, stand)
		}
	}
	w.net.After(w.net.Rand.Int64N(period), stand)
}

// TestDeathsAroundOurStall: the kernel goes on while the process stands still, so a death just
// before a pause of ours, or during one, is found as soon as otherwise, or soon after the pause.
func TestDeathsAroundOurStall(t *testing.T) {
	const (
		stall = 3 * sec
		after = 1.2 // seconds after a pause: everybody is looked at, some of them twice
	)
	for _, f := range deadFaults() {
		if !slices.Contains([]string{"vanish, idle", "vanish, in flight", "one way, towards broker", "one way, towards server", "unreachable"}, f.name) {
			continue
		}
		var all []float64
		for _, offset := range []int64{10 * ms, 500 * ms, 2 * sec, 4 * sec} { // of the pause, from the death
			worlds(t, 4, worldOptions{brokers: 4, clients: 2}, func(t *testing.T, w *world) {
				b := w.brokers[0]
				f.hit(w, b)
				for !b.dead {
					w.run(5 * ms)
				}
				w.net.After(offset, func() { w.stop(stall) })
				w.run(40 * sec)
				foundWithin(t, b, max(f.max+1.5, float64(offset+stall)/float64(sec)+after))
				nobodyMissing(t, w, 0)
				all = append(all, float64(b.detected)/float64(sec))
			})
		}
		slices.Sort(all)
		t.Logf("%s: median %.2f max %.2f s", f.name, at(all, 0.5), at(all, 1))
	}
}

// TestDeathOnABusyMachine: pauses again and again delay a verdict, and do not prevent it.
func TestDeathOnABusyMachine(t *testing.T) {
	for _, f := range deadFaults()[:2] {
		worlds(t, 4, worldOptions{brokers: 6, clients: 2}, func(t *testing.T, w *world) {
			busy(w, 1200*ms, 3*sec, 80*sec)
			w.run(10 * sec)
			f.hit(w, w.brokers[0])
			w.run(60 * sec)
			foundWithin(t, w.brokers[0], f.max+3)
			nobodyMissing(t, w, 0)
		})
	}
}

// TestOurStallHidesNobody: a pause of ours in the middle of a hiccup that nobody dies of.
func TestOurStallHidesNobody(t *testing.T) {
	for _, x := range []struct {
		name   string
		length int64
		hit    func(w *world)
	}{
		{"one path, 4 s", 4 * sec, func(w *world) { w.brokers[0].host.outage(4 * sec) }},
		{"our own link, 8 s", 8 * sec, ownLinkDown(8 * sec)},
		{"most hosts, 10 s", 10 * sec, func(w *world) {
			for _, b := range w.brokers[:12] {
				b.host.outage(10 * sec)
			}
		}},
		{"a third of the hosts, 4 s", 4 * sec, func(w *world) {
			for _, b := range w.brokers[:7] {
				b.host.outage(4 * sec)
			}
		}},
		{"paths drop 3 s of every 10", 60 * sec, func(w *world) {
			for _, b := range w.brokers {
				flap(b.host, 3*sec, 10*sec, 60*sec)
			}
		}},
	} {
		for _, stall := range []int64{1200 * ms, 5 * sec} {
			t.Run(fmt.Sprintf("%s, pause %d ms", x.name, stall/ms), func(t *testing.T) {
				worlds(t, 4, worldOptions{brokers: 20, clients: 3}, func(t *testing.T, w *world) {
					w.net.After(w.net.Rand.Int64N(x.length), func() { w.stop(stall) })
					if x.length > 20*sec && stall < 2*sec {
						busy(w, stall, 7*sec, x.length)
					}
					x.hit(w)
					w.run(x.length + 60*sec)
					nobodyMissing(t, w, 0)
				})
			})
		}
	}
}

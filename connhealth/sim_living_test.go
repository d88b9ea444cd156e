package connhealth_test

import (
	"fmt"
	"strings"
	"testing"
)

// trial is a hiccup that nobody died of.
type trial struct {
	name string
	o    worldOptions
	// hit begins it; it is over after length.
	hit    func(w *world)
	length int64
	// missing is how many seconds all brokers together may be missing; hidden how many of
	// them.
	missing float64
}

// flap drops everything on a host's path for down of every period.
func flap(h *simHost, down, period, length int64) {
	end := h.w.net.Now() + length
	var cut func()
	cut = func() {
		if h.w.net.Now() < end {
			h.outage(down)
			h.w.net.After(period, cut)
		}
	}
	h.w.net.After(h.w.net.Rand.Int64N(period), cut)
}

// ownLinkDown is a fault of the server's own link.
func ownLinkDown(d int64) func(*world) {
	return func(w *world) {
		w.net.ServerDown = true
		w.net.After(d, func() { w.net.ServerDown = false })
	}
}

func livingTrials() []trial {
	list := []trial{
		{name: "paths drop 1 s of every 10", o: worldOptions{brokers: 20, clients: 3}, length: 120 * sec, hit: func(w *world) {
			for _, b := range w.brokers {
				flap(b.host, 1*sec, 10*sec, 120*sec)
			}
		}},
		{name: "paths drop 3 s of every 10", o: worldOptions{brokers: 20, clients: 3}, length: 120 * sec, hit: func(w *world) {
			for _, b := range w.brokers {
				flap(b.host, 3*sec, 10*sec, 120*sec)
			}
		}},
		{name: "paths drop 3 s of every 10, no dial-back", o: worldOptions{brokers: 20, clients: 3, noDial: true}, length: 120 * sec, hit: func(w *world) {
			for _, b := range w.brokers {
				flap(b.host, 3*sec, 10*sec, 120*sec)
			}
		}},
		{name: "half of the brokers frozen 60 s", o: worldOptions{brokers: 6, clients: 2}, length: 60 * sec, hit: func(w *world) {
			for _, b := range w.brokers[:3] {
				b.freeze(60 * sec)
			}
		}},
		{name: "all brokers paused 4 s", o: worldOptions{brokers: 6, clients: 2}, length: 4 * sec, hit: func(w *world) {
			for _, b := range w.brokers {
				b.freeze(4 * sec)
			}
		}},
		{name: "connections reset both ways", o: worldOptions{brokers: 4, clients: 2}, hit: func(w *world) {
			for _, b := range w.brokers {
				b.host.ResetFlows()
			}
		}},
		{name: "one connection reset both ways", o: worldOptions{brokers: 4, clients: 2}, hit: func(w *world) { w.brokers[0].host.ResetFlows() }},
		{name: "NAT forgets all flows of a host", o: worldOptions{brokers: 4, clients: 2}, length: 5 * sec, missing: 5, hit: func(w *world) { w.brokers[0].host.ForgetFlows() }},
		// A broker that polls another server does not notice before its next 103.
		{name: "NAT forgets, no dial-back", o: worldOptions{brokers: 4, clients: 2, noDial: true}, length: 5 * sec, missing: 31, hit: func(w *world) { w.brokers[0].host.ForgetFlows() }},
		{name: "MTU hole towards a broker", o: worldOptions{brokers: 4, clients: 2}, length: 60 * sec, hit: func(w *world) {
			w.brokers[0].host.FromSrv.SizeMax = 1400
			w.net.After(60*sec, func() { w.brokers[0].host.FromSrv.SizeMax = 0 })
		}},
	}
	for _, n := range []int{1, 2, 3, 20} {
		for _, clients := range []int{0, 3} {
			list = append(list,
				trial{name: fmt.Sprintf("own link down 8 s, %d brokers, %d clients", n, clients), o: worldOptions{brokers: n, clients: clients}, length: 8 * sec, hit: ownLinkDown(8 * sec)},
				trial{name: fmt.Sprintf("own link down 8 s, %d brokers, %d clients, no dial-back", n, clients), o: worldOptions{brokers: n, clients: clients, noDial: true}, length: 8 * sec, hit: ownLinkDown(8 * sec)})
		}
	}
	for _, s := range []int64{5, 130} {
		list = append(list, trial{name: fmt.Sprintf("server stopped %d s", s), o: worldOptions{brokers: 20, clients: 3}, length: s * sec, hit: func(w *world) { w.stop(s * sec) }})
	}
	return list
}

// missing returns the seconds that living brokers were not shown.
func (w *world) missing() (seconds float64) {
	for _, b := range w.brokers {
		b.account()
		seconds += float64(b.missing) / float64(sec)
	}
	return seconds
}

// TestNobodyAliveIsHidden: hiccups of every kind, and nobody is missing for longer than
// stated.
func TestNobodyAliveIsHidden(t *testing.T) {
	var table strings.Builder
	seeds := 1
	if long() {
		seeds = 6
	}
	for _, x := range livingTrials() {
		for _, rtt := range []int64{200, 50 * ms} {
			for _, events := range []bool{true, false} {
				for _, servers := range []int{1, 3} {
					worst, sum := 0.0, 0.0
					for seed := range seeds {
						o := x.o
						o.seed, o.rtt, o.events, o.servers = uint64(seed)+100, rtt, events, servers
						w := newWorld(o)
						w.run(40*sec + w.net.Rand.Int64N(30*sec))
						x.hit(w)
						w.run(x.length + 60*sec)
						m := w.missing()
						sum += m
						worst = max(worst, m)
						if m > x.missing {
							t.Errorf("%s, rtt %.1f ms, events %v, %d servers, seed %d: %.1f s missing, want %.1f", x.name, float64(rtt)/1000, events, servers, o.seed, m, x.missing)
						}
					}
					fmt.Fprintf(&table, "%-56s rtt %5.1f ms events %-5v servers %d: missing mean %.2f worst %.2f\n", x.name, float64(rtt)/1000, events, servers, sum/float64(seeds), worst)
				}
			}
		}
	}
	t.Log("\n" + table.String())
}

// TestOutageCurve: how long a broker is missing against how long its path was down.
func TestOutageCurve(t *testing.T) {
	var table strings.Builder
	for _, dial := range []bool{true, false} {
		seeds := 3
		if long() {
			seeds = 12
		}
		for _, half := range []int64{1, 2, 4, 6, 8, 9, 10, 12, 16, 20, 24} {
			length := half * sec / 2
			sum, worst, runs := 0.0, 0.0, 0
			for seed := range seeds {
				for _, servers := range []int{1, 3} {
					for _, rtt := range []int64{200, 50 * ms} {
						w := newWorld(worldOptions{seed: uint64(seed) + 1, rtt: rtt, events: seed%2 == 0, brokers: 4, clients: 2, servers: servers, noDial: !dial})
						w.run(40*sec + w.net.Rand.Int64N(30*sec))
						w.brokers[0].host.outage(length)
						w.run(90 * sec)
						m := w.missing()
						sum += m
						worst = max(worst, m)
						runs++
						limit := float64(length) / float64(sec)
						if half <= 8 {
							limit = 0
						}
						if m > limit {
							t.Errorf("outage of %.1f s, dial-back %v, seed %d, %d servers, rtt %.1f: missing %.1f s", float64(half)/2, dial, seed+1, servers, float64(rtt)/1000, m)
						}
					}
				}
			}
			fmt.Fprintf(&table, "outage %4.1f s, dial-back %-5v: missing mean %.2f worst %.2f s\n", float64(half)/2, dial, sum/float64(runs), worst)
		}
	}
	t.Log("\n" + table.String())
}

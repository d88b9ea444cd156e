package connhealth_test

import (
	"slices"
	"testing"

	"github.com/pharosmq/pharos/connhealth"
)

// worlds runs f in every kind of world.
func worlds(t *testing.T, seeds int, o worldOptions, f func(t *testing.T, w *world)) {
	t.Helper()
	if !long() {
		seeds = 1
	}
	for _, rtt := range []int64{200, 50 * ms} {
		for _, events := range []bool{true, false} {
			for _, servers := range []int{1, 3} {
				for seed := range seeds {
					o := o
					o.seed, o.rtt, o.events, o.servers = uint64(seed)+1, rtt, events, servers
					w := newWorld(o)
					var lines []func()
					w.log = func(f string, a ...any) { lines = append(lines, func() { t.Logf(f, a...) }) }
					w.run(60*sec + w.net.Rand.Int64N(30*sec))
					f(t, w)
					if t.Failed() {
						for _, l := range lines {
							l()
						}
						t.Fatalf("seed %d, rtt %d us, events %v, %d servers", o.seed, o.rtt, o.events, o.servers)
					}
				}
			}
		}
	}
}

func foundWithin(t *testing.T, b *simBroker, seconds float64) {
	t.Helper()
	if b.account(); b.detected < 0 || float64(b.detected) > seconds*float64(sec) {
		t.Errorf("%s found after %.2f s, want %.1f", b.name, float64(b.detected)/float64(sec), seconds)
	}
}

func nobodyMissing(t *testing.T, w *world, seconds float64) {
	t.Helper()
	if m := w.missing(); m > seconds {
		t.Errorf("%.2f s missing, want %.1f", m, seconds)
	}
}

// TestThirdOfHostsAtOnce: a rack of three of nine hosts is gone. Being patient for our own
// fault may cost seconds, not the detection.
func TestThirdOfHostsAtOnce(t *testing.T) {
	var all []float64
	worlds(t, 5, worldOptions{brokers: 9, clients: 3}, func(t *testing.T, w *world) {
		for _, b := range w.brokers[:3] {
			b.vanish()
		}
		w.run(60 * sec)
		last := 0.0
		for _, b := range w.brokers[:3] {
			foundWithin(t, b, 15)
			last = max(last, float64(b.detected)/float64(sec))
		}
		all = append(all, last)
		nobodyMissing(t, w, 0)
	})
	slices.Sort(all)
	if m := at(all, 0.5); m > 8 {
		t.Errorf("median %.1f s", m)
	}
	t.Logf("until all three are out: median %.2f max %.2f s", at(all, 0.5), at(all, 1))
}

// TestVanishAmongFlapping: six of twenty paths drop 3 s of every 10 while another host dies.
func TestVanishAmongFlapping(t *testing.T) {
	var all []float64
	worlds(t, 4, worldOptions{brokers: 20, clients: 3}, func(t *testing.T, w *world) {
		for _, b := range w.brokers[1:7] {
			flap(b.host, 3*sec, 10*sec, 80*sec)
		}
		w.run(20 * sec)
		w.brokers[0].vanish()
		w.run(60 * sec)
		foundWithin(t, w.brokers[0], 15)
		all = append(all, float64(w.brokers[0].detected)/float64(sec))
		nobodyMissing(t, w, 0)
	})
	slices.Sort(all)
	t.Logf("median %.2f max %.2f s", at(all, 0.5), at(all, 1))
}

// TestRebootAndReturn: once it has registered again it is never missing, whatever its old
// connection does.
func TestRebootAndReturn(t *testing.T) {
	for _, down := range []int64{1 * sec, 3 * sec, 20 * sec} {
		for _, boot := range []int64{100 * ms, 5 * sec} {
			for _, noDial := range []bool{false, true} {
				worlds(t, 2, worldOptions{brokers: 3, clients: 2, noDial: noDial}, func(t *testing.T, w *world) {
					w.brokers[0].reboot(down, boot)
					w.run(150 * sec)
					if !w.brokers[0].registered {
						t.Error("did not register again")
					}
					nobodyMissing(t, w, 0)
				})
			}
		}
	}
}

// TestOneBrokerAlone: without anybody else a fault of our own cannot be told from its death,
// so it takes MaxMillis, and no more.
func TestOneBrokerAlone(t *testing.T) {
	worlds(t, 3, worldOptions{brokers: 1}, func(t *testing.T, w *world) {
		w.brokers[0].vanish()
		w.run(60 * sec)
		foundWithin(t, w.brokers[0], 17)
		if w.brokers[0].detected < 14*sec {
			t.Errorf("found after %d us, without a witness", w.brokers[0].detected)
		}
	})
}

// TestOneBrokerAmongClients: idle clients are made to speak, and are witnesses.
func TestOneBrokerAmongClients(t *testing.T) {
	worlds(t, 4, worldOptions{brokers: 1, clients: 5}, func(t *testing.T, w *world) {
		w.brokers[0].vanish()
		w.run(60 * sec)
		foundWithin(t, w.brokers[0], 7)
		if w.actions[connhealth.ActKeepalive] == 0 && w.brokers[0].detected > 6*sec {
			t.Error("nobody was made to speak")
		}
	})
}

// TestAllBrokersAtOnce: with clients to be heard the link is fine, and all brokers are gone.
func TestAllBrokersAtOnce(t *testing.T) {
	worlds(t, 3, worldOptions{brokers: 4, clients: 6}, func(t *testing.T, w *world) {
		for _, b := range w.brokers {
			b.vanish()
		}
		w.run(80 * sec)
		for _, b := range w.brokers {
			foundWithin(t, b, 20)
		}
	})
}

// TestDeadClientsAreClosed frees what nobody will use again.
func TestDeadClientsAreClosed(t *testing.T) {
	for _, inFlight := range []bool{false, true} {
		var all []float64
		worlds(t, 5, worldOptions{brokers: 3, clients: 3}, func(t *testing.T, w *world) {
			c := w.clients[0]
			var started int64
			gone := func() {
				c.host.Vanish()
				started = w.net.Now()
			}
			if inFlight {
				c.lookup()
				w.net.After(c.host.ToServer.Delay+1, gone)
			} else {
				gone()
			}
			closed := int64(-1)
			for range 2400 {
				w.run(25 * ms)
				open := false
				for _, s := range w.conns {
					open = open || s.sock.Peer() == c.host
				}
				if !open {
					closed = w.net.Now() - started
					break
				}
			}
			limit := 32 * sec
			if inFlight {
				limit = 15 * sec
			}
			if closed < 0 || closed > limit {
				t.Errorf("in flight %v: closed after %d us", inFlight, closed)
			}
			all = append(all, float64(closed)/float64(sec))
			nobodyMissing(t, w, 0)
		})
		slices.Sort(all)
		t.Logf("in flight %v: median %.2f max %.2f s", inFlight, at(all, 0.5), at(all, 1))
		if inFlight && at(all, 0.5) > 11 {
			t.Errorf("median %.2f s", at(all, 0.5))
		}
	}
}

// TestActingMaster: heartbeats every second and 10 s expiry; a clean end is never delayed, a
// vanish is found before the table's own expiry would.
func TestActingMaster(t *testing.T) {
	for _, x := range []struct {
		name string
		hit  func(*simBroker)
		max  float64
	}{
		{"killed", func(b *simBroker) { b.kill(false) }, 0.1},
		{"vanish", func(b *simBroker) { b.vanish() }, 6.5},
		{"one way", func(b *simBroker) { b.die(); b.host.FromSrv.Down = true }, 9},
	} {
		worlds(t, 4, worldOptions{brokers: 4, clients: 2, acting: true}, func(t *testing.T, w *world) {
			x.hit(w.brokers[0])
			w.run(30 * sec)
			foundWithin(t, w.brokers[0], x.max)
			nobodyMissing(t, w, 0)
		})
	}
}

// TestKernelWithoutCap: without TCP_RTO_MAX_MS timeouts back off, and verdicts about what is in
// flight wait for the next transmission or a dial-back.
func TestKernelWithoutCap(t *testing.T) {
	for _, noDial := range []bool{false, true} {
		worlds(t, 4, worldOptions{brokers: 4, clients: 2, rtoMax: 120 * sec, noDial: noDial}, func(t *testing.T, w *world) {
			whenPolled(w.brokers[0], w.brokers[0].vanish)
			w.run(40 * sec)
			limit := 7.0
			if noDial {
				limit = 11
			}
			foundWithin(t, w.brokers[0], limit)
			nobodyMissing(t, w, 0)
		})
		for _, length := range []int64{1, 2, 3, 4} {
			worlds(t, 4, worldOptions{brokers: 4, clients: 2, rtoMax: 120 * sec, noDial: noDial}, func(t *testing.T, w *world) {
				w.brokers[0].host.outage(length * sec)
				w.run(60 * sec)
				nobodyMissing(t, w, 0)
			})
		}
	}
}

// TestLastOfTopic: a broker without which a topic has none is not hidden before MaxMillis; a
// process that ended is.
func TestLastOfTopic(t *testing.T) {
	last := func(k connhealth.BrokerKey) bool { return k.Addr == "10.1.0.1:10911" }
	worlds(t, 3, worldOptions{brokers: 4, clients: 2, last: last}, func(t *testing.T, w *world) {
		w.brokers[0].vanish()
		w.run(30 * sec)
		foundWithin(t, w.brokers[0], 17)
		if w.brokers[0].detected < 14*sec {
			t.Errorf("hidden after %d us", w.brokers[0].detected)
		}
	})
	worlds(t, 3, worldOptions{brokers: 4, clients: 2, last: last}, func(t *testing.T, w *world) {
		w.brokers[0].kill(false)
		w.run(30 * sec)
		foundWithin(t, w.brokers[0], 0.2)
	})
	worlds(t, 3, worldOptions{brokers: 4, clients: 2, last: last}, func(t *testing.T, w *world) {
		w.brokers[0].host.outage(10 * sec)
		w.run(60 * sec)
		nobodyMissing(t, w, 0)
	})
}

// TestContradictionDoubles: after a verdict that was wrong the next one about that broker
// takes twice the silence; about the others it does not.
func TestContradictionDoubles(t *testing.T) {
	worlds(t, 3, worldOptions{brokers: 4, clients: 2}, func(t *testing.T, w *world) {
		w.brokers[0].host.outage(7 * sec)
		w.run(60 * sec)
		if w.det.Stats().Contradicted != 1 {
			t.Errorf("contradicted: %d", w.det.Stats().Contradicted)
		}
		before := w.missing()
		w.brokers[0].host.outage(7 * sec)
		w.run(60 * sec)
		if m := w.missing() - before; m > 0 {
			t.Errorf("the second outage of 7 s cost %.1f s", m)
		}
		w.brokers[0].vanish()
		w.brokers[1].vanish()
		w.run(40 * sec)
		foundWithin(t, w.brokers[0], 11)
		foundWithin(t, w.brokers[1], 7)
	})
}

// TestObserve: an owner that does none of what it is asked for gets the same first verdict,
// and a detector that goes on working.
func TestObserve(t *testing.T) {
	worlds(t, 3, worldOptions{brokers: 4, clients: 2, observe: true}, func(t *testing.T, w *world) {
		for _, b := range w.brokers[1:] {
			flap(b.host, 3*sec, 10*sec, 60*sec)
		}
		w.run(100 * sec)
		parks := w.actions[connhealth.ActPark]
		w.brokers[0].vanish()
		w.run(8 * sec)
		if w.actions[connhealth.ActPark] != parks+1 {
			t.Errorf("%d verdicts", w.actions[connhealth.ActPark]-parks)
		}
		w.run(60 * sec)
		w.brokers[1].vanish()
		w.run(8 * sec)
		if w.actions[connhealth.ActPark] != parks+2 {
			t.Errorf("%d verdicts", w.actions[connhealth.ActPark]-parks)
		}
		w.run(300 * sec)
		if n := len(w.det.Brokers(w.now())); n > 2 {
			t.Errorf("%d brokers remembered", n)
		}
	})
}

// TestTwoHostsLossy: two of twenty paths lose a tenth; they are judged by their own loss.
func TestTwoHostsLossy(t *testing.T) {
	worlds(t, 2, worldOptions{brokers: 20, clients: 3}, func(t *testing.T, w *world) {
		for _, b := range w.brokers[:2] {
			b.host.ToServer.Loss, b.host.FromSrv.Loss = 0.1, 0.1
		}
		w.run(600 * sec)
		nobodyMissing(t, w, 0)
	})
}

package choice

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// started is a world with one server in use, "a", and the others standing by.
func started(t testing.TB, p Params, addrs ...string) *world {
	w := newWorld(t, p, addrs...)
	w.lookUp()
	w.run(2 * time.Second)
	for i, a := range addrs {
		want := StandBy
		if i == 0 {
			want = InUse
		}
		if got := w.role(a); got != want {
			t.Fatalf("%s is %v after the start, want %v", a, got, want)
		}
	}
	return w
}

// Goal: the times until a server is left, for each way in which it fails, with callers and
// without.
func TestTimeUntilLeft(t *testing.T) {
	hedged := Params{Silence: 500 * ms}
	f := func(name string, p Params, is condition, every, atLeast, atMost time.Duration) {
		t.Helper()
		w := started(t, p, "a", "b", "c")
		if every > 0 {
			w.load(every)
		}
		w.run(20 * time.Second)
		if got := w.m.InUse(); got != "a" {
			t.Fatalf("%s: %s is in use before anything happened", name, got)
		}
		w.become("a", is)
		took := w.until(name, time.Minute, func() bool { return w.m.InUse() != "a" })
		if took < atLeast || took > atMost {
			t.Errorf("%s: left after %v, want %v to %v", name, took, atLeast, atMost)
		}
		if w.m.InUse() != "b" {
			t.Errorf("%s: %q is in use instead, want b", name, w.m.InUse())
		}
	}
	f("killed", Params{}, refusing, 10*ms, 0, 0)
	f("killed, idle", Params{}, refusing, 0, 0, 0)
	f("hung", Params{}, hung, 10*ms, 2900*ms, 3100*ms)
	f("hung, idle", Params{}, hung, 0, 2900*ms, 13*time.Second)
	f("hung, threshold 2", Params{FailureThreshold: 2}, hung, 10*ms, 5900*ms, 6100*ms)
	f("hung, connection kept", Params{KeepOnTimeout: true}, hung, 10*ms, 2900*ms, 3100*ms)
	f("hung, hedging", hedged, hung, 10*ms, 490*ms, 600*ms)
	f("hung, hedging, few lookups", hedged, hung, time.Second, 490*ms, 1600*ms)
	f("hung, hedging, idle", hedged, hung, 0, 490*ms, 11*time.Second)
	f("path dropped", Params{}, blackhole, 10*ms, 2900*ms, 3100*ms)
	f("path dropped, hedging", hedged, blackhole, 10*ms, 490*ms, 600*ms)
	f("slow", Params{}, slow, 10*ms, 6*time.Second, 6100*ms)
	f("slow, hedging", hedged, slow, 10*ms, 490*ms, 600*ms)
	f("garbage", Params{}, garbage, 10*ms, 0, 20*ms)
	f("busy", Params{}, busy, 10*ms, 20*ms, 50*ms)
}

// Goal: one that returns serves again only after proof, and does not take over.
func TestReturn(t *testing.T) {
	f := func(is condition) {
		t.Helper()
		w := started(t, Params{}, "a", "b")
		w.load(10 * ms)
		w.become("a", is)
		w.until("left", time.Minute, func() bool { return w.m.InUse() == "b" })
		if r := w.role("a"); r != Resting {
			t.Errorf("%v: a is %v, want resting", is, r)
		}
		w.run(20 * time.Second)
		w.become("a", up)
		probes, lookups := w.probes["a"], w.lookups["a"]
		took := w.until("return", 2*time.Minute, func() bool { return w.role("a") == StandBy })
		if n := w.probes["a"] - probes; n < 2 {
			t.Errorf("%v: it came back after %d probes", is, n)
		}
		if took < 500*ms {
			t.Errorf("%v: it came back after %v", is, took)
		}
		w.run(time.Minute)
		if w.m.InUse() != "b" || w.lookups["a"] != lookups {
			t.Errorf("%v: %s is in use; %d lookups went to the one that came back", is, w.m.InUse(), w.lookups["a"]-lookups)
		}
	}
	f(refusing)
	f(hung)
	f(blackhole)
	f(slow)
	f(garbage)
	f(busy)
}

// Goal: one that keeps failing soon after its return rests longer each time, and after a long
// good time it is forgiven.
func TestFlapping(t *testing.T) {
	w := started(t, Params{}, "a", "b")
	w.load(100 * ms)
	var rests []time.Duration
	for range 5 {
		w.become("a", refusing)
		w.run(10 * ms)
		w.become("a", up)
		rests = append(rests, w.until("return", 3*time.Minute, func() bool { return w.role("a") == StandBy }))
		w.run(5 * time.Second)
	}
	for i := 1; i < len(rests); i++ {
		if rests[i] <= rests[i-1] && rests[i] < 22*time.Second {
			t.Errorf("rests of %v: number %d is not longer", rests, i+1)
		}
	}
	if last := rests[len(rests)-1]; last < 20*time.Second || last > 40*time.Second {
		t.Errorf("the last rest was %v, want about 30 s", last)
	}
	w.run(2 * time.Minute)
	w.become("a", refusing)
	w.run(10 * ms)
	w.become("a", up)
	if took := w.until("return", 3*time.Minute, func() bool { return w.role("a") == StandBy }); took > 2*time.Second {
		t.Errorf("after two good minutes it rests %v", took)
	}
}

// Goal: while nobody answers, the first that does is in use, quickly, and nobody is dialled
// more than twice a second.
func TestEverybodyFails(t *testing.T) {
	f := func(is condition, limit time.Duration) {
		t.Helper()
		w := started(t, Params{}, "a", "b", "c")
		w.load(time.Millisecond)
		for _, a := range []string{"a", "b", "c"} {
			w.become(a, is)
		}
		w.run(5 * time.Minute)
		if got := w.m.InUse(); got != "" && is != busy && is != slow {
			t.Errorf("%v: %s is in use though nobody answers", is, got)
		}
		for a, n := range w.dials {
			if n > 2*5*60+10 {
				t.Errorf("%v: %s was dialled %d times in 5 minutes", is, a, n)
			}
		}
		w.become("c", up)
		if took := w.until("recovery", time.Minute, func() bool { return w.m.InUse() == "c" }); took > limit {
			t.Errorf("%v: %v until the one that answers is in use", is, took)
		}
	}
	f(refusing, 1100*ms)
	f(hung, 4100*ms)
	f(blackhole, 4100*ms)
	f(garbage, 1100*ms)
}

// Goal: a bad server is better than none.
func TestNobodyElse(t *testing.T) {
	f := func(is condition, p Params) {
		t.Helper()
		w := started(t, p, "a", "b")
		w.load(50 * ms)
		w.become("b", refusing)
		w.run(time.Second)
		w.become("a", is)
		w.after = func() {
			if w.m.InUse() != "a" {
				t.Fatalf("%v: the only one that answers is not in use: %s", is, w.describe())
			}
		}
		w.run(time.Minute)
	}
	f(slow, Params{})
	f(busy, Params{})
	f(slow, Params{Silence: 500 * ms})
	f(busy, Params{Silence: 500 * ms})
}

// Goal: rests of any length stay within their bounds.
func TestRestsOfHours(t *testing.T) {
	m := New(Params{RestMin: 5 * time.Hour, RestMax: 10 * time.Hour})
	m.inUse = &server{}
	for fails := range 40 {
		if rest := m.rest(&server{fails: fails, flaps: fails}); rest < 5*time.Hour || rest > 10*time.Hour {
			t.Errorf("after %d failures: %v", fails, rest)
		}
	}
}

// Goal: the clients of a server that failed do not come back to it as one.
func TestRestsDiffer(t *testing.T) {
	for _, fails := range []int{1, 3, 40} { // the least, in between, the most
		rests := map[time.Duration]bool{}
		for seed := range uint64(100) {
			m := New(Params{Seed: seed})
			m.inUse = &server{}
			rests[m.rest(&server{fails: fails})] = true
		}
		if len(rests) < 90 {
			t.Errorf("after %d failures 100 clients have %d different rests", fails, len(rests))
		}
	}
}

// Goal: one that just pauses is forgiven soon; and without hedging a pause below the time-out
// changes nothing.
func TestPauses(t *testing.T) {
	f := func(p Params, pause time.Duration, want string) {
		t.Helper()
		w := started(t, p, "a", "b")
		w.load(10 * ms)
		dials := w.dials["a"]
		w.become("a", hung)
		w.run(pause)
		w.become("a", up)
		w.run(5 * time.Second)
		if got := w.m.InUse(); got != want || w.dials["a"] != dials {
			t.Errorf("after a pause of %v: %s is in use, %d new connections; want %s and none", pause, got, w.dials["a"]-dials, want)
		}
		if r := w.role("a"); r == Resting {
			t.Errorf("after a pause of %v it still rests 5 s later", pause)
		}
	}
	f(Params{}, 2500*ms, "a")
	f(Params{Silence: 500 * ms}, 300*ms, "a")
	f(Params{Silence: 500 * ms}, 900*ms, "b")
}

// Goal: who starts with servers that are not there finds the one that is.
func TestStart(t *testing.T) {
	f := func(limit time.Duration, is ...condition) {
		t.Helper()
		w := newWorld(t, Params{Silence: 500 * ms}, "a", "b", "c")
		for i, a := range []string{"a", "b", "c"} {
			w.peers[a].is = is[i]
		}
		w.load(10 * ms)
		if took := w.until("start", 20*time.Second, func() bool { return w.answered["c"] > 0 || w.answered["a"] > 0 }); took > limit {
			t.Errorf("%v: the first answer came after %v, want %v", is, took, limit)
		}
	}
	f(15*ms, up, up, up)
	f(20*ms, refusing, refusing, up)
	f(550*ms, blackhole, blackhole, up)
	f(800*ms, blackhole, refusing, up)
	f(800*ms, hung, refusing, up)
}

// Goal: nobody is dialled before somebody asks; then quiet: few probes, and no dials.
func TestQuiet(t *testing.T) {
	w := newWorld(t, Params{}, "a", "b", "c")
	w.run(time.Hour)
	if len(w.dials) != 0 {
		t.Errorf("dials before the first lookup: %v", w.dials)
	}
	w.lookUp()
	w.run(10 * time.Minute)
	for a, between := range map[string][2]int{"a": {60, 70}, "b": {20, 24}, "c": {20, 24}} {
		if n := w.probes[a]; n < between[0] || n > between[1] || w.dials[a] != 1 {
			t.Errorf("%s: %d probes and %d dials in 10 minutes, want %v and 1", a, n, w.dials[a], between)
		}
	}
	w.load(time.Second)
	before := w.probes["a"]
	w.run(10 * time.Minute)
	if n := w.probes["a"] - before; n > 1 {
		t.Errorf("%d probes of a server that answers lookups all the time", n)
	}
}

// Goal: one hedge in ten lookups, ten in a row at most.
func TestHedgeBudget(t *testing.T) {
	w := started(t, Params{Silence: 500 * ms}, "a", "b")
	hedge := func() bool {
		w.m.Lookup()
		addr, _, ok := w.m.Hedge("a")
		if ok && addr != "b" {
			t.Fatalf("the second question goes to %q", addr)
		}
		return ok
	}
	row := 0
	for hedge() {
		row++
	}
	if row < 10 || row > 12 {
		t.Errorf("%d hedges in a row, want about 10", row)
	}
	n := 0
	for range 10_000 {
		if hedge() {
			n++
		}
	}
	if n < 990 || n > 1010 {
		t.Errorf("%d of 10000 lookups were hedged", n)
	}
	w.become("b", refusing)
	for range 100 {
		if hedge() {
			t.Fatal("a hedge though nobody stands by")
		}
	}
}

func TestHedgeAfter(t *testing.T) {
	f := func(want time.Duration, took ...time.Duration) {
		t.Helper()
		w := started(t, Params{}, "a", "b")
		gen := w.peers["a"].gen
		for i := range 2000 {
			w.m.Answered(w.now, "a", gen, took[i%len(took)], Good, false)
		}
		if got := w.m.HedgeAfter(); got != want {
			t.Errorf("%v: hedged after %v, want %v", took, got, want)
		}
	}
	f(10*ms, ms)
	f(50*ms, 50*ms)
	f(300*ms, 400*ms)
	tail := make([]time.Duration, 40)
	for i := range tail {
		tail[i] = 20 * ms
	}
	tail[3], tail[13], tail[23], tail[33] = 100*ms, 100*ms, 100*ms, 200*ms // one in ten
	f(100*ms, tail...)
	fresh := started(t, Params{}, "a", "b")
	if got := fresh.m.HedgeAfter(); got != 300*ms {
		t.Errorf("with few answers hedged after %v, want 300ms", got)
	}
}

// Goal: the list may change under way.
func TestSetServers(t *testing.T) {
	w := started(t, Params{}, "a", "b")
	w.peers["c"] = &peer{}
	was := w.m.Changes()
	w.m.SetServers(w.now, []string{"b", "a", "a"})
	if w.m.Changes() != was || w.m.InUse() != "a" {
		t.Errorf("another order changed something")
	}
	w.m.SetServers(w.now, []string{"b", "c"})
	if w.m.InUse() != "b" {
		t.Errorf("%q is in use after a went", w.m.InUse())
	}
	w.obey()
	if w.peers["a"].gen != 0 {
		t.Error("the connection of the one that went is still there")
	}
	w.run(2 * time.Second)
	if r := w.role("c"); r != StandBy {
		t.Errorf("the new one is %v", r)
	}
	w.m.SetServers(w.now, nil)
	if _, _, v := w.m.Pick(w.now, nil); v != None || w.m.InUse() != "" {
		t.Errorf("an empty list: %v, %q", v, w.m.InUse())
	}
	w.m.SetServers(w.now, []string{"a"})
	w.run(time.Second)
	if w.m.InUse() != "a" {
		t.Errorf("%q is in use after the list came back", w.m.InUse())
	}
}

// Goal: who tried one is given another, and no server twice.
func TestPickPassesOverThoseThatWereTried(t *testing.T) {
	w := started(t, Params{}, "a", "b", "c")
	var tried []string
	was := func(addr string, _ uint64) bool {
		for _, a := range tried {
			if a == addr {
				return true
			}
		}
		return false
	}
	for range 3 {
		addr, _, v := w.m.Pick(w.now, was)
		if v != Use {
			t.Fatalf("after %v: %v", tried, v)
		}
		tried = append(tried, addr)
	}
	if tried[0] != "a" || tried[1] != "b" || tried[2] != "c" {
		t.Errorf("tried in the order %v", tried)
	}
	if _, _, v := w.m.Pick(w.now, was); v != None {
		t.Errorf("a fourth one: %v", v)
	}
}

// Goal: evidence about an old connection does not count against the new one.
func TestOldEvidence(t *testing.T) {
	w := started(t, Params{}, "a", "b")
	gen := w.peers["b"].gen
	w.become("b", refusing)
	w.run(100 * ms)
	w.become("b", up)
	w.until("return", time.Minute, func() bool { return w.role("b") == StandBy })
	w.m.Closed(w.now, "b", gen, "old")
	w.m.TimedOut(w.now, "b", gen, w.now, false)
	w.m.Answered(w.now, "b", gen, ms, Leaving, false)
	w.m.Dialed(w.now, "b", gen, "old")
	if r := w.role("b"); r != StandBy {
		t.Errorf("b is %v after old evidence", r)
	}
	w.m.Answered(w.now, "b", w.peers["b"].gen, ms, Leaving, false)
	if r := w.role("b"); r != Resting {
		t.Errorf("b is %v after it said that it is leaving", r)
	}
}

// Goal: requests that time out on a connection that answers others need more patience.
func TestNotHung(t *testing.T) {
	w := started(t, Params{}, "a", "b")
	gen := w.peers["a"].gen
	late := func() {
		asked := w.now
		w.m.Asked(w.now, "a", gen)
		w.run(time.Second)
		w.m.Heard(w.now, "a", gen)
		w.run(2 * time.Second)
		w.m.TimedOut(w.now, "a", gen, asked, false)
	}
	late()
	late()
	if w.m.InUse() != "a" {
		t.Error("left after two")
	}
	late()
	if w.m.InUse() != "b" {
		t.Error("not left after three")
	}
}

// rested is a world in which "b" has failed for so long that it rests for half a minute.
func rested(t *testing.T, p Params) *world {
	t.Helper()
	w := started(t, p, "a", "b")
	w.become("b", refusing)
	w.run(3 * time.Minute)
	dials := w.dials["b"]
	w.until("a failed attempt", time.Minute, func() bool { return w.dials["b"] > dials })
	w.run(10 * ms)
	w.become("b", up)
	return w
}

// Goal: who rests is called back when the one in use is gone, or of no use, with callers or
// without.
func TestCalledBack(t *testing.T) {
	f := func(is condition, every time.Duration) {
		t.Helper()
		w := rested(t, Params{})
		if every > 0 {
			w.load(every)
		}
		w.run(500 * ms)
		w.become("a", is)
		if took := w.until("call back", time.Minute, func() bool { return w.m.InUse() == "b" }); took > 1500*ms {
			t.Errorf("%v: called back after %v", is, took)
		}
	}
	f(refusing, 0)
	f(refusing, 100*ms)
	f(garbage, 100*ms)
	f(busy, 100*ms)
}

// Goal: nobody is left for being silent when the other one says nothing either: it may be our
// own path.
func TestSilenceNeedsAWitness(t *testing.T) {
	w := started(t, Params{Silence: 500 * ms}, "a", "b")
	w.load(10 * ms)
	w.run(time.Second)
	w.become("a", hung)
	w.become("b", hung)
	w.run(2 * time.Second)
	if w.m.InUse() != "a" {
		t.Errorf("%q is in use: %s", w.m.InUse(), w.describe())
	}
	w.become("b", up)
	w.run(10 * ms)
	if w.m.InUse() != "b" {
		t.Errorf("%q is in use after b spoke: %s", w.m.InUse(), w.describe())
	}
}

package bench

import (
	"strings"
	"testing"
	"time"
)

// A session's load is replaced, rests, is tended and measured again; its brokers stay.
func TestSession(t *testing.T) {
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	var lines []string
	s, err := Open(t.Context(), Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{lookups(w)}, Progress: func(line string) { lines = append(lines, line) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	measure := func(want ...string) {
		t.Helper()
		got, err := s.Measure(1200*time.Millisecond, "here")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if g := got.Group(name); g == nil || g.Good == 0 || g.Failed() != 0 {
				t.Errorf("group %s: %+v", name, g)
			}
		}
	}
	measure("lookups")
	open := lookups(w)
	open.Rate, open.Depth = 500, 64
	other := Group{Name: "clusters", World: w, Conns: 2, Depth: 1, Mix: Mix{Cluster: 1}}
	if err := s.Switch([]Group{open, other}, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	before := f.lookups
	f.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	if err := s.Tend(); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	tended := f.lookups - before
	f.mu.Unlock()
	if tended != w.Brokers {
		t.Errorf("%d brokers asked something while the load rested, not %d", tended, w.Brokers)
	}
	measure("lookups", "clusters")
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.registrations); n != w.Brokers {
		t.Errorf("%d brokers registered", n)
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "here") || !strings.Contains(text, "clusters") {
		t.Errorf("the progress lines do not say how it goes:\n%s", text)
	}
}

// What a server refuses half of is given up whole; its brokers stay, and the session goes on.
func TestLoadThatCannotBeHad(t *testing.T) {
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	s, err := Open(t.Context(), Plan{To: f.addr, Fill: []*World{w}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f.mu.Lock()
	f.full = f.accepted + 10
	f.mu.Unlock()
	if err := s.Switch([]Group{{Name: "idle", World: w, Conns: 1000}}, 0); err == nil || !strings.Contains(err.Error(), "group idle: connection") {
		t.Errorf("a server that takes 10 of 1,000 connections: %v", err)
	}
	if n := len(s.r.engine.conns); n != w.Brokers {
		t.Errorf("%d connections are kept", n)
	}
	for deadline := time.Now().Add(5 * time.Second); f.open.Load() != int32(w.Brokers); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections stay open, not only those of %d brokers", f.open.Load(), w.Brokers)
		}
	}
	if err := s.Tend(); err != nil {
		t.Errorf("its brokers afterwards: %v", err)
	}
}

// Brokers that renew register again and again, with what they are given.
func TestRenewal(t *testing.T) {
	w := &World{Topics: 20, Brokers: 2}
	f := newFakeServer(t, w)
	changed := renewals(w, w.BodyOneChanged(3, 2, thisVersion), w.Body(0, 10, 0, 3, thisVersion))
	_, err := Run(t.Context(), Plan{
		To: f.addr, Fill: []*World{w}, Renew: []Renewal{{World: w, Rate: 40, Registrations: changed}},
		Groups: []Group{{Name: "idle", World: w, Conns: 1}}, Duration: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for broker, counts := range f.registrations {
		if len(counts) < 5 || counts[0] != 20 || counts[1] != 20 || counts[2] != 10 || counts[3] != 20 {
			t.Errorf("%s registered %v topics", broker, counts)
		}
	}
	if len(f.registrations) != 2 {
		t.Errorf("registrations of %d brokers", len(f.registrations))
	}
}

// A registration larger than a socket's buffers goes out in slices, and comes in whole.
func TestLargeRegistration(t *testing.T) {
	w := &World{Topics: 40_000, Brokers: 3}
	f := newFakeServer(t, w)
	quiet := &World{Name: "quiet", Topics: 2, Brokers: 1, Base: 100}
	r := runPlan(t, Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{{Name: "idle", World: quiet, Conns: 1}}, Duration: 10 * time.Millisecond})
	if got := r.Fill[0]; got.Brokers != 3 || got.Frames != 3 || got.Bytes < 15_000_000 {
		t.Errorf("%+v", got)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for broker, counts := range f.registrations {
		if len(counts) != 1 || counts[0] != w.Topics {
			t.Errorf("%s registered %v topics", broker, counts)
		}
	}
}

// Brokers that may not begin all at once begin in turn, and all of them do.
func TestFillTakesTurns(t *testing.T) {
	w := &World{Topics: 20, Brokers: 3*fillTogether + 1}
	f := newFakeServer(t, w)
	r := runPlan(t, Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{lookups(w)}, Duration: 10 * time.Millisecond})
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.registrations) != w.Brokers || r.Fill[0].Frames != w.Brokers {
		t.Errorf("%d of %d brokers registered, with %d frames", len(f.registrations), w.Brokers, r.Fill[0].Frames)
	}
}

// What is due in a while comes together, at its end.
func TestDueTogether(t *testing.T) {
	g := &group{Group: Group{Every: 2 * time.Millisecond}}
	for at, want := range map[float64]int64{0: 0, 1: 2e6, 1_999_999: 2e6, 2_000_000: 2e6, 2_000_001: 4e6} {
		if g.dueNext(at); g.nextDue != want || g.dueAt != at {
			t.Errorf("at %v: due at %d (%v), want %d", at, g.nextDue, g.dueAt, want)
		}
	}
	g.Every = 0
	if g.dueNext(5.5); g.nextDue != 5 {
		t.Errorf("by itself: due at %d", g.nextDue)
	}
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	open := lookups(w)
	open.Rate, open.Depth, open.Every = 2000, 64, 20*time.Millisecond
	r := runPlan(t, Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{open}, Duration: 300 * time.Millisecond})
	got := r.Windows[0].Group("lookups")
	if got.Failed() != 0 || got.Good == 0 {
		t.Errorf("%+v", got)
	}
}

// openLookups is a session with lookups in a closed loop, which ends with the test.
func openLookups(t *testing.T) *Session {
	t.Helper()
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	s, err := Open(t.Context(), Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{lookups(w)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// After a rest the load runs for as long as it is told before it is measured.
func TestSettle(t *testing.T) {
	s := openLookups(t)
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	s.Settle = 700 * time.Millisecond
	begun := time.Now()
	if _, err := s.Measure(100*time.Millisecond, "settled"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 800*time.Millisecond {
		t.Errorf("0.7 s to settle and 0.1 s were over after %v", took)
	}
}

// What is away while no request waits, or is due, delays none.
func TestAwayCountsWhereARequestWaits(t *testing.T) {
	e := &engine{groups: []*group{{}, {}}}
	turn := func(unseen int64, waits bool, want int64) {
		t.Helper()
		e.groups[1].waiting = map[bool]int{true: 2}[waits]
		e.away(unseen, e.waits())
		if e.awayNanos != want {
			t.Errorf("away for %d ns, want %d", e.awayNanos, want)
		}
	}
	turn(50, false, 0)
	turn(3, false, 0)
	turn(2, true, 3)    // it may have been due in the turn before
	turn(40, true, 40)  // it waits
	turn(60, false, 40) // its answer has come
	turn(1, true, 60)   // the next was due
}

// However requests end, none is left that waits.
func TestNoneWaitsAfterRest(t *testing.T) {
	s := openLookups(t)
	e := s.r.engine
	if !e.waits() {
		t.Error("a closed loop has no request that waits")
	}
	if err := s.Rest(); err != nil {
		t.Fatal(err)
	}
	if e.waits() {
		t.Error("a request still waits when all are answered")
	}
	for _, g := range e.groups {
		for i := range g.conns {
			if c := &g.conns[i]; len(c.free) > 0 {
				c.slots[c.free[len(c.free)-1]].busy, c.free = true, c.free[:len(c.free)-1]
				g.waiting++
			}
			g.conns[i].reset()
		}
	}
	if e.waits() {
		t.Error("a request waits on a connection that has ended")
	}
}

// The bench knows how long it did not look at its sockets.
func TestAway(t *testing.T) {
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	const away = 60 * time.Millisecond
	s, err := Open(t.Context(), Plan{To: f.addr, Fill: []*World{w}, Groups: []Group{lookups(w)}, Progress: func(string) { time.Sleep(away) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Measure(1500*time.Millisecond, "away")
	if err != nil || got.Load.AwayMicros < float64(away.Microseconds()) {
		t.Errorf("away %v us, though it was for %v (%v)", got.Load.AwayMicros, away, err)
	}
}

// A server that takes too long to be filled, or with what was to be done, is an error that says how
// far it came.
func TestTooSlow(t *testing.T) {
	w := &World{Topics: 20, Brokers: 3}
	f := newFakeServer(t, w)
	f.held = make(chan struct{})
	defer close(f.held)
	_, err := Open(t.Context(), Plan{To: f.addr, Fill: []*World{w}, FillTimeout: 100 * time.Millisecond, Groups: []Group{lookups(w)}})
	if err == nil || !strings.Contains(err.Error(), "0 of 3 registered within 100ms") {
		t.Errorf("error %v", err)
	}
	others := &World{Name: "others", Topics: 20, Brokers: 3, Base: 100}
	slow := others.FillGroup(thisVersion, 0)
	slow.Name = "restart"
	s, err := Open(t.Context(), Plan{To: f.addr, Groups: []Group{slow}, UntilDone: "restart"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Measure(50*time.Millisecond, "restart"); err == nil || !strings.Contains(err.Error(), "restart: 0 of 3 connections were done within 50ms") {
		t.Errorf("error %v", err)
	}
}

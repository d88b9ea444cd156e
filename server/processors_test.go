package server

import (
	"runtime"
	"testing"
	"time"
)

// Goal: a server counts as quiet 5 s after the last second with many requests, connections or
// work for lanes, and as busy at once. Method: what happens in each tick, and the ticks at which
// the answer changes.
func TestQuieting(t *testing.T) {
	const ticks = 400 // 100 ms each
	type state struct {
		work, jobs     uint64 // in this tick
		working, large bool
	}
	for _, c := range []struct {
		name string
		at   func(tick int) state
		want []int // becomes quiet, busy, quiet, ...
	}{
		{"nothing happens", func(int) state { return state{} }, []int{50}},
		{"a hundred a second", func(int) state { return state{work: 10} }, []int{50}},
		{"a hundred at once, each second", func(i int) state {
			if i%10 == 5 {
				return state{work: 100}
			}
			return state{}
		}, []int{50}},
		{"more than that", func(int) state { return state{work: 11} }, nil},
		{"two hundred at once after 20 s", func(i int) state {
			if i == 200 {
				return state{work: 200}
			}
			return state{}
		}, []int{50, 200, 250}},
		{"a lane works for a tick, each 4 s", func(i int) state { return state{working: i%40 == 0} }, nil},
		{"a lane works for a tick, each 10 s", func(i int) state { return state{working: i%100 == 0} }, []int{50, 100, 150, 200, 250, 300, 350}},
		{"a job between two ticks, each 4 s", func(i int) state {
			if i%40 == 0 {
				return state{jobs: 1}
			}
			return state{}
		}, nil},
		{"a large table between 10 and 20 s", func(i int) state { return state{large: i >= 100 && i < 200} }, []int{50, 100, 249}},
		{"counts begin anew with another engine", func(i int) state {
			if i == 200 {
				return state{work: ^uint64(150)} // 151 less than before
			}
			return state{work: 1}
		}, []int{50, 200, 250}},
	} {
		q := quieting{afterMillis: defaultQuietAfter, busyMillis: 1_000_000}
		var changes []int
		var l load
		was := false
		for tick := range ticks {
			s := c.at(tick)
			l = load{work: l.work + s.work, jobs: l.jobs + s.jobs, working: s.working, large: s.large}
			if quiet := q.quiet(1_000_000+int64(tick)*100, l); quiet != was {
				was = quiet
				changes = append(changes, tick)
			}
		}
		if len(changes) != len(c.want) {
			t.Errorf("%s: changes at %v, want %v", c.name, changes, c.want)
			continue
		}
		for i := range changes {
			if changes[i] != c.want[i] {
				t.Errorf("%s: changes at %v, want %v", c.name, changes, c.want)
				break
			}
		}
	}
}

// startQuiet starts a server that is quiet soon, and waits until it has one processor.
func startQuiet(t *testing.T) (ts *testServer, before int) {
	t.Helper()
	before = max(2, runtime.GOMAXPROCS(0))
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	ts = startServer(t, Options{OneProcessorWhenQuiet: true, quietAfterMillis: 200}, testRoutes())
	waitForProcessors(t, 1)
	return ts, before
}

func waitForProcessors(t *testing.T, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); runtime.GOMAXPROCS(0) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the process has %d of Go's processors, want %d", runtime.GOMAXPROCS(0), want)
		}
	}
}

// Goal: a job in a lane has all processors from its first instruction, whenever it comes, and a
// quiet server one again afterwards. Method: jobs at times that fall before, into and behind
// the change.
func TestLaneHasAllProcessors(t *testing.T) {
	ts, all := startQuiet(t)
	for i := range 20 {
		had := make(chan int)
		if !ts.lanes.Submit(AdminLane, 0, func() { had <- runtime.GOMAXPROCS(0) }) {
			t.Fatal("refused")
		}
		if n := <-had; n != all {
			t.Fatalf("job %d began with %d processors, want %d", i, n, all)
		}
		if i%10 == 0 {
			waitForProcessors(t, 1)
		} else {
			time.Sleep(time.Duration(180+2*i) * time.Millisecond)
		}
	}
}

// Goal: a server that is asked more than a little has all processors, and after its end the
// process has them too.
func TestBusyServerHasAllProcessors(t *testing.T) {
	ts, all := startQuiet(t)
	p := ts.dial()
	for end := time.Now().Add(20 * time.Second); runtime.GOMAXPROCS(0) != all; {
		if !p.served() {
			t.Fatal("not served")
		}
		if time.Now().After(end) {
			t.Fatal("asked without a pause, and still one processor")
		}
	}
	waitForProcessors(t, 1)
	if err := ts.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := runtime.GOMAXPROCS(0); n != all {
		t.Errorf("after the end the process has %d processors, want %d", n, all)
	}
}

// Goal: what is remembered of the number is true, in whatever order changes come. Method: who
// begins before, between and after changes that come twice.
func TestProcessorsAreWhatIsRemembered(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	var p processors
	p.start(1, true)
	want := func(n int) {
		t.Helper()
		if got := runtime.GOMAXPROCS(0); got != n || p.one.Load() != (n == 1) {
			t.Errorf("%d processors, and one: %v; want %d", got, p.one.Load(), n)
		}
	}
	want(p.most)
	p.single()
	want(1)
	p.working.Add(1) // who begins, before it asks for all
	p.single()
	want(1)
	p.all()
	want(p.most)
	p.single() // it computes
	want(p.most)
	p.end()
	p.single()
	want(1)
	p.begin()
	p.begin()
	p.end()
	p.single()
	want(p.most)
	p.end()
	p.all()
	want(p.most)
}

// Goal: a quiet server has all processors while an answer is made to an operator.
func TestAnswersHaveAllProcessors(t *testing.T) {
	ts, all := startQuiet(t)
	done := ts.Computing()
	time.Sleep(3 * tickMillis * time.Millisecond)
	if n := runtime.GOMAXPROCS(0); n != all {
		t.Errorf("%d processors, want %d", n, all)
	}
	done()
	waitForProcessors(t, 1)
}

package faults

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	const far = 200 * time.Millisecond
	full := Options{Modes: []Mode{EBPF, Sampling}, RTTs: []time.Duration{0, 50 * time.Millisecond, far},
		Runs: 20, RunsLiving: 3, RunsWatch: 1, Watch: 30 * time.Minute, Parallel: 24}
	short := full
	short.Short, short.Runs, short.RunsLiving, short.Watch, short.Parallel = true, 1, 1, 40*time.Second, 20
	for _, test := range []struct {
		name  string
		o     Options
		cases string
		want  int
	}{
		{"a death: 20 runs in 2 modes at 2 round trips", full, "^kill$", 80},
		{"a vanish: at 3", full, "^vanish-idle$", 120},
		{"a hardship: 3 runs", full, "^outage-6$", 12},
		{"a watch: one", full, "^loss-5$", 4},
		{"too long for the short form", short, "^stopped-130$", 0},
		{"short, a death: 50 ms in one mode", short, "^vanish-idle$", 3},
		{"short, a hardship", short, "^outage-6$", 2},
	} {
		test.o.Match = regexp.MustCompile(test.cases)
		s := &store{}
		jobs := test.o.jobs(s)
		if len(jobs) != test.want {
			t.Errorf("%s: %d runs, want %d", test.name, len(jobs), test.want)
		}
	}
	for name, test := range map[string]struct {
		o    Options
		most time.Duration
	}{"full": {full, 2 * time.Hour}, "short": {short, 15 * time.Minute}} {
		jobs := test.o.jobs(&store{})
		all := time.Duration(0)
		for _, j := range jobs {
			all += test.o.lasts(j)
		}
		if took := all / time.Duration(test.o.Parallel); took > test.most {
			t.Errorf("the %s form takes about %v, more than %v", name, took, test.most)
		}
		t.Logf("%s: %s", name, test.o.estimate(jobs))
	}
}

func TestCaseNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range allCases() {
		if seen[c.Name] || c.Help == "" || c.Brokers < 1 || c.Play == nil {
			t.Errorf("%q is there twice, or not whole", c.Name)
		}
		seen[c.Name] = true
	}
}

func TestRoom(t *testing.T) {
	watch, death := &Case{Kind: Watch, Brokers: 20}, &Case{Brokers: 3}
	r := newRoom(3) // two of them long
	jobs := []job{{c: watch}, {c: watch}, {c: watch}, {c: death}}
	for i, want := range []int{0, 0, 1} {
		got := r.take(jobs)
		if got != want {
			t.Errorf("job %d of what is left is taken as number %d, want %d", got, i, want)
		}
		jobs = append(jobs[:got:got], jobs[got+1:]...)
	}
	taken := make(chan int)
	go func() { taken <- r.take(jobs) }()
	select {
	case <-taken:
		t.Error("a fourth run has found room")
	case <-time.After(20 * time.Millisecond):
	}
	r.give(job{c: death})
	r.give(job{c: watch})
	if got := <-taken; got != 0 {
		t.Errorf("took %d", got)
	}
}

// However many runs there may be at a time, brokers are left for the short ones.
func TestRoomForShortRuns(t *testing.T) {
	r := newRoom(1000)
	jobs := slices.Repeat([]job{{c: &Case{Kind: Watch, Brokers: 20}}}, 100)
	for range brokersWatched / 20 {
		r.take(jobs)
	}
	if got := r.take(append(jobs, job{c: &Case{Brokers: 20}})); got != len(jobs) {
		t.Errorf("beside %d brokers that are watched, job %d is taken", brokersWatched, got)
	}
}

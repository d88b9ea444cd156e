package faults

import (
	"strings"
	"time"
)

// job is one run that is to be done.
type job struct {
	c    *Case
	mode Mode
	rtt  time.Duration // 0: that of the bare path
	run  int
}

// cases are those that match.
func (o *Options) cases() []Case {
	var cases []Case
	for _, c := range allCases() {
		if (o.Match == nil || o.Match.MatchString(c.Name)) && !(o.Short && c.FullOnly) {
			cases = append(cases, c)
		}
	}
	return cases
}

// runs is how often a case is run.
func (o *Options) runs(c *Case) int {
	switch c.Kind {
	case Hardship:
		return min(o.Runs, o.RunsLiving)
	case Watch:
		return min(o.Runs, o.RunsWatch)
	}
	return o.Runs
}

// farRTT is a path on which only hosts that vanish are measured.
const farRTT = 100 * time.Millisecond

// wanted says whether a case is measured in a mode and at a round trip.
func (o *Options) wanted(c *Case, mode Mode, rtt time.Duration) bool {
	switch {
	case rtt >= farRTT:
		return strings.HasPrefix(c.Name, "vanish-") && !o.Short
	case rtt > 0 && o.Short:
		return c.Kind == Death && mode != Sampling
	}
	return true
}

// jobs are the runs that are missing: first runs first, and of those the long ones.
func (o *Options) jobs(s *store) (jobs []job) {
	cases := o.cases()
	for run := 1; run <= o.Runs; run++ {
		for _, long := range []bool{true, false} {
			for i := range cases {
				c := &cases[i]
				if run > o.runs(c) || long != (c.Kind == Watch) {
					continue
				}
				for _, mode := range o.Modes {
					for _, rtt := range o.RTTs {
						j := job{c, mode, rtt, run}
						if o.wanted(c, mode, rtt) && !s.Has(j.key(o.kind.Name)) {
							jobs = append(jobs, j)
						}
					}
				}
			}
		}
	}
	return jobs
}

// watch is how long brokers are watched in a case of kind Watch: shorter where nothing is promised.
func (o *Options) watch(c *Case) time.Duration {
	if c.Target.MissingSeconds == NoTarget {
		return o.Watch / 3
	}
	return o.Watch
}

// lasts is about how long a run takes.
func (o *Options) lasts(j job) time.Duration {
	const around = 20 * time.Second // processes start, brokers settle
	switch {
	case j.c.Kind == Watch:
		return around + o.watch(j.c)
	case j.c.FullOnly:
		return around + 170*time.Second
	case j.c.Kind == Hardship:
		return around + 45*time.Second
	case j.mode == Plain || j.mode == Off:
		return around + 120*time.Second
	}
	return around + 15*time.Second
}

// estimate is about how long all of them take.
func (o *Options) estimate(jobs []job) time.Duration {
	all, longest := time.Duration(0), time.Duration(0)
	for _, j := range jobs {
		all += o.lasts(j)
		longest = max(longest, o.lasts(j))
	}
	return max(longest, all/time.Duration(o.Parallel))
}

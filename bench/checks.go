package bench

import (
	"fmt"
	"strings"
)

// Ref is a number that was measured: a server's metric in a scenario. An empty server is
// Pharos.
type Ref struct{ Scenario, Server, Metric string }

// Check is one row of the targets: the ratio of two numbers, or one number, with a bound.
type Check struct {
	Row  string
	What Ref
	Less Ref // is taken from What first, and the rest divided by Per, unless its Metric is ""
	Per  float64
	By   Ref     // divides What, unless its Metric is ""
	Plus float64 // allowed above By times AtMost, in What's unit
	// Worst: the worst of all samples is judged, not their median.
	Worst bool
	// AtMost and AtLeast bound the ratio or number; 0: no such bound. Without any it is reported.
	AtMost, AtLeast float64
}

// Verdict is a check and what came out.
type Verdict struct {
	Check
	Value  Spread
	Known  bool
	Met    bool
	Reason string // why it is not known
}

// checks are the targets that a comparison can tell.
func checks() []Check {
	ns, rate, p99 := "server_ns", "per_second", "p99_us"
	s1, s16, offered := small1, small16, ", 70 %"
	list := []Check{
		{Row: "small routes, depth 1: processor time a request, by the yardstick's at the same rate", What: Ref{s1 + offered, "", ns}, By: Ref{s1 + offered, "limit", ns}, AtMost: 1.08},
		{Row: "small routes, depth 1, closed loop: throughput by the yardstick's", What: Ref{s1, "", rate}, By: Ref{s1, "limit", rate}},
		{Row: "small routes, depth 16: processor time a request, by the yardstick's at the same rate", What: Ref{s16 + offered, "", ns}, By: Ref{s16 + offered, "limit", ns}, AtMost: 1.15},
		{Row: "small routes, depth 16, closed loop: throughput by the yardstick's", What: Ref{s16, "", rate}, By: Ref{s16, "limit", rate}},
		{Row: "the gnet yardstick's throughput by the bare epoll one's", What: Ref{s1, "limit", rate}, By: Ref{s1, "limit-epoll", rate}, AtLeast: 0.7},
	}
	for _, peer := range peers {
		list = append(list,
			Check{Row: "small routes, depth 16: throughput by that of " + peer.name, What: Ref{s16, "", rate}, By: Ref{s16, peer.name, rate}, AtLeast: peer.deep},
			Check{Row: "small routes, depth 1: throughput by that of " + peer.name, What: Ref{s1, "", rate}, By: Ref{s1, peer.name, rate}, AtLeast: 4})
		for _, share := range peerShares {
			scenario := peerScenario(peer.name, share)
			list = append(list, Check{Row: fmt.Sprintf("P99 at %.0f %% of the capacity of %s, by its own", share*100, peer.name), What: Ref{scenario, "", p99}, By: Ref{scenario, peer.name, p99}, AtMost: 0.1})
		}
	}
	big, other := "1M x 4, depth 16", "1M x 4, all different, depth 16"
	list = append(list,
		Check{Row: "1 M topics: processor time a request by that at 1,000 at the same rate", What: Ref{big + offered, "", ns}, By: Ref{big + offered, besideName, ns}, AtMost: 1.3},
		Check{Row: "1 M topics, closed loop: the same", What: Ref{big, "", ns}, By: Ref{big, besideName, ns}, AtMost: 1.3},
		Check{Row: "1 M topics, all different: processor time a request by that at 1,000 at the same rate", What: Ref{other + offered, "", ns}, By: Ref{other + offered, besideName, ns}, AtMost: 1.6},
		Check{Row: "1 M topics, all different, closed loop: the same", What: Ref{other, "", ns}, By: Ref{other, besideName, ns}, AtMost: 1.6},
		Check{Row: "60 kB bodies: processor time a request by Java's at the same rate", What: Ref{large + ", 70 % of java", "", ns}, By: Ref{large + ", 70 % of java", "java", ns}, AtMost: 1.0 / 40},
		Check{Row: "60 kB bodies, closed loop: the same", What: Ref{large, "", ns}, By: Ref{large, "java", ns}, AtMost: 1.0 / 40},
		Check{Row: "60 kB bodies: processor time a request by the yardstick's at the same rate", What: Ref{large + offered, "", ns}, By: Ref{large + offered, "limit", ns}, AtMost: 1.3},
		Check{Row: "60 kB bodies, closed loop: throughput by the yardstick's", What: Ref{large, "", rate}, By: Ref{large, "limit", rate}},
		Check{Row: "300 x 10,000 unchanged each 30 s: share of a core", What: Ref{"unchanged, brokers alone", "", "cpu_share"}, AtMost: 0.02},
		Check{Row: "the same: P99 of lookups by quiet (200 us more allowed)", What: Ref{"unchanged, quiet lookups", "", p99}, By: Ref{"300 x 10,000, quiet lookups", "", p99}, AtMost: 1.2, Plus: 200},
		Check{Row: "the same: resident memory, MB", What: Ref{"unchanged, brokers alone", "", "rss_mb"}, AtMost: 150},
		Check{Row: "one topic changed: P99 of lookups by quiet (200 us more allowed)", What: Ref{"one changed, quiet lookups", "", p99}, By: Ref{"300 x 10,000, quiet lookups", "", p99}, AtMost: 1.2, Plus: 200},
		Check{Row: "mass restart: time by Java's", What: Ref{"mass restart", "", "elapsed_s"}, By: Ref{"mass restart", "java", "elapsed_s"}, AtMost: 0.1},
		Check{Row: "mass restart: peak memory, MB", What: Ref{"mass restart", "", "peak_mb"}, AtMost: 800},
		Check{Row: "mass restart: P99 of small lookups meanwhile, us", What: Ref{"mass restart", "", p99}, AtMost: 10_000},
		Check{Row: "mass restart: registrations and lookups that failed", What: Ref{"mass restart", "", "failed"}, AtMost: 1e-9, Worst: true},
		Check{Row: "400,000 topic registrations: time by Java's", What: Ref{"ingest 100k x 4", "", "fill_s"}, By: Ref{"ingest 100k x 4", "java", "fill_s"}, AtMost: 0.2},
		Check{Row: "the same: memory after, MB", What: Ref{"ingest 100k x 4", "", "idle_mb"}, AtMost: 60},
		Check{Row: "106 by 1,000 brokers each 5 s: share of a core", What: Ref{"106 every 5 s", "", "cpu_share"}, AtMost: 0.02},
		Check{Row: "topic list of 100,000: processor time by the yardstick's at the same rate", What: Ref{topicList + offered, "", ns}, By: Ref{topicList + offered, "limit", ns}, AtMost: 1.3},
		Check{Row: "topic list of 100,000, closed loop: the same", What: Ref{topicList, "", ns}, By: Ref{topicList, "limit", ns}, AtMost: 1.3},
		Check{Row: "half of the topics unknown: processor time by that of known ones at the same rate", What: Ref{unknownTopics + ", the same rate", "", ns}, By: Ref{s16 + offered, "", ns}, AtMost: 1},
		Check{Row: "half of the topics unknown, closed loop: the same", What: Ref{unknownTopics, "", ns}, By: Ref{s16, "", ns}, AtMost: 1},
		Check{Row: "idle memory after 10 s, without BPF, MB", What: Ref{"start, idle, stop", untracedName, "idle_mb"}, AtMost: 15},
		Check{Row: "start to the first answer, ms", What: Ref{"start, idle, stop", "", "start_ms"}, AtMost: 50},
		Check{Row: "stop when idle, ms", What: Ref{"start, idle, stop", "", "stop_ms"}, AtMost: 1000},
		Check{Row: "beside a flood of one connection: P99 of others by quiet (200 us more allowed)", What: Ref{"flood", "", p99}, By: Ref{"small, quiet", "", p99}, AtMost: 3, Plus: 200},
		Check{Row: "memory of an idle connection, beside the kernel's, kB", What: Ref{"idle connections", "", "rss_mb"}, Less: Ref{"small, quiet", "", "rss_mb"}, Per: idleConns / 1000.0, AtMost: 3},
		Check{Row: "one topic of 10,000 changed: visible after the last byte, the slowest, us", What: Ref{"one changed, brokers alone", "", "visible_max_us"}, AtMost: 4000, Worst: true},
		Check{Row: "300 x 10,000: longest stop of the collector, ms", What: Ref{"unchanged, brokers alone", "", "longest_stop_ms"}, AtMost: 1, Worst: true},
		Check{Row: "300 x 10,000, one topic changed a second: longest stop, ms", What: Ref{"one changed, brokers alone", "", "longest_stop_ms"}, AtMost: 1, Worst: true},
		Check{Row: "300 x 10,000, all topics of a broker changed each second: longest stop, ms", What: Ref{"all changed, brokers alone", "", "longest_stop_ms"}, Worst: true},
		Check{Row: "two event loops: processor time a request by that of one", What: Ref{loopsOpen, "pharos-2-loops", ns}, By: Ref{loopsOpen, "pharos-1-loop", ns}, AtMost: 1.05},
	)
	return append(list, microChecks()...)
}

// microChecks are the targets that Go's benchmarks tell (see microFile).
func microChecks() []Check {
	micro := func(metric string) Ref { return Ref{microScenario, "", metric} }
	return []Check{
		{Row: "one topic changed at 1 M topics: publication, ns", What: micro("BenchmarkOneTopicChanged/alike ns/op"), AtMost: 100_000},
		{Row: "the same, every topic different", What: micro("BenchmarkOneTopicChanged/different ns/op"), AtMost: 100_000},
		{Row: "allocations of a 105, JSON header", What: micro("BenchmarkGetRouteInfo/serialize=0 allocs/op"), AtMost: 1e-9},
		{Row: "allocations of a 105, binary header", What: micro("BenchmarkGetRouteInfo/serialize=1 allocs/op"), AtMost: 1e-9},
		{Row: "allocations of a 106", What: micro("BenchmarkGetBrokerClusterInfo allocs/op"), AtMost: 1e-9},
		{Row: "allocations of an unchanged 103", What: micro("BenchmarkRegisterUnchanged allocs/op"), AtMost: 1e-9},
		{Row: "dispatch without sockets: two loops' lookups a second by one loop's", What: micro("BenchmarkDispatchLoops ns/op"), By: micro("BenchmarkDispatchLoops-2 ns/op"), AtLeast: 1.8},
	}
}

// completed is the share of what was due in an open loop that a server must do, for anything to
// count.
const completed = 0.99

// saturated is the share of its core that a server must have for its throughput to count.
const saturated = 0.95

// Verdicts compares what was measured with the targets.
func (c *Comparison) Verdicts() []Verdict {
	var list []Verdict
	for _, check := range checks() {
		v := Verdict{Check: check}
		what, err := c.value(check.What)
		if err == nil && check.Less.Metric != "" {
			err = c.subtract(what, check)
		}
		var by map[int]float64
		if err == nil && check.By.Metric != "" {
			by, err = c.value(check.By)
		}
		if err != nil {
			v.Reason = err.Error()
			list = append(list, v)
			continue
		}
		v.judge(what, by)
		list = append(list, v)
	}
	return list
}

// subtract makes of what the rest of it above check.Less, in the same round.
func (c *Comparison) subtract(what map[int]float64, check Check) error {
	less, err := c.value(check.Less)
	if err != nil {
		return err
	}
	for round, v := range what {
		base, ok := less[round]
		if !ok {
			delete(what, round)
			continue
		}
		what[round] = (v - base) / check.Per
	}
	return nil
}

// value is a metric by round.
func (c *Comparison) value(ref Ref) (map[int]float64, error) {
	if ref.Server == "" {
		ref.Server = "pharos"
	}
	r := c.Record(ref.Scenario, ref.Server)
	if r == nil {
		return nil, fmt.Errorf("%s was not measured in %q", ref.Server, ref.Scenario)
	}
	if r.Missing != "" {
		return nil, fmt.Errorf("%s: %s", ref.Server, r.Missing)
	}
	values, why := map[int]float64{}, fmt.Errorf("%s has no %s in %q", ref.Server, ref.Metric, ref.Scenario)
	for i := range r.Samples {
		s := &r.Samples[i]
		m := s.Metrics()
		v, ok := m[ref.Metric]
		done, due := m["done_share"]
		switch {
		case !ok:
		case s.Disturbed != "" && !strings.HasSuffix(ref.Metric, "_mb") && ref.Metric != "failed": // those bear it
			why = fmt.Errorf("all samples of %s in %q were disturbed, the last: %s", ref.Server, ref.Scenario, s.Disturbed)
		case due && done < completed && (ref.Metric == "server_ns" || ref.Metric == "p99_us"):
			why = fmt.Errorf("%s did %.1f %% of what was due in %q", ref.Server, done*100, ref.Scenario)
		case ref.Metric == "per_second" && m["cpu_share"] < saturated:
			why = fmt.Errorf("%s never had its core for %.0f %% of the time in %q: the load was the limit, or somebody else was there", ref.Server, saturated*100, ref.Scenario)
		default:
			values[s.Round] = v
		}
	}
	if len(values) == 0 {
		return nil, why
	}
	return values, nil
}

// judge pairs the rounds: what both servers did in the same one is compared.
func (v *Verdict) judge(what, by map[int]float64) {
	var values, allowed []float64
	for round, value := range what {
		if v.By.Metric == "" {
			values = append(values, value)
			continue
		}
		base, ok := by[round]
		if !ok || base == 0 {
			continue
		}
		values = append(values, value/base)
		allowed = append(allowed, v.Plus/base)
	}
	if len(values) == 0 {
		v.Reason = "no round has both"
		return
	}
	v.Value, v.Known = spread(values), true
	low, high := v.Value.Median, v.Value.Median
	if v.Worst {
		low, high = v.Value.Least, v.Value.Most
	}
	v.Met = (v.AtLeast == 0 || low >= v.AtLeast) &&
		(v.AtMost == 0 || high <= v.AtMost+spread(allowed).Median)
}

package bench

import (
	"context"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// namedServers are servers as a Finder gives them, without looking for their programs.
func namedServers(names ...string) []Server {
	var all []Server
	for _, name := range names {
		s := Server{Name: name, Warms: strings.HasPrefix(name, "java"), Yardstick: strings.HasPrefix(name, "limit"), Apart: strings.HasPrefix(name, "pharos-")}
		if name == "limit-epoll" {
			s = yardstick(name, "epoll")
			s.Scenarios = epollScenarios
		}
		all = append(all, s)
	}
	return all
}

// who are the servers that each scenario of a plan is to be measured with.
func who(c *Comparison, list []todo) map[string][]string {
	got := map[string][]string{}
	for i := range list {
		for j := range list[i].Scenarios {
			sc := &list[i].Scenarios[j]
			for k := range list[i].servers {
				if s := &list[i].servers[k]; sc.measures(s, c.short()) {
					got[sc.Name] = append(got[sc.Name], s.Name)
				}
			}
		}
	}
	return got
}

func TestPlanOfWhoTakesPart(t *testing.T) {
	f := func(change func(*Comparison), want map[string][]string) {
		t.Helper()
		c := &Comparison{Servers: namedServers(ServerNames...), Dir: t.TempDir(), Pairs: 3, records: map[string]map[string]*Record{}}
		change(c)
		list, err := c.plan()
		if err != nil {
			t.Fatal(err)
		}
		got := who(c, list)
		for scenario, servers := range want {
			if diff := cmp.Diff(servers, got[scenario]); diff != "" {
				t.Errorf("%s: %s", scenario, diff)
			}
		}
	}
	short := func(c *Comparison) { c.Servers = namedServers(ShortNames...) }
	f(short, map[string][]string{
		small1: {"pharos", "limit", "limit-epoll", "java", "rust"}, small1 + ", 70 %": {"pharos", "limit"}, "small, 50 % of rust": {"pharos", "rust"}, "small, 80 % of java-g1": nil,
		"start, idle, stop": {"pharos", untracedName}, "mass restart": {"pharos", "java"}, loopsOpen: {"pharos-1-loop", "pharos-2-loops"},
		"1M x 4, depth 16": {"pharos", besideName}, "Zipf": nil, "churn": nil, "106 every 5 s": {"pharos", "limit"},
	})
	all := []string{"pharos", "java", "java-g1", "rust", "rust-tuned"}
	f(func(c *Comparison) { c.Full = true }, map[string][]string{
		small16: {"pharos", "limit", "limit-epoll", "java", "java-g1", "rust", "rust-tuned"}, "mass restart": append([]string{"pharos", "limit"}, all[1:]...),
		"1M x 4, all different, depth 16": {"pharos", "limit", "java", "rust", besideName}, "churn": {"pharos", "java"},
		"small, 80 % of java-g1": {"pharos", "java-g1"},
	})
	f(func(c *Comparison) {
		c.Only = regexp.MustCompile("^unknown topics$")
		c.Servers = append(namedServers("pharos", "java"), Server{Name: "mine", Custom: true})
	}, map[string][]string{"unknown topics": {"pharos", "java", "mine"}, small1: nil})
	f(func(c *Comparison) { short(c); c.Servers = append(c.Servers, Server{Name: "mine", Custom: true}) },
		map[string][]string{"unknown topics": {"pharos", "mine"}, loopsOpen: {"pharos-1-loop", "pharos-2-loops"}})
}

// What is there is not measured again, but all servers of a scenario are if one lacks; a stage has
// only the servers that something is missing of.
func TestPlanOfWhatIsMissing(t *testing.T) {
	c := &Comparison{Servers: namedServers("pharos", "limit", "java"), Dir: t.TempDir(), Pairs: 3,
		Only: regexp.MustCompile("^small, depth 1|^unknown topics$"), records: map[string]map[string]*Record{}}
	for _, r := range []Record{{Scenario: small1, Server: "pharos"}, {Scenario: small1, Server: "limit"}, {Scenario: small1, Server: "java", Missing: "no JVM"},
		{Scenario: small1 + ", 70 %", Server: "pharos"}, {Scenario: "unknown topics", Server: "pharos"}, {Scenario: "unknown topics", Server: "java"}, {Scenario: "unknown topics", Server: "limit"}} {
		if err := r.save(c.Dir); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.plan()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{small1 + ", 70 %": {"pharos", "limit"}, small16: {"pharos", "limit", "java"}, small16 + ", 70 %": {"pharos", "limit"}}
	if diff := cmp.Diff(want, who(c, list)); diff != "" {
		t.Error(diff)
	}
	if c.Record(small1, "java") == nil {
		t.Error("what was measured before is not known")
	}
	c.Only = regexp.MustCompile("^small, depth 1, 70 %$")
	if list, err = c.plan(); err != nil || len(list) != 1 || len(list[0].servers) != 2 {
		t.Errorf("%+v, %v; java is to be started for nothing", list, err)
	}
}

func TestPlanRefusesAnotherBuild(t *testing.T) {
	c := &Comparison{Servers: namedServers("pharos"), Dir: t.TempDir(), Only: regexp.MustCompile("^Zipf$"), records: map[string]map[string]*Record{}}
	const kept = "0123456789ab (sha256:aa)"
	if err := (&Record{Scenario: "Zipf", Server: "pharos", Build: kept}).save(c.Dir); err != nil {
		t.Fatal(err)
	}
	for build, fits := range map[string]bool{kept: true, "ba9876543210 (sha256:aa)": true, "0123456789ab (sha256:bb)": false, "": true} {
		c.Servers[0].Build = build
		if _, err := c.plan(); (err == nil) != fits {
			t.Errorf("build %s in a folder of %s: %v", build, kept, err)
		}
	}
}

// What is said to take minutes, or hours in slices, does.
func TestLasts(t *testing.T) {
	f := func(c *Comparison, least, most time.Duration) {
		t.Helper()
		c.Dir, c.records = t.TempDir(), map[string]map[string]*Record{}
		list, err := c.plan()
		if err != nil {
			t.Fatal(err)
		}
		got := c.lasts(list)
		for i := range list {
			t.Logf("%-26s %v", list[i].Name, c.lasts(list[i:i+1]).Round(time.Second))
		}
		t.Logf("%d scenarios, %v", scenarios(list), got.Round(time.Second))
		if got < least || got > most {
			t.Errorf("it takes about %v, not between %v and %v", got, least, most)
		}
	}
	f(&Comparison{Servers: namedServers(ShortNames...), Pairs: 3, Window: time.Second, Warmup: time.Second, WarmStep: 3 * time.Second, WarmMax: 20 * time.Second, FillMax: 2 * time.Minute}, 5*time.Minute, 20*time.Minute)
	f(&Comparison{Servers: namedServers(ServerNames...), Full: true, Pairs: 7, Window: 3 * time.Second, Warmup: time.Second, WarmStep: 10 * time.Second, WarmMax: 2 * time.Minute, FillMax: 2 * time.Minute}, time.Hour, 4*time.Hour)
	f(&Comparison{Servers: namedServers(ServerNames...), Only: regexp.MustCompile("^churn$"), Pairs: 7, Window: 3 * time.Second}, 20*time.Minute, 22*time.Minute)
}

// recordOf has one throughput in a scenario.
func recordOf(scenario, server string, perSecond float64) *Record {
	return &Record{Scenario: scenario, Server: server, Samples: []Sample{{Window: &Window{Seconds: 1, Groups: []GroupResult{{Name: "lookups", PerSecond: perSecond}}}}}}
}

// The rate of an open loop is a share of what the slowest can of those it is about.
func TestRated(t *testing.T) {
	c := &Comparison{Servers: namedServers("pharos", "limit", "java"), records: map[string]map[string]*Record{}}
	for server, rate := range map[string]float64{"pharos": 200_000, "limit": 180_000, "java": 10_000} {
		c.keep(recordOf(small1, server, rate))
	}
	f := func(sc Scenario, want float64) {
		t.Helper()
		groups, rate := c.rated(&sc)
		if math.Abs(rate-want) > 1e-6 || groups[0].Rate != rate || sc.Groups[0].Rate != 0 {
			t.Errorf("%s: rate %v, groups %v (of the scenario %v), want %v", sc.Name, rate, groups[0].Rate, sc.Groups[0].Rate, want)
		}
	}
	w := &World{Topics: 10, Brokers: 1}
	f(offered(small1, w, 1, smallBodyBytes), 0.7*180_000)
	f(Scenario{Name: "all", Groups: openLoop(w, 0), RateOf: small1, RateShare: 0.5}, 5_000)
	f(Scenario{Name: "two", Groups: openLoop(w, 0), RateOf: small1, RateShare: 0.5, RateBy: []string{"pharos", "gone"}}, 100_000)
}

// A rate of somebody who cannot be had is a reason, and is not waited for.
func TestUnrated(t *testing.T) {
	c := &Comparison{Servers: namedServers("pharos", "rust"), Dir: t.TempDir(), Only: regexp.MustCompile("^small, 50 %"), records: map[string]map[string]*Record{}}
	list, err := c.plan()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{peerScenario("rust", 0.5): {"pharos", "rust"}}
	if diff := cmp.Diff(want, who(c, list)); diff != "" {
		t.Errorf("scenarios at the rate of servers that are not there: %s", diff)
	}
	sc := &list[0].Scenarios[0]
	if why := c.unrated(sc); why != "" {
		t.Errorf("not measured yet, but %q", why)
	}
	c.keep(&Record{Scenario: small1, Server: "rust", Missing: "no cargo"})
	if why := c.unrated(sc); !strings.Contains(why, "rust") || !strings.Contains(why, "no cargo") {
		t.Errorf("%q", why)
	}
	if err := c.scenario(t.Context(), sc, []*contender{{server: &c.Servers[0]}}); err != nil {
		t.Fatal(err)
	}
	if r, err := loadRecord(c.Dir, sc.Name, "pharos"); err != nil || r == nil || !strings.Contains(r.Missing, "no cargo") {
		t.Errorf("%+v, %v: it would be tried for ever", r, err)
	}
}

// The load has the same work with all servers where that is said; with a yardstick it never looks.
func TestOwnGroups(t *testing.T) {
	world, other := &World{Topics: 10, Brokers: 1}, &World{Topics: 20, Brokers: 1}
	f := func(l contender, alike, unchecked, echo bool, w *World) {
		t.Helper()
		given := closedLoop(world, 1)
		got := l.own(&Scenario{Alike: alike}, given)
		if got[0].Unchecked != unchecked || got[0].Echo != echo || got[0].World != w || given[0].Unchecked || given[0].World != world {
			t.Errorf("%s: %+v of %+v", l.server.Name, got, given)
		}
	}
	f(contender{server: &Server{Name: "pharos"}}, false, false, false, world)
	f(contender{server: &Server{Name: "pharos"}}, true, true, false, world)
	f(contender{server: &Server{Name: "limit", Yardstick: true}}, false, false, true, world)
	f(contender{server: &Server{Name: besideName}, world: other}, false, false, false, other)
}

// Brokers are kept from being idle before a window in which that would become due, and those of a
// server that was busy then as soon as it is not.
func TestTendingIsDue(t *testing.T) {
	c := &Comparison{}
	f := func(ago time.Duration, busy *Server, ahead time.Duration, tends, untended bool) {
		t.Helper()
		before := time.Now().Add(-ago)
		c.tended = before
		c.tend(busy, ahead)
		if c.tended.Equal(before) == tends || c.untended != untended {
			t.Errorf("%v ago, busy %v, %v ahead: tended %v, untended %v", ago, busy != nil, ahead, !c.tended.Equal(before), c.untended)
		}
	}
	f(tendPeriod-5*time.Second, nil, time.Second, false, false)
	f(tendPeriod-5*time.Second, nil, 10*time.Second, true, false)
	f(tendPeriod-5*time.Second, &Server{}, 0, false, false)
	f(tendPeriod, &Server{}, 0, true, true)
	f(time.Second, &Server{}, 0, false, true)
	f(time.Second, nil, 0, true, false)
}

func TestDisturbance(t *testing.T) {
	window := func(busy, awake, share, steal, awayMicros float64) Window {
		return Window{Server: &ProcessUse{CoreBusy: busy, CoreAwake: awake, CPUShare: share, CoreSteal: steal}, Load: LoadUse{AwayMicros: awayMicros}}
	}
	f := func(slowest bool, w Window, want string) {
		t.Helper()
		got := (&Scenario{Slowest: slowest}).disturbance(&w, w.Server != nil && w.Server.MachineBusy > 0)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("slowest %v, %+v: %q, want %q in it", slowest, w, got, want)
		}
	}
	f(false, window(0.99, 1, 0.95, 0, 90_000), "")
	f(false, window(0.99, 1, 0.5, 0, 0), "others had 0.490 of a processor")
	f(false, window(0.5, 0.5, 0.5, 0.03, 0), "hypervisor")
	f(true, window(0.5, 0.02, 0.015, 0, 900), "")
	f(true, window(0.02, 0.06, 0.015, 0, 0), "others had 0.045")
	f(true, window(0.02, 0.02, 0.02, 0.004, 0), "hypervisor")
	f(true, window(0.02, 0.02, 0.02, 0, 1200), "did not come to its sockets for 1.2ms")
	far := window(0.99, 0.99, 0.1, 0, 0)
	far.Server.Core = -1 // its processor is not known
	f(false, far, "")
	f(true, Window{}, "")
	all := window(0, 0, 0.6, 0, 0)
	all.Server.Core, all.Server.MachineBusy, all.Load.BusyShare = -1, 1.05, 0.4
	f(false, all, "")
	all.Server.MachineBusy = 1.2
	f(false, all, "others had 0.200")
	// Ticks that the load's own pace meets say more than the scheduler counted.
	all.Server.Others = &OtherTasks{Ran: 0.01, Begun: begunMax}
	f(false, all, "")
	all.Server.Others = &OtherTasks{Ran: 0.15, Begun: begunMax}
	f(false, all, "others had 0.150")
	all.Server.Others = &OtherTasks{Ran: 0.01, Begun: begunMax + 1} // some that came and went are not in it
	f(false, all, "others had 0.200")
	all.Server.Others = &OtherTasks{Ran: 0.01, Ended: 1} // nor what that one ran
	f(false, all, "others had 0.200")
}

// A disturbed sample is taken again, a few times.
func TestUndisturbed(t *testing.T) {
	f := func(wantTaken int, wantDisturbed bool, quietFrom int) {
		t.Helper()
		c, taken := &Comparison{}, 0
		s, err := c.undisturbed(t.Context(), &Scenario{}, &Server{Name: "one"}, func() (Sample, error) {
			taken++
			return Sample{Round: taken, Window: &Window{Server: &ProcessUse{CoreBusy: 1, CPUShare: map[bool]float64{true: 0.99}[taken >= quietFrom]}}}, nil
		})
		if err != nil || taken != wantTaken || s.Round != taken || (s.Disturbed != "") != wantDisturbed {
			t.Errorf("quiet from sample %d: %d taken, the last %+v, %v", quietFrom, taken, s, err)
		}
	}
	f(1, false, 1)
	f(3, false, 3)
	f(1+retries, true, 100)
	broken := errors.New("broken")
	if _, err := new(Comparison).undisturbed(context.Background(), &Scenario{}, &Server{}, func() (Sample, error) { return Sample{}, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// What was disturbed, or not done, counts for no target; of the worst no sample is left out.
func TestVerdictsLeaveOut(t *testing.T) {
	offer := func(server string, nanos ...float64) *Record {
		r := &Record{Scenario: small1 + ", 70 %", Server: server}
		for i, ns := range nanos {
			r.Samples = append(r.Samples, Sample{Round: i, Window: &Window{Seconds: 1, Server: &ProcessUse{CPUSeconds: ns * 1000 / 1e9},
				Groups: []GroupResult{{Name: "lookups", Due: 1000, Good: 1000, Replies: 1000}}}})
		}
		return r
	}
	const row = "depth 1: processor time a request"
	c := &Comparison{records: map[string]map[string]*Record{}}
	pharos := offer("pharos", 1050, 9000, 9000)
	pharos.Samples[1].Disturbed = "somebody"
	pharos.Samples[2].Window.Groups[0].Good = 980
	c.keep(pharos)
	c.keep(offer("limit", 1000, 1000, 1000))
	if v := verdict(t, c, row); !v.Known || !v.Met || v.Value.Count != 1 || v.Value.Median != 1.05 {
		t.Errorf("%+v", v)
	}
	pharos.Samples = pharos.Samples[1:2]
	if v := verdict(t, c, row); v.Known || !strings.Contains(v.Reason, "disturbed, the last: somebody") {
		t.Errorf("%+v", v)
	}
	pharos.Samples[0].Window.Server.RSSBytes = 7e6
	if got, err := c.value(Ref{pharos.Scenario, "", "rss_mb"}); err != nil || got[1] != 7 {
		t.Errorf("memory does not count: %v, %v", got, err)
	}
	if got := pharos.Spread("server_ns"); got.Median != 9000 {
		t.Errorf("a table has no number though there is a sample: %+v", got)
	}
	v := Verdict{Check: Check{AtMost: 4, Worst: true}}
	v.judge(map[int]float64{0: 1, 1: 2, 2: 5}, nil)
	if v.Met || v.Value.Most != 5 {
		t.Errorf("one of three is too slow: %+v", v)
	}
}

// The report has no row for what this form does not measure.
func TestReportAsks(t *testing.T) {
	c := &Comparison{Servers: namedServers(ShortNames...)}
	var asked []string
	for _, check := range checks() {
		if c.asks(&check) {
			asked = append(asked, check.Row)
		}
	}
	has := func(row string) bool {
		return slices.ContainsFunc(asked, func(s string) bool { return strings.Contains(s, row) })
	}
	for row, want := range map[string]bool{"throughput by that of java-g1": false, "throughput by that of java": true, "1 M topics": true, "publication": true, "mass restart: time": true} {
		if has(row) != want {
			t.Errorf("the short form has a row %q: %v, want %v", row, has(row), want)
		}
	}
}

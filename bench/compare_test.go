package bench

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpread(t *testing.T) {
	f := func(want Spread, values ...float64) {
		t.Helper()
		if got := spread(values); got != want {
			t.Errorf("%v: %+v, want %+v", values, got, want)
		}
	}
	f(Spread{})
	f(Spread{3, 3, 3, 3, 3, 1}, 3)
	f(Spread{1, 2, 3, 4, 5, 5}, 5, 1, 3, 2, 4)
	f(Spread{1, 1.25, 1.5, 1.75, 2, 2}, 2, 1)
}

// comparison has records of Pharos and another server with the given throughputs by round.
func comparison(pharos, other []float64, share float64) *Comparison {
	c := &Comparison{records: map[string]map[string]*Record{}}
	for name, rates := range map[string][]float64{"pharos": pharos, "java": other} {
		r := &Record{Scenario: "small, depth 16", Server: name}
		for round, rate := range rates {
			r.Samples = append(r.Samples, Sample{Round: round, Window: &Window{
				Seconds: 1, Groups: []GroupResult{{Name: "lookups", PerSecond: rate, Replies: uint64(rate)}}, Server: &ProcessUse{CPUShare: share, CPUSeconds: share},
			}})
		}
		c.keep(r)
	}
	return c
}

func verdict(t *testing.T, c *Comparison, row string) Verdict {
	t.Helper()
	for _, v := range c.Verdicts() {
		if strings.Contains(v.Row, row) {
			return v
		}
	}
	t.Fatalf("no check %q", row)
	return Verdict{}
}

// Ratios are of the same round; a throughput counts only of a server that had its core.
func TestVerdicts(t *testing.T) {
	const row = "depth 16: throughput by that of java"
	v := verdict(t, comparison([]float64{2000, 4400, 6300}, []float64{100, 200, 300}, 0.99), row)
	if !v.Known || !v.Met || math.Abs(v.Value.Median-21) > 1e-9 {
		t.Errorf("%+v", v)
	}
	v = verdict(t, comparison([]float64{1900}, []float64{100}, 0.99), row)
	if !v.Known || v.Met {
		t.Errorf("a ratio of 19 meets 20: %+v", v)
	}
	v = verdict(t, comparison([]float64{2000}, []float64{100}, 0.5), row)
	if v.Known || v.Met || !strings.Contains(v.Reason, "core") {
		t.Errorf("a throughput counts though the server had half of its core: %+v", v)
	}
	v = verdict(t, &Comparison{}, row)
	if v.Known || v.Met || !strings.Contains(v.Reason, "not measured") {
		t.Errorf("%+v", v)
	}
}

// What may be above a ratio is counted in the ratio's own unit.
func TestVerdictAllowsAnAmountAbove(t *testing.T) {
	v := Verdict{Check: Check{By: Ref{Metric: "p99_us"}, AtMost: 1.2, Plus: 200}}
	v.judge(map[int]float64{0: 430}, map[int]float64{0: 200})
	if !v.Met {
		t.Errorf("430 us against 1.2 x 200 + 200: %+v", v)
	}
	v.judge(map[int]float64{0: 450}, map[int]float64{0: 200})
	if v.Met {
		t.Errorf("450 us against 1.2 x 200 + 200: %+v", v)
	}
}

// Every check speaks of scenarios and servers that exist.
func TestChecksNameWhatExists(t *testing.T) {
	scenarios := map[string]bool{}
	for _, s := range Stages() {
		for _, sc := range s.Scenarios {
			if scenarios[sc.Name] {
				t.Errorf("two scenarios are called %q", sc.Name)
			}
			scenarios[sc.Name] = true
			for i := range sc.Groups {
				if _, err := sc.Groups[i].withDefaults(); err != nil {
					t.Errorf("%s: %v", sc.Name, err)
				}
			}
			if sc.RateOf != "" && !scenarios[sc.RateOf] {
				t.Errorf("%s takes its rate from %q, which does not come before it", sc.Name, sc.RateOf)
			}
		}
	}
	for _, check := range checks() {
		for _, ref := range []Ref{check.What, check.Less, check.By} {
			switch {
			case ref.Metric == "":
			case ref.Scenario == microScenario:
				if name := benchmarkName(ref.Metric); !isBenchmark(t, name) {
					t.Errorf("%s: there is no %s", check.Row, name)
				}
			case !scenarios[ref.Scenario]:
				t.Errorf("%s: there is no scenario %q", check.Row, ref.Scenario)
			}
		}
	}
}

// benchmarkName is the function that a metric of microScenario is of.
func benchmarkName(metric string) string {
	return metric[:strings.IndexAny(metric, " /-")]
}

// isBenchmark reports whether one of the packages that make bench runs has that benchmark.
func isBenchmark(t *testing.T, name string) bool {
	t.Helper()
	for _, dir := range []string{"../server", "../routetable"} {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "func "+name+"(b *testing.B)") {
				return true
			}
		}
	}
	return false
}

func TestRecordsAreKept(t *testing.T) {
	dir := t.TempDir()
	r := comparison([]float64{5}, nil, 1).Record("small, depth 16", "pharos")
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := loadRecord(dir, r.Scenario, r.Server)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Error(diff)
	}
	if none, err := loadRecord(dir, "other", "pharos"); none != nil || err != nil {
		t.Errorf("%v, %v", none, err)
	}
}

// A server that does not start, or answers nothing, says why.
func TestServersThatCannotBeHad(t *testing.T) {
	finder := &Finder{Pharos: "nowhere/namesrv", Cache: t.TempDir()}
	f := func(name, want string) {
		t.Helper()
		s := finder.Find(t.Context(), name)
		_, err := s.Start(t.Context(), t.TempDir(), -1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", name, err, want)
		}
	}
	f("pharos", "make build")
	f("gopher", "no such server")
	f("mine=nowhere/server -p {port}", "no such file")
	f("mine=echo gone {port}", "it ended before it answered:\ngone")
}

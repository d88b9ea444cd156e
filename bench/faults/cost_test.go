package faults

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCostTable: parts that were measured at different times stand in one table, in their order,
// and a part that is measured again replaces what was there.
func TestCostTable(t *testing.T) {
	o := &Options{Dir: t.TempDir()}
	var b strings.Builder
	if err := WriteCost(&b, o); err == nil {
		t.Error("a table of nothing")
	}
	for _, step := range []struct {
		part    string
		figures []Figure
	}{
		{"programs", []Figure{{Part: "programs", What: "a record", Value: 915.4, Unit: "ns", Limit: 1000}}},
		{"memory", []Figure{{Part: "memory", What: "idle", Value: 99, Unit: "MB", Limit: 25}}},
		{"memory", []Figure{{Part: "memory", What: "idle", Value: 25.04, Unit: "MB", Limit: 25}, {Part: "memory", What: "off", Value: 0.457, Unit: "MB", Limit: NoTarget, Detail: "once"}}},
	} {
		if err := keepFigures(o.Dir, step.part, step.figures); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteCost(&b, o); err != nil {
		t.Fatal(err)
	}
	want := `| what | wanted | measured | |
|---|---|---|---|
| idle | <= 25 MB | 25 MB | NOT MET |
| off |  | 0.457 MB (once) |  |
| a record | <= 1000 ns | 915 ns | met |
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if err := os.WriteFile(costPath(o.Dir), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteCost(&b, o); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("a broken file: %v", err)
	}
}

// Figures of several builds are not taken for those of one.
func TestCostBuilds(t *testing.T) {
	f := func(want string, figures ...Figure) {
		t.Helper()
		if got := costBuilds(figures); got != want {
			t.Errorf("%+v: got %q, want %q", figures, got, want)
		}
	}
	f("", Figure{Part: "memory"})
	f("pharos: v1\n\n", Figure{Part: "memory", Build: "v1"}, Figure{Part: "brokers", Build: "v1"})
	f("pharos: v1 (memory, lookups)\n\npharos: v2 (brokers)\n\n",
		Figure{Part: "memory", Build: "v1"}, Figure{Part: "memory", Build: "v1"}, Figure{Part: "brokers", Build: "v2"}, Figure{Part: "lookups", Build: "v1"})
}

func TestCountsSince(t *testing.T) {
	before := counts{`runs{hook="a"}`: 1, `runs_of_others{hook="a"}`: 7}
	after := counts{`runs{hook="a"}`: 5, `runs{hook="b"}`: 10, `runs_of_others{hook="a"}`: 70, `plain`: 3}
	f := func(want float64, name string, words ...string) {
		t.Helper()
		if got := after.since(before, name, words...); got != want {
			t.Errorf("%s %v grew by %v, want %v", name, words, got, want)
		}
	}
	f(14, "runs")
	f(4, "runs", `hook="a"`)
	f(3, "plain")
	f(0, "none")
}

// TestPrivilegedCostOfMemory runs the smallest part against a server: that it answers with its
// metrics in every mode is what the other parts rest on.
func TestPrivilegedCostOfMemory(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	server := buildServer(t)
	o := &Options{Pharos: server, Server: "pharos", Dir: t.TempDir(), Match: regexp.MustCompile("^memory$"), Progress: func(line string) { t.Log(line) }}
	if err := Cost(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	figures, err := readFigures(o.Dir)
	if err != nil || len(figures) != len(costModes) {
		t.Fatalf("%d figures, %v", len(figures), err)
	}
	for _, f := range figures {
		if f.Value < 1 || f.Value > 200 {
			t.Errorf("%s: %v MB", f.What, f.Value)
		}
	}
}

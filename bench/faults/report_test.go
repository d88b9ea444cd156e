package faults

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pharosmq/pharos/bench/results"
)

func TestJudge(t *testing.T) {
	vanish := Target{MedianSeconds: 6, MaxSeconds: 7}
	for _, test := range []struct {
		name string
		row  Row
		want string
	}{
		{"found in time", Row{Runs: 2, Target: vanish, Median: 5, Most: 6.9}, "met"},
		{"one too late", Row{Runs: 2, Target: vanish, Median: 5, Most: 7.5}, "NOT MET"},
		{"mostly late", Row{Runs: 2, Target: vanish, Median: 6.5, Most: 6.9}, "NOT MET"},
		{"one never found", Row{Runs: 2, Target: vanish, Median: 5, Most: NoTarget, Undetected: 1}, "NOT MET"},
		{"a living one removed", Row{Runs: 2, Target: vanish, Median: 5, Most: 6, MissingMost: 0.3}, "NOT MET"},
		{"all failed", Row{Target: vanish}, "not measured"},
		{"living", Row{Runs: 1}, "met"},
		{"living, removed", Row{Runs: 1, MissingMost: 1}, "NOT MET"},
		{"living, allowed for", Row{Runs: 1, MissingMost: 4.9, Target: Target{MissingSeconds: 5}}, "met"},
		{"reported", Row{Runs: 1, MissingMost: 90, Target: Target{MissingSeconds: NoTarget}}, "reported"},
	} {
		if got := test.row.judge(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestUpperBound(t *testing.T) {
	// The exact limits are those of the chi-square distribution: 2.996, 4.744, 16.962.
	for removals, want := range map[int]float64{0: 2.996, 1: 4.744, 10: 16.962} {
		if got := upperBound(removals, 2) * 2; math.Abs(got-want) > 0.02 {
			t.Errorf("%d removals: at most %.3f, want %.3f", removals, got, want)
		}
	}
}

// recorded is a folder with records of runs that succeeded, failed and were disturbed.
func recorded(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := results.Open[*Record](dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, r := range []*Record{
		{Server: "pharos", Mode: EBPF, Case: "kill", Run: 1, Error: "no namespace"},
		{Server: "pharos", Mode: EBPF, Case: "kill", Run: 1, Detected: []float64{0.05}, BrokerSeconds: 36},
		{Server: "pharos", Mode: EBPF, RTTMillis: 50, Case: "kill", Run: 1, Detected: []float64{0.15}, MissingSeconds: 0.3, BrokerSeconds: 36},
		{Server: "java", Mode: Plain, Case: "freeze", Run: 1, MissingSeconds: 4, BrokerSeconds: 36},
		{Server: "pharos", Mode: EBPF, Case: "freeze", Run: 1, BrokerSeconds: 90, FreezeSeconds: 1.5, WatchedSeconds: 45},
		{Server: "pharos", Mode: EBPF, Case: "freeze", Run: 2, BrokerSeconds: 90, WatchedSeconds: 45},
		{Server: "pharos", Mode: EBPF, Case: "kill", Run: 2, Detected: []float64{2.05}, BrokerSeconds: 36},
		{Server: "pharos", Mode: EBPF, Case: "kill", Run: 3, Detected: []float64{9}, Disturbed: "a timer was late"},
		{Server: "pharos", Mode: Sampling, Case: "kill", Run: 1, Error: "no namespace"},
		{Server: "pharos", Build: "b1", Mode: EBPF, Case: "no such case", Run: 1},
	} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStore(t *testing.T) {
	s, err := results.Open[*Record](recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	has := func(mode Mode, rtt time.Duration, run int) bool {
		return s.Has(job{c: &Case{Name: "kill"}, mode: mode, rtt: rtt, run: run}.key("pharos"))
	}
	if !has(EBPF, 0, 1) || !has(EBPF, 0, 2) || !has(EBPF, 50*time.Millisecond, 1) {
		t.Error("runs that succeeded are to be done again")
	}
	if has(Sampling, 0, 1) || has(EBPF, 0, 3) || has(EBPF, 200*time.Millisecond, 1) {
		t.Error("a run that failed, was disturbed, or took another path is not to be done again")
	}
	if err := s.Fits("pharos", "b2"); err == nil {
		t.Error("results of two binaries may be mixed")
	}
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	if err := WriteMarkdown(&out, &Options{Dir: recorded(t)}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pharos: b1",
		"",
		"Path: bare; seconds until the dead are out: median (quartiles) / most; runs.",
		"",
		"| fault | wanted | pharos, ebpf | pharos, sampling |",
		"|---|---|---|---|",
		"| kill | 0.1 / 0.2 | 1.05 / 2.05; 2 + 1 not measured **NOT MET** | -; 0 + 1 not measured |",
		"",
		"Path: bare; seconds that the living were missing: mean / worst run; runs (broker-hours).",
		"",
		"| hardship | wanted | pharos, ebpf | java |",
		"|---|---|---|---|",
		"| freeze | 0 | 0; 2 (0.05 h) | 4.0 / 4.0; 1 (0.01 h) |",
		"",
		"Path: bare; seconds that verdicts waited, of those watched.",
		"",
		"| case | pharos, ebpf |",
		"|---|---|",
		"| freeze | 1.5 of 90 |",
		"",
		"Path: 50 ms; seconds until the dead are out: median (quartiles) / most; runs.",
		"",
		"| fault | wanted | pharos, ebpf |",
		"|---|---|---|",
		"| kill | 0.1 / 0.2 | 0.15 / 0.15; 1; the living missing for 0.3 s **NOT MET** |",
		"",
		"| claim | found | |",
		"|---|---|---|",
		"| deaths are found in time: median and most of every case | 0 of 2, 2 of them by less than 20 runs; not kill (ebpf, bare): 1.05 / 2.05, kill (ebpf, 50 ms): 0.15 / 0.15 | NOT MET |",
	}
	if diff := cmp.Diff(want, strings.Split(out.String(), "\n")[:len(want)]); diff != "" {
		t.Error(diff)
	}
}

func TestReadServerLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	log := "time=2026-11-22T04:25:00.000Z level=WARN msg=\"so many hosts are silent; verdicts wait\" mode=evict\n" +
		"time=2026-11-22T04:25:01.000Z level=INFO msg=\"broker registered\"\n" +
		"time=2026-11-22T04:25:02.500Z level=INFO msg=\"verdicts don't wait any longer\" mode=evict\n" +
		"no log line\n"
	if err := os.WriteFile(path, []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	said, frozen := readServerLog(path)
	if len(said) != 2 || frozen != 2.5 {
		t.Errorf("%d lines, frozen %v s; want 2 lines, 2.5 s:\n%s", len(said), frozen, strings.Join(said, "\n"))
	}
}

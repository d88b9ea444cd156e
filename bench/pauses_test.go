package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Stops are read from what Go and the JVM print, each once.
func TestStopReader(t *testing.T) {
	home := t.TempDir()
	r := newStopReader(home)
	f := func(file, more string, wantCount int, wantMillis float64) {
		t.Helper()
		out, err := os.OpenFile(filepath.Join(home, file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString(more); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		s := r.read()
		if wantCount == 0 {
			if s != nil {
				t.Fatalf("%+v in %q", s, more)
			}
			return
		}
		if s == nil || s.Count != wantCount || s.LongestMillis != wantMillis {
			t.Fatalf("%+v, want %d and %v", s, wantCount, wantMillis)
		}
	}
	if r.read() != nil {
		t.Error("stops without a log")
	}
	f("output", "listening\n", 0, 0)
	f("output", "gc 6 @0.615s 0%: 0.43+3.6+0.005 ms clock, 0.43+0/0.83/0.77+0.005 ms cpu, 76->77->77 MB, 80 MB goal, 0 MB stacks, 0 MB globals, 2 P\n", 2, 0.43)
	f("output", "gc 7 @1.634s 0%: 0.35+2.3+1.5 ms clock, 0.35+0/1.4/1.5+0.014 ms cpu, 151->151->136 MB\n", 4, 1.5)
	f("output", "", 4, 1.5)
	f("gc.log", "[2026-11-22T05:00:00.000+0000][gc       ] GC(3) Pause Young (Normal) (G1 Evacuation Pause) 204M->9M(4096M) 12.345ms\n", 5, 12.345)
	r.rested(time.Millisecond) // a rest too short to be told from a stop
	r.rested(20 * time.Second)
	f("output", "gc 8 @31.634s 0%: 0.35+2.3+20000 ms clock, 0.35+0/1.4/1.5+0.014 ms cpu, 151->151->136 MB\n", 6, 12.345)
	f("output", "gc 9 @52.634s 0%: 0.35+2.3+25000 ms clock, 0.35+0/1.4/1.5+0.014 ms cpu, 151->151->136 MB\n", 8, 25000)
}

// Benchmarks' numbers become a record whose samples are the repetitions.
func TestReadMicro(t *testing.T) {
	path := filepath.Join(t.TempDir(), microFile)
	if r, err := readMicro(path); r != nil || err != nil {
		t.Fatalf("%v, %v without a file", r, err)
	}
	text := "goos: linux\nBenchmarkDispatchLoops \t 100\t 300.0 ns/op\t 0 B/op\t 0 allocs/op\nBenchmarkDispatchLoops-2 \t 100\t 160 ns/op\t 0 B/op\t 0 allocs/op\n" +
		"BenchmarkDispatchLoops \t 100\t 310 ns/op\t 0 B/op\t 0 allocs/op\nPASS\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := readMicro(path)
	if err != nil || len(r.Samples) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	c := &Comparison{records: map[string]map[string]*Record{}}
	c.keep(r)
	if v := verdict(t, c, "dispatch without sockets"); !v.Known || !v.Met || v.Value.Median != 300.0/160 {
		t.Errorf("%+v", v)
	}
	if v := verdict(t, c, "allocations of a 106"); v.Known {
		t.Errorf("%+v", v)
	}
}

// What a number has above another is divided, in each round.
func TestVerdictOfADifference(t *testing.T) {
	c := &Comparison{records: map[string]map[string]*Record{}}
	for scenario, rss := range map[string]int64{"idle connections": 60e6, "small, quiet": 24e6} {
		c.keep(&Record{Scenario: scenario, Server: "pharos", Samples: []Sample{{Window: &Window{Seconds: 1, Server: &ProcessUse{RSSBytes: rss}}}}})
	}
	if v := verdict(t, c, "memory of an idle connection"); !v.Known || !v.Met || v.Value.Median != 2 {
		t.Errorf("36 MB for 18,000 connections: %+v", v)
	}
}

package faults

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestClaims(t *testing.T) {
	rows := []Row{
		{Server: "pharos", Mode: EBPF, Case: "loss-0", Runs: 1, BrokerHours: 10, WatchedSeconds: 1800, FreezeSeconds: 30},
		{Server: "pharos", Mode: EBPF, Case: "loss-5", Runs: 1, BrokerHours: 5},
		{Server: "pharos", Mode: EBPF, Case: "loss-20", Runs: 1, BrokerHours: 10, Removals: 9, MissingSeconds: 90, MissingMost: 90},
		{Server: "java", Mode: Plain, Case: "loss-0", Runs: 1, BrokerHours: 10, Removals: 5, MissingSeconds: 50},
		{Server: "pharos", Mode: Sampling, Case: "outage-4", Runs: 3, BrokerHours: 1, Removals: 1, MissingSeconds: 2},
		{Server: "pharos", Mode: EBPF, Case: "outage-12", Runs: 3, MissingMost: 7.5, Met: "met"},
		{Server: "pharos", Mode: EBPF, Case: "lost-nat-entry", Runs: 3, MissingMost: 9, Met: "NOT MET"},
		{Server: "pharos", Mode: EBPF, Case: "reboot"},
		{Server: "pharos", Mode: EBPF, Case: "kill", Runs: 20, Target: Target{0.1, 0.2, 0}, Met: "met", Detected: []float64{0.05}, Median: 0.05},
		{Server: "pharos", Mode: Sampling, Case: "kill", Runs: 20, Target: Target{1.1, 1.2, 0}, Met: "met", Detected: []float64{0.25}, Median: 0.25},
		{Server: "pharos", Mode: Sampling, RTTMillis: 50, Case: "kill", Runs: 20, Target: Target{1.1, 1.2, 0}, Met: "met", Detected: []float64{9}, Median: 9},
		{Server: "pharos", Mode: EBPF, Case: "vanish-in-flight-loss-10", Runs: 2, Target: Target{NoTarget, NoTarget, 0}, Detected: []float64{4, 4}, Median: 4},
		{Server: "pharos", Mode: Sampling, Case: "vanish-in-flight-loss-10", Runs: 2, Target: Target{NoTarget, NoTarget, 0}, Detected: []float64{9, 9}, Median: 9},
	}
	for _, want := range []Claim{
		{"deaths are found in time: median and most of every case", "3 of 3", "met"},
		{"without BPF the median is at most 1 s later", "1 pairs, at most 0.20 s (kill, bare)", "met"},
		{"no living broker is missing at 0, 1 and 5 % loss", "0.0 s missing, 0 removals in 15.0 broker-hours (95 %: less than 0.20 an hour)", "met"},
		{"nor in an outage of up to 4 s", "2.0 s missing, 1 removals in 1.0 broker-hours (95 %: less than 4.73 an hour)", "NOT MET"},
		{"a longer outage costs no more than itself", "at most 7.5 s (outage-12)", "met"},
		{"a lost NAT entry costs at most 5 s", "at most 9.0 s (lost-nat-entry)", "NOT MET"},
		{"a reboot costs nothing once the broker has registered again", "", "not measured"},
		{"no standing freeze: verdicts wait for at most 1 % of the time at 0, 1 and 5 % loss", "30.0 s of 1800 s", "NOT MET"},
	} {
		found := false
		for _, got := range Claims(rows) {
			if got.Text != want.Text {
				continue
			}
			found = true
			if got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		}
		if !found {
			t.Errorf("no claim %q", want.Text)
		}
	}
}

func TestClaimsAreOfCases(t *testing.T) {
	for _, c := range claims() {
		any := false
		for _, of := range allCases() {
			any = any || c.cases.MatchString(of.Name)
		}
		if !any {
			t.Errorf("%q is of no case", c.text)
		}
	}
}

func TestTargets(t *testing.T) {
	promised := Target{MedianSeconds: 5, MaxSeconds: 6}
	for mode, want := range map[Mode]Target{
		EBPF:     promised,
		Sampling: {MedianSeconds: 6, MaxSeconds: 7},
		Plain:    {MedianSeconds: NoTarget, MaxSeconds: NoTarget, MissingSeconds: NoTarget},
	} {
		if got := promised.in(mode); got != want {
			t.Errorf("%s: %+v, want %+v", mode, got, want)
		}
	}
	if got := (Target{MedianSeconds: NoTarget, MaxSeconds: 15}).in(Sampling); got != (Target{MedianSeconds: NoTarget, MaxSeconds: 16}) {
		t.Errorf("%+v", got)
	}
}

func TestQuantiles(t *testing.T) {
	values := []float64{1, 2, 3, 4}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
}

func TestPictures(t *testing.T) {
	dir := t.TempDir()
	rows := []Row{
		{Server: "pharos", Mode: EBPF, Case: "kill", Detected: []float64{0, 0.1}, Quartiles: [2]float64{0.02, 0.08}, Median: 0.05},
		{Server: "java", Mode: Plain, Case: "kill", Detected: []float64{110}, Quartiles: [2]float64{110, 110}, Median: 110},
		{Server: "pharos", Mode: EBPF, RTTMillis: 50, Case: "kill", Detected: []float64{0.2}, Quartiles: [2]float64{0.2, 0.2}, Median: 0.2},
		{Server: "pharos", Mode: EBPF, Case: "outage-8", Runs: 2, MissingSeconds: 6},
		{Server: "pharos", Mode: EBPF, Case: "outage-12", Runs: 2, MissingSeconds: 12},
	}
	if err := drawAll(dir, rows); err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string][]string{
		"detection.svg": {"kill", "pharos, ebpf", "java"}, "detection-50ms.svg": {"kill"}, "outages.svg": {"the outage itself", "pharos, ebpf"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		for _, part := range parts {
			if !bytes.Contains(text, []byte(part)) {
				t.Errorf("%s does not show %q", name, part)
			}
		}
	}
}

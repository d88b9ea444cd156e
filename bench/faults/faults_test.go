package faults

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain makes this test the fake brokers that its runs start, as nsbench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "fake-broker" {
		o := BrokerOptions{}
		for i := 2; i+1 < len(os.Args); i += 2 {
			switch os.Args[i] {
			case "-name":
				o.Name = os.Args[i+1]
			case "-listen":
				o.Listen = os.Args[i+1]
			case "-servers":
				o.Servers = strings.Split(os.Args[i+1], ";")
			}
		}
		if err := RunBroker(context.Background(), o, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestPrivilegedFaults runs a death and a hiccup, and both with Java's rules alone, which have
// to look worse: an instrument that sees no difference measures nothing.
func TestPrivilegedFaults(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	server := buildServer(t)
	for _, part := range []struct {
		cases string
		modes []Mode
		rtts  []time.Duration
	}{
		{"^vanish-idle$", []Mode{Sampling}, []time.Duration{0}},
		{"^vanish-idle$", []Mode{EBPF}, []time.Duration{50 * time.Millisecond}},
		{"^outage-6$", []Mode{Sampling, Off}, []time.Duration{0}},
	} {
		t.Run(fmt.Sprint(part.cases, part.modes), func(t *testing.T) {
			t.Parallel()
			o := &Options{
				Pharos: server, Server: "pharos", Dir: t.TempDir(), Match: regexp.MustCompile(part.cases), Modes: part.modes,
				RTTs: part.rtts, Runs: 1, RunsLiving: 1, Parallel: 2, Short: true, Seed: 1, Lateness: 5 * time.Second,
				Progress: func(line string) { t.Log(line) },
			}
			if err := Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			rows, err := Rows(o)
			if err != nil {
				t.Fatal(err)
			}
			check(t, rows, len(part.modes))
		})
	}
}

func check(t *testing.T, rows []Row, want int) {
	missing := map[Mode]float64{}
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Runs != 1:
			t.Errorf("%s %s could not be measured", r.Mode, r.Case)
		case r.Case == "vanish-idle" && (r.Undetected > 0 || r.Most < 1 || r.Most > 16):
			t.Errorf("the vanished broker was found after %v s (%d never)", r.Most, r.Undetected)
		case r.Case == "outage-6":
			missing[r.Mode] = r.MissingSeconds
		}
	}
	if len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	if off, ok := missing[Off]; ok && (off < 2 || missing[Sampling] > off) {
		t.Errorf("missing after an outage: %v; without connection health it is many seconds", missing)
	}
}

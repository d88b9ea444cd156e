package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFaultsCommandLine(t *testing.T) {
	f := func(code int, want string, args ...string) {
		t.Helper()
		got, stdout, stderr := runCommand(t, append([]string{"faults"}, args...)...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Errorf("nsbench faults %v: exit code %d, want %d; it said %q, want %q in it", args, got, code, stdout+stderr, want)
		}
	}
	f(exitOK, "vanish-idle", "-list")
	f(exitOK, "stopped-130", "-list")
	f(exitOK, "1,000 registered brokers", "-list", "-cost")
	f(exitError, "no costs were measured", "-cost", "-report", "-out", t.TempDir())
	f(exitUsage, "none of ebpf", "-modes", "fast")
	f(exitUsage, "no time in ms", "-rtts", "0,-1")
	f(exitUsage, "above 0", "-parallel", "0")
	f(exitUsage, "-run", "-run", "(")
}

// A folder with results of before is reported without measuring: tables, JSON and pictures.
func TestFaultsReport(t *testing.T) {
	dir := t.TempDir()
	record := `{"Server":"pharos","Mode":"ebpf","Case":"vanish-idle","Run":1,"Detected":[4.7],"BrokerSeconds":60}`
	if err := os.WriteFile(filepath.Join(dir, "results.jsonl"), []byte(record+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"| vanish-idle | 6 / 7 | 4.70 / 4.70; 1 |": {},
		`"Median": 4.7`: {"-json"},
	} {
		code, stdout, stderr := runCommand(t, append([]string{"faults", "-report", "-out", dir}, args...)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%v: exit code %d, want %q in\n%s%s", args, code, want, stdout, stderr)
		}
	}
	for _, file := range []string{"report.md", "report.json", "detection.svg"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

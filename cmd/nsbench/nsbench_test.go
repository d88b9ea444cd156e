package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be the yardstick that nsbench compare starts: itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "limit" {
		main()
	}
	os.Exit(m.Run())
}

func runCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), env{args, func(string) string { return "" }, &out, &errs})
	return code, out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	f := func(code int, want string, args ...string) {
		t.Helper()
		got, stdout, stderr := runCommand(t, args...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Errorf("nsbench %v: exit code %d, want %d; it said %q, want %q in it", args, got, code, stdout+stderr, want)
		}
	}
	f(exitUsage, "usage: nsbench COMMAND")
	f(exitOK, "load", "-h")
	f(exitOK, "-depth", "load", "-h")
	f(exitUsage, `no command "lod"`, "lod")
	f(exitUsage, "takes flags only", "load", "now")
	f(exitUsage, "not defined", "load", "-speed", "9")
	f(exitError, "connection refused", "load", "-quiet", "-to", "127.0.0.1:1")
	f(exitError, "between 2 and", "load", "-quiet", "-topics", "1")
	f(exitOK, "-renew", "fill", "-h")
	f(exitError, "connection refused", "fill", "-to", "127.0.0.1:1")
	f(exitError, "Zipf", "load", "-quiet", "-zipf", "0.3")
}

// nsbench scaling says what a folder lacks; what it does not know it does not write.
func TestScalingLacks(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("as it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runCommand(t, "scaling", "-out", t.TempDir(), "-page", page)
	if code != exitError || stdout != "" || !strings.Contains(stderr, `pharos was not measured in "mass restart"`) {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != "as it was" {
		t.Errorf("%q, %v", text, err)
	}
}

// nsbench build names a binary, and says whether a file of benchmarks is of it.
func TestBuild(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "-pharos", self, "-commit", "0123456789ab"}
	code, stdout, stderr := runCommand(t, args...)
	if code != exitOK || !strings.HasPrefix(stdout, "build: ") || !strings.Contains(stdout, "(sha256:") {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	kept := filepath.Join(t.TempDir(), "micro.txt")
	if code, _, stderr := runCommand(t, append(args, "-kept", kept)...); code != exitError || !strings.Contains(stderr, "no results of this build") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	if err := os.WriteFile(kept, []byte(stdout), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, more, stderr := runCommand(t, append(args, "-kept", kept)...); code != exitOK || more+stderr != "" {
		t.Errorf("exit code %d, %q, %q", code, more, stderr)
	}
	if code, _, stderr := runCommand(t, "build", "-pharos", kept); code != exitError {
		t.Errorf("of no binary: exit code %d, %q", code, stderr)
	}
}

// A comparison of servers that are there and one that is not: reports, pictures, and a second
// run that measures nothing again.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	args := []string{"compare", "-out", dir, "-server", "limit", "-server", "limit-epoll", "-server", "gone=/nowhere/server",
		"-only", "^small, depth 1(, 70 %)?$|^start", "-pairs", "2", "-window", "200ms", "-warmup", "50ms", "-idle-max", "100ms", "-server-core", "-1", "-load-core", "-1"}
	code, _, stderr := runCommand(t, append(args, "-budget", "1ns")...)
	if code != exitOK || !strings.Contains(stderr, "3 scenarios to do, about") || !strings.Contains(stderr, "used up with 3 scenarios") {
		t.Errorf("without time: exit code %d\n%s", code, stderr)
	}
	code, stdout, stderr := runCommand(t, args...)
	if code != exitOK || !strings.Contains(stdout, "report.md") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| limit | ", "| limit-epoll | ", "no such file", "throughput.svg", ">= 0.7", "## small, depth 1, 70 %", "server ns/request", "stop ms"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	for _, file := range []string{"report.json", "throughput.svg", "memory.svg"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "report.md")); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = runCommand(t, "compare", "-report", "-full", "-out", dir, "-server", "limit")
	if report, err = os.ReadFile(filepath.Join(dir, "report.md")); err != nil || code != exitOK || !strings.Contains(string(report), "## small, depth 1, 70 %") {
		t.Errorf("a report of what is there: exit code %d, %v\n%s%s", code, err, stderr, report)
	}
	code, _, stderr = runCommand(t, args...)
	if code != exitOK || strings.Count(stderr, "measured before") != 2 {
		t.Errorf("the second run: exit code %d\n%s", code, stderr)
	}
}

// A rate that is a share of what was not measured yet is no result: it is measured when that is.
func TestCompareWithoutItsRate(t *testing.T) {
	dir := t.TempDir()
	code, _, stderr := runCommand(t, "compare", "-out", dir, "-server", "limit", "-only", "^small, depth 1, 70 %$", "-pairs", "1", "-server-core", "-1", "-load-core", "-1")
	if code != exitOK || !strings.Contains(stderr, `reach in "small, depth 1", which was not measured`) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if kept, err := filepath.Glob(filepath.Join(dir, "records", "*")); err != nil || len(kept) > 0 {
		t.Errorf("%v, %v", kept, err)
	}
}

func TestCompareCommandLine(t *testing.T) {
	f := func(code int, want string, args ...string) {
		t.Helper()
		got, stdout, stderr := runCommand(t, append([]string{"compare"}, args...)...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Errorf("nsbench compare %v: exit code %d, want %d; it said %q, want %q in it", args, got, code, stdout+stderr, want)
		}
	}
	f(exitOK, "mass restart", "-list")
	f(exitOK, "report.md", "-report", "-server", "limit", "-out", filepath.Join(t.TempDir(), "new"))
	f(exitUsage, "above 0", "-pairs", "0")
	f(exitUsage, "-only", "-only", "(")
}

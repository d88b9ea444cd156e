package main

import (
	"strings"
	"testing"
)

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
	f(exitError, "Zipf", "load", "-quiet", "-zipf", "0.3")
}

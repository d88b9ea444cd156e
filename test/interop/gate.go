package interop

import (
	"fmt"
	"os"
	"testing"
)

// Environment switches. The Makefile sets the first two.
const (
	envInterop = "PHAROS_INTEROP"         // run the tests of this package at all
	envFull    = "PHAROS_INTEROP_FULL"    // run the long tier too
	envSubject = "PHAROS_INTEROP_SUBJECT" // "pharos" (default) or "java": the name server under test
)

// Require ends the test early unless the interop tests were asked for.
func Require(tb testing.TB) {
	tb.Helper()
	if os.Getenv(envInterop) == "" {
		tb.Skipf("NOT RUN: needs a JDK, Maven and minutes; run it with `make interop` (%s=1)", envInterop)
	}
	reportTest(tb)
}

// RequireFull ends the test early unless the long tier was asked for.
func RequireFull(tb testing.TB) {
	tb.Helper()
	if os.Getenv(envInterop) != "" && !Full() {
		tb.Skipf("NOT RUN: part of the long tier; run it with `make interop-full` (%s=1)", envFull)
	}
	Require(tb)
}

// Full says whether the long tier was asked for.
func Full() bool { return os.Getenv(envFull) != "" }

// Progress prints a line at once, in front of the lines that testing holds back, so that
// whoever watches `make interop` sees where it is.
func Progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "interop: "+format+"\n", args...)
}

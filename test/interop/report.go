package interop

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// report collects what the long tier found, for build/interop/report.md.
var report struct {
	sync.Mutex
	tests []reportedTest
	notes map[string][]string // by test
}

type reportedTest struct {
	name, verdict string
	took          time.Duration
}

// reportTest puts a test and how it ends into the report.
func reportTest(tb testing.TB) {
	tb.Helper()
	begin := time.Now()
	tb.Cleanup(func() {
		verdict := "pass"
		if tb.Failed() {
			verdict = "**FAIL**"
		}
		report.Lock()
		defer report.Unlock()
		report.tests = append(report.tests, reportedTest{tb.Name(), verdict, time.Since(begin)})
	})
}

// sub is t.Run for a subtest that deserves a line in the report.
func sub(t *testing.T, name string, f func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		reportTest(t)
		f(t)
	})
}

// note says something a reader of the report wants to know, such as a measurement; it is
// shown at once, too.
func note(tb testing.TB, format string, args ...any) {
	tb.Helper()
	text := fmt.Sprintf(format, args...)
	Progress("%s: %s", tb.Name(), text)
	report.Lock()
	defer report.Unlock()
	if report.notes == nil {
		report.notes = map[string][]string{}
	}
	report.notes[tb.Name()] = append(report.notes[tb.Name()], text)
}

// writeReport writes build/interop/report.md and returns its path.
func writeReport(subject string) (string, error) {
	report.Lock()
	defer report.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "# Interoperability report\n\n%s, name server under test: %s, commit %s\n\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), subject, firstLine("git", "-C", repoRoot(), "describe", "--always", "--dirty"))
	fmt.Fprintf(&b, "%s, %s, %d CPUs, kernel %s\n\n", firstLine("java", "-version"), runtime.Version(),
		runtime.NumCPU(), firstLine("uname", "-r"))
	fmt.Fprintf(&b, "Brokers %s, %s, %s; Java clients %s, %s, %s; Go client v2.1.2; proxy and mqadmin %s; gRPC client 5.0.7.\n\n",
		V550, V533, V497, V550, V498, V480, V550)
	slices.SortFunc(report.tests, func(a, b reportedTest) int { return strings.Compare(a.name, b.name) })
	b.WriteString("| test | result | seconds |\n|---|---|---|\n")
	for _, t := range report.tests {
		fmt.Fprintf(&b, "| %s | %s | %.1f |\n", t.name, t.verdict, t.took.Seconds())
	}
	for _, name := range slices.Sorted(maps.Keys(report.notes)) {
		fmt.Fprintf(&b, "\n## %s\n\n- %s\n", name, strings.Join(report.notes[name], "\n- "))
	}
	path := buildDir("report.md")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(b.String()), 0o644)
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return name + " unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

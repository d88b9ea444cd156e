package differential

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/test/interop"
)

// TestDifferential plays seeded random histories against the Java name server and Pharos
// and compares every reply.
func TestDifferential(t *testing.T) {
	interop.Require(t)
	plan, err := PlanFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	a := newArena(t, plan)
	begin := time.Now()
	failed := 0
	for i := range plan.Seeds {
		seed := plan.First + uint64(i)
		h, failure, err := a.play(seed, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if failure != nil {
			failed++
			t.Errorf("%s", a.report(h, failure))
			if failed == 5 {
				t.Fatalf("stopped after %d failing seeds of %d played", failed, i+1)
			}
		}
		if (i+1)%10 == 0 || i+1 == plan.Seeds {
			progress("%d of %d seeds, %d steps, %d replies compared, %.0f s", i+1, plan.Seeds, a.stats.Steps, a.stats.Replies, time.Since(begin).Seconds())
		}
	}
	summary := fmt.Sprintf("%s against %s: %s", plan.Pair[0], plan.Pair[1], a.stats)
	t.Log(summary)
	if interop.Full() {
		writeReport(t, fmt.Sprintf("# Differential test\n\nFailing histories: %d. It took %.0f s.\n\n```\n%s\n```\n\n"+
			"The exceptions are explained in docs/compatibility.md.\n", failed, time.Since(begin).Seconds(), summary))
	}
}

// writeReport puts the result of the long form beside the other interop reports.
func writeReport(t *testing.T, text string) {
	t.Helper()
	dir, err := buildDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "differential.md")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	progress("report: %s", path)
}

// TestOddities sends everything odd the generator knows, in order.
func TestOddities(t *testing.T) {
	interop.Require(t)
	plan, err := PlanFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	a := newArena(t, plan)
	a.generate = Oddities
	for seed := range uint64(12) {
		h, failure, err := a.play(seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		if failure != nil {
			t.Errorf("%s", a.report(h, failure))
		}
	}
	t.Logf("%s against %s: %s", plan.Pair[0], plan.Pair[1], a.stats)
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "differential: "+format+"\n", args...)
}

// TestHistoryIsReproducible: the same seed draws the same frames, and another salt only
// changes names.
func TestHistoryIsReproducible(t *testing.T) {
	for seed := range uint64(20) {
		a, b, c := Generate(seed, 1, 200), Generate(seed, 1, 200), Generate(seed, 2, 200)
		for i := range a.Steps {
			if !sameFrames(&a.Steps[i], &b.Steps[i]) {
				t.Fatalf("seed %d, step %d differs from itself: %s", seed, i, a.Steps[i].String())
			}
			rename := strings.NewReplacer(a.world.prefix, c.world.prefix)
			if x, y := rename.Replace(a.Steps[i].String()), c.Steps[i].String(); x != y {
				t.Fatalf("seed %d, step %d under another salt:\n%s\n%s", seed, i, x, y)
			}
		}
	}
}

func sameFrames(a, b *Step) bool {
	if a.Conn != b.Conn || a.Close != b.Close || len(a.Requests) != len(b.Requests) {
		return false
	}
	for i := range a.Requests {
		if string(a.Requests[i].Frame) != string(b.Requests[i].Frame) {
			return false
		}
	}
	return true
}

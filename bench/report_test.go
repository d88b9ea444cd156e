package bench

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A row of the targets says what has to be measured for it, rates included.
func TestScenariosOfACheck(t *testing.T) {
	f := func(row string, want ...string) {
		t.Helper()
		for _, check := range checks() {
			if strings.Contains(check.Row, row) {
				if diff := cmp.Diff(want, check.scenarios()); diff != "" {
					t.Errorf("%s: %s", check.Row, diff)
				}
				if table := verdictTable([]Verdict{{Check: check, Reason: "no"}}).String(); !strings.Contains(table, strings.Join(want, "; ")) {
					t.Errorf("the table does not name them:\n%s", table)
				}
				return
			}
		}
		t.Errorf("no check %q", row)
	}
	f("depth 1: processor time a request", small1, small1+", 70 %")
	f("P99 at 80 % of the capacity of rust-tuned", small1, "small, 80 % of rust-tuned")
	f("memory of an idle connection", "idle connections", "small, quiet")
	f("allocations of a 106", microScenario)
}

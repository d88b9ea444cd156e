package routetable

import (
	"flag"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// modelShares are events, and how many of each there must be in 10,000 steps, a third of
// what is usual: or the histories have gone blind for what they are to find.
var modelShares = map[string]int{
	// registrations
	"registered": 800, "refused": 100, "ignored": 10, "other holder": 60, "parked holder": 35, "held holder": 6,
	"role switch": 35, "cluster change": 20, "prime slave": 70, "slave told its master": 100, "registration that deletes": 150,
	// by their digest
	"short cut": 300, "short repetition": 110, "short at once": 50, "short part": 90,
	// ends
	"unregistered": 250, "closed": 90, "void close": 300, "expired": 12, "void expiry": 4, "removed": 400, "close": 12,
	// other operations
	"heartbeat": 20, "rebound": 10, "held": 20, "parked": 80, "live": 20, "notify": 50,
	"permissions": 90, "topic deleted": 120, "topic registered": 60,
	// routes
	"acting master shown": 2000, "group masked": 150, "group hidden": 700, "static topic shown": 1000,
	"filter servers shown": 4000, "zone shown": 4000,
}

// modelStepsMin is how many steps are enough to judge.
const modelStepsMin = 10_000

// TestModel runs random histories on a table and on the model, and compares after each
// step everything that can be seen. Failures are shrunk and can be repeated with
// -rapid.seed; -rapid.checks and -rapid.steps make it longer.
func TestModel(t *testing.T) {
	setRapidDefault(t, "rapid.checks", modelChecks)
	setRapidDefault(t, "rapid.nofailfile", "true")
	seen := make(seenBodies)
	tally := modelTally{events: make(map[string]int)}
	rapid.Check(t, func(rt *rapid.T) {
		newModelHistory(rt, seen, &tally).play(rt)
	})
	t.Logf("%d steps: %v", tally.steps, tally.events)
	if tally.steps >= modelStepsMin {
		tally.judge(t)
	}
}

func must(rt *rapid.T, err error) {
	if err != nil {
		rt.Fatal(err)
	}
}

// setRapidDefault sets a flag of rapid unless the caller has.
func setRapidDefault(t *testing.T, name, value string) {
	t.Helper()
	if !givenFlags()[name] {
		setRapid(t, name, value)
	}
}

// givenFlags returns the flags that the caller has set. It must be asked before the first
// is set here.
var givenFlags = sync.OnceValue(func() map[string]bool {
	given := make(map[string]bool)
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
})

// setRapid sets a flag of rapid for this test.
func setRapid(t *testing.T, name, value string) {
	t.Helper()
	old := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, old) })
}

// modelTally counts over all histories what happened in them: a test whose histories
// avoid what it is about must not pass.
type modelTally struct {
	steps  int
	events map[string]int
}

func (t *modelTally) count(event string) { t.events[event]++ }

func (t *modelTally) countIf(cond bool, event string) {
	if cond {
		t.events[event]++
	}
}

func (t *modelTally) judge(tb testing.TB) {
	for event, least := range modelShares {
		if n := t.events[event]; n*10_000 < least*t.steps {
			tb.Errorf("%q happened %d times in %d steps, less than %d in 10,000", event, n, t.steps, least)
		}
	}
	t.judgeShare(tb, "short cut", "registration", 10)
	t.judgeShare(tb, "short repetition", "repetition", 15)
}

// judgeShare demands that so many of a hundred events are of the first kind.
func (t *modelTally) judgeShare(tb testing.TB, event, of string, percent int) {
	if n, all := t.events[event], t.events[of]; n*100 < all*percent {
		tb.Errorf("%d of %d events %q were %q, less than %d %%", n, all, of, event, percent)
	}
}

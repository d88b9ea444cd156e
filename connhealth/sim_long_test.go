package connhealth_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// brokerHoursEnv makes the long form of the simulation: so many broker-hours, 10000 say.
const brokerHoursEnv = "PHAROS_SIM_BROKER_HOURS"

// brokerSeedEnv shifts the seeds of the long form, to add hours to those of another run.
const brokerSeedEnv = "PHAROS_SIM_SEED"

// long says whether the long form was asked for: of the other simulations too.
func long() bool { return os.Getenv(brokerHoursEnv) != "" }

func brokerHours(t *testing.T) float64 {
	t.Helper()
	s := os.Getenv(brokerHoursEnv)
	if s == "" {
		return 60
	}
	h, err := strconv.ParseFloat(s, 64)
	if err != nil || h <= 0 {
		t.Fatalf("%s=%q: want a number of hours", brokerHoursEnv, s)
	}
	return h
}

// condition is what all paths of a long run are like.
type condition struct {
	name  string
	loss  float64
	share float64 // of all hours
	// promised: no broker that lives is missing, and the dead are found within bound seconds.
	promised bool
	bound    float64
}

// tally is what came of one condition.
type tally struct {
	hours    float64
	missing  float64 // broker-seconds
	hidden   int     // broker was hidden though it lived
	found    []float64
	notFound int
	freeze   int64
}

// TestLongRuns: hours of peers at random loss, of which nobody may be missing, and a death at
// the end of each run, which must be found in time. With PHAROS_SIM_BROKER_HOURS=10000 it
// takes minutes.
func TestLongRuns(t *testing.T) {
	conditions := []condition{
		{"no loss", 0, 0.2, true, 7},
		{"1 % loss", 0.01, 0.3, true, 8},
		{"5 % loss", 0.05, 0.3, true, 15},
		{"10 % loss", 0.1, 0.1, false, 20},
		{"20 % loss", 0.2, 0.1, false, 30},
	}
	total := brokerHours(t)
	var table strings.Builder
	started := time.Now()
	shift, _ := strconv.ParseUint(os.Getenv(brokerSeedEnv), 10, 32)
	for i, c := range conditions {
		r := runLong(t, &c, total*c.share, uint64(i+1)*1_000_003+shift*100_000_007, started)
		slices.Sort(r.found)
		bound := "-"
		if r.hidden == 0 {
			// No event in so many hours: 95 % confidence that there are fewer than three.
			bound = fmt.Sprintf("%.2g per 1,000 broker-hours", 3/r.hours*1000)
		}
		fmt.Fprintf(&table, "%-10s %8.0f broker-hours: hidden alive %d times, %.1f s missing (95 %% bound %s); deaths %d, found in median %.2f max %.2f s; freeze %.1f s\n",
			c.name, r.hours, r.hidden, r.missing, bound, len(r.found)+r.notFound, at(r.found, 0.5), at(r.found, 1), float64(r.freeze)/1000)
		if r.notFound > 0 {
			t.Errorf("%s: %d dead brokers not found", c.name, r.notFound)
		}
		if c.promised && (r.hidden > 0 || r.missing > 0) {
			t.Errorf("%s: living brokers were hidden %d times, for %.1f s", c.name, r.hidden, r.missing)
		}
		if most := at(r.found, 1); most > c.bound {
			t.Errorf("%s: a dead broker was found after %.1f s, want %.1f", c.name, most, c.bound)
		}
	}
	t.Log("\n" + table.String())
}

func runLong(t *testing.T, c *condition, hours float64, seed uint64, started time.Time) tally {
	const brokers, length = 20, 3600 * sec
	var r tally
	told := time.Now()
	for r.hours < hours {
		seed++
		o := worldOptions{seed: seed, brokers: brokers, clients: 3, loss: c.loss, events: seed%2 == 0, servers: 1 + 2*int(seed/2%2), noDial: seed/4%4 == 3}
		o.rtt = []int64{200, 50 * ms, 10 * ms}[seed%3]
		w := newWorld(o)
		w.run(length)
		r.hours += brokers * float64(length) / float64(3600*sec)
		r.missing += w.missing()
		for _, b := range w.brokers {
			r.hidden += b.hiddenTimes
		}
		if m := w.missing(); m > 0 && c.promised {
			t.Errorf("%s, seed %d (%+v): %.1f s missing", c.name, seed, o, m)
		}
		f := w.det.Stats().FreezeMillis
		r.freeze += f[1] + f[2] + f[3]
		// Somebody who is shown dies, alone, without a word.
		b := w.brokers[int(seed)%brokers]
		if !b.visible() {
			continue
		}
		b.vanish()
		w.run(40 * sec)
		if b.account(); b.detected < 0 {
			r.notFound++
		} else {
			r.found = append(r.found, float64(b.detected)/float64(sec))
		}
		if time.Since(told) > 20*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%s: %.0f of %.0f broker-hours, %v\n", c.name, r.hours, hours, time.Since(started).Round(time.Second))
		}
	}
	return r
}

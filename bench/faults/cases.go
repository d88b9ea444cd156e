package faults

import (
	"context"
	"time"
)

// Case is a fault, or a hardship that is none, and what is wanted of a name server in it.
type Case struct {
	Name         string
	Help         string
	Brokers      int
	OtherServers int // further name servers that the brokers know
	Topics       int // besides three
	Colocated    bool
	// Background are rules on every broker's path from the start on.
	Background func(w *world, i int) []string
	Play       func(ctx context.Context, w *world) error
	Target     Target
	Kind       Kind
	FullOnly   bool // too long for the short form
}

// Kind is how often a case is run and how long it takes.
type Kind int

// The kinds of cases.
const (
	Death    Kind = iota // somebody dies: a figure by chance, so many runs
	Hardship             // all live through something: some runs
	Watch                // all live for long: one run
)

// Target is what is wanted. A zero detection means none is wanted, NoTarget that it is only
// reported.
type Target struct {
	MedianSeconds, MaxSeconds float64 // of detection
	MissingSeconds            float64 // of living brokers, in one run
}

// NoTarget marks a figure that is reported and not judged.
const NoTarget = -1

const (
	detectPatience      = 30 * time.Second
	detectPatiencePlain = 130 * time.Second // the 120 s rule and its scan
	// afterwards is how long a dead broker is watched after it was found: it must not return.
	afterwards = 6 * time.Second
	// untilRegistered is until each broker has registered again, which ends all mistakes.
	untilRegistered = 33 * time.Second
)

// allCases are the cases in the order of reports.
func allCases() []Case {
	var all []Case
	all = append(all, deadCases()...)
	all = append(all, odderCases()...)
	return append(all, livingCases()...)
}

// find waits until the dead are out of the route, and sees that they stay out. What kills them is
// done.
func (w *world) find(ctx context.Context) error {
	w.struck(time.Now())
	patience := detectPatience
	if w.mode == Plain || w.mode == Off {
		patience = detectPatiencePlain
	}
	w.observer.awaitFound(ctx, patience) // if not, the record tells
	w.sleep(ctx, afterwards)
	return ctx.Err()
}

// watch lets time pass.
func (w *world) watch(ctx context.Context, d time.Duration) error {
	w.sleep(ctx, d)
	return ctx.Err()
}

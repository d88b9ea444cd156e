package differential

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// arena keeps a pair of servers running and plays histories on them.
type arena struct {
	plan      Plan
	dir       string
	launchers [2]*launcher
	servers   [2]*Server
	played    int // on the present pair
	salt      int
	generate  func(seed uint64, salt int) *History
	ears      *ears
	stats     *Stats
}

func newArena(tb testing.TB, plan Plan) *arena {
	tb.Helper()
	dir, err := os.MkdirTemp("", "pharos-differential-")
	if err != nil {
		tb.Fatal(err)
	}
	a := &arena{plan: plan, dir: dir, stats: NewStats()}
	a.generate = func(seed uint64, salt int) *History { return Generate(seed, salt, plan.Steps) }
	for i, name := range plan.Pair {
		a.launchers[i] = newLauncher(tb, name)
	}
	if a.ears, err = newEars(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		a.stop()
		a.ears.close()
		if tb.Failed() {
			tb.Logf("the servers' logs and files: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return a
}

func (a *arena) stop() {
	for i, s := range a.servers {
		if s != nil {
			s.Stop()
			a.servers[i] = nil
		}
	}
}

// pair returns two running servers, started afresh every few histories.
func (a *arena) pair() ([2]*Server, error) {
	if a.servers[0] != nil && a.played < a.plan.PerStart {
		return a.servers, nil
	}
	return a.freshPair()
}

func (a *arena) freshPair() ([2]*Server, error) {
	a.stop()
	a.played = 0
	for i, l := range a.launchers {
		s, err := l.Start(a.dir)
		if err != nil {
			return a.servers, err
		}
		a.servers[i] = s
	}
	a.ears.attribute(a.servers)
	return a.servers, nil
}

// play runs the steps in keep (nil: all) of a seed's history, cleans up, and returns how
// it failed, if it did.
func (a *arena) play(seed uint64, keep []int) (*History, *Failure, error) {
	servers, err := a.pair()
	if err != nil {
		return nil, nil, err
	}
	a.salt++
	h := a.generate(seed, a.salt)
	a.ears.forget()
	var listening *ears
	if h.world.notify {
		listening = a.ears
	}
	r, err := newRunner(servers, h, listening, a.stats)
	if err != nil {
		return h, nil, err
	}
	defer r.hangUp()
	failure := r.play(keep)
	a.played++
	a.stats.Histories++
	residue, err := r.clean()
	switch {
	case failure != nil && (err != nil || residue != [2]string{}):
		_, err = a.freshPair() // whatever it was left something behind
		return h, failure, err
	case failure != nil:
		return h, failure, nil
	case err != nil:
		return h, &Failure{Step: len(h.Steps), Err: fmt.Errorf("cleaning up: %w", err)}, nil
	case residue[0] != residue[1]:
		return h, &Failure{Step: len(h.Steps), Err: fmt.Errorf("after everything was unregistered, %s has:\n%s\n%s has:\n%s",
			servers[0].Name, residue[0], servers[1].Name, residue[1])}, nil
	case residue[0] != "":
		_, err = a.freshPair()
	}
	return h, nil, err
}

const shrinkTime = 60 * time.Second

// report describes a failing history as briefly as it can be made to fail.
func (a *arena) report(h *History, f *Failure) string {
	keep := make([]int, 0, f.Step+1)
	for i := range min(f.Step+1, len(h.Steps)) {
		keep = append(keep, i)
	}
	if a.plan.Shrink {
		fmt.Fprintf(os.Stderr, "differential: seed %d fails at step %d, shrinking for up to %v\n", h.Seed, f.Step, shrinkTime)
		best, bestFailure := h, f
		keep = shrink(keep, shrinkTime, func(k []int) bool {
			h2, f2, err := a.play(h.Seed, k)
			if err != nil || f2 == nil {
				return false
			}
			best, bestFailure = h2, f2
			return true
		})
		h, f = best, bestFailure
	}
	return fmt.Sprintf("seed %d, %v\n  after these steps:\n%s%s  again: %s", h.Seed, f, transcript(h, keep), f.frames(), a.plan.again(h.Seed))
}

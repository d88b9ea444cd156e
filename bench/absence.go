package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Absence is how a processor was away from a thread that does nothing but look at the clock, with
// nothing else of the bench running: by the hypervisor, or for what else runs on the machine. The
// slowest answers of any server on it are no faster than that.
type Absence struct {
	Time      string  `json:"time"`
	Processor int     `json:"processor"`
	Seconds   float64 `json:"seconds"`
	// Count is how often it was away for absenceMin or longer.
	Count         int     `json:"count"`
	LongestMicros float64 `json:"longest_us"`
	Share         float64 `json:"share"` // of the time, in such absences
}

const (
	absenceMin    = 200 * time.Microsecond
	absenceWindow = 5 * time.Second
	// absenceTurn is half of what Go lets a goroutine run. It would take its thread's turn away then,
	// and give it back by way of another thread, which counts as nobody's absence.
	absenceTurn = 5 * time.Millisecond
	absenceFile = "absences.json"
)

// watchProcessors looks at the server's processor and the load's at the same time, as both are
// used, and keeps what it finds beside what was found before.
func (c *Comparison) watchProcessors(ctx context.Context) error {
	cores := []int{c.ServerCore, c.LoadCore}
	if c.ServerCore < 0 || c.LoadCore < 0 || c.ServerCore == c.LoadCore {
		return nil
	}
	found, errs := make([]Absence, len(cores)), make([]error, len(cores))
	var wg sync.WaitGroup
	for i, core := range cores {
		wg.Go(func() { found[i], errs[i] = watchProcessor(ctx, core, absenceWindow) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return c.keepAbsences(found)
}

func (c *Comparison) keepAbsences(found []Absence) error {
	c.absent = append(c.absent, found...)
	return c.keepIn(absenceFile, c.absent)
}

func (c *Comparison) loadAbsences() error { return c.kept(absenceFile, &c.absent) }

// watchProcessor has a thread look at the clock on one processor.
func watchProcessor(ctx context.Context, core int, window time.Duration) (Absence, error) {
	// Never unlocked: the thread, which is bound, ends with the goroutine.
	runtime.LockOSThread()
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return Absence{}, fmt.Errorf("bind a thread to processor %d: %w", core, err)
	}
	begin := time.Now()
	a := Absence{Time: begin.UTC().Format(time.DateTime), Processor: core}
	var last, turn, away, longest time.Duration
	for ctx.Err() == nil && last < window {
		now := time.Since(begin)
		if gap := now - last; gap >= absenceMin {
			a.Count++
			away += gap
			longest = max(longest, gap)
		}
		if last = now; now-turn >= absenceTurn {
			runtime.Gosched()
			last = time.Since(begin)
			turn = last
		}
	}
	a.Seconds, a.LongestMicros, a.Share = last.Seconds(), float64(longest.Nanoseconds())/1e3, away.Seconds()/last.Seconds()
	return a, ctx.Err()
}

// absences is a paragraph of the report.
func (c *Comparison) absences() string {
	if len(c.absent) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nBefore anything ran, a thread on each of the two processors looked at the clock, at the same time. How often it was away for %v or longer:\n\n", absenceMin)
	for _, a := range c.absent {
		fmt.Fprintf(&b, "- %s, processor %d: %.1f times a second, %.2f %% of the time, %.1f ms at most\n", a.Time, a.Processor, float64(a.Count)/a.Seconds, a.Share*100, a.LongestMicros/1e3)
	}
	return b.String()
}

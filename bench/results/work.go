package results

import (
	"fmt"
	"time"
)

// attempts at a run that fails or is disturbed, in one call.
const attempts = 3

// Work is the runs of a measurement, J each.
type Work[J any] struct {
	// Missing are the runs to be done, in their order.
	Missing func() []J
	// Lasts is about how long all of them take.
	Lasts func(jobs []J) time.Duration
	// Do does them, but begins none once over says so, and returns how many are left.
	Do func(jobs []J, over func() bool) (left int, err error)
	// Budget is how long runs are begun; 0: to the end.
	Budget   time.Duration
	Progress func(line string)
}

// Complete does what is missing, and again what did not count, a few times.
func (w *Work[J]) Complete() error {
	end := time.Now().Add(w.Budget)
	over := func() bool { return w.Budget > 0 && time.Now().After(end) }
	for range attempts {
		jobs := w.Missing()
		if len(jobs) == 0 {
			break
		}
		w.Progress(fmt.Sprintf("%d runs to do, about %v", len(jobs), w.Lasts(jobs).Round(time.Minute)))
		left, err := w.Do(jobs, over)
		if err != nil {
			return err
		}
		if left > 0 {
			w.Progress(fmt.Sprintf("the budget is used up with %d runs to do; the next call goes on", left))
			break
		}
	}
	return nil
}

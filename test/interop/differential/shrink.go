package differential

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// shrink looks for a short part of a failing history that still fails, by leaving steps
// out. fails plays the given steps under a fresh salt. It gives up when the time is over
// and returns the best it has.
func shrink(steps []int, limit time.Duration, fails func(keep []int) bool) []int {
	deadline := time.Now().Add(limit)
	for chunk := len(steps) / 2; chunk >= 1; {
		shorter := false
		for from := 0; from < len(steps) && time.Now().Before(deadline); {
			to := min(from+chunk, len(steps))
			without := append(append([]int{}, steps[:from]...), steps[to:]...)
			if len(without) > 0 && fails(without) {
				steps, shorter = without, true
				continue
			}
			from = to
		}
		if time.Now().After(deadline) {
			break
		}
		if chunk == 1 && !shorter {
			break
		}
		if chunk > 1 {
			chunk /= 2
		}
	}
	return steps
}

// transcriptStepsMax is how many steps a failure report shows.
const transcriptStepsMax = 25

// transcript writes the steps of a history with their frames, for a failure report: the
// last ones, when there are many.
func transcript(h *History, keep []int) string {
	var b strings.Builder
	if n := len(keep) - transcriptStepsMax; n > 0 {
		fmt.Fprintf(&b, "  (%d earlier steps)\n", n)
		keep = keep[n:]
	}
	for _, i := range keep {
		s := &h.Steps[i]
		if s.Close {
			fmt.Fprintf(&b, "  step %d: close connection %d\n", i, s.Conn)
		}
		for _, q := range s.Requests {
			fmt.Fprintf(&b, "  step %d, connection %d: %s\n    %s\n", i, s.Conn, q.Note, hex.EncodeToString(q.Frame))
		}
	}
	return b.String()
}

// frames writes the replies a failure is about in hex.
func (f *Failure) frames() string {
	var b strings.Builder
	for _, d := range f.Diffs {
		for name, r := range map[string]*Reply{"java": d.ReplyA, "pharos": d.ReplyB} {
			if r != nil {
				fmt.Fprintf(&b, "  reply of %s to %s\n    %s\n", name, d.Request.Note, hex.EncodeToString(Frame(r.Serialize, r.RawHeader, r.Body)))
			}
		}
	}
	return b.String()
}

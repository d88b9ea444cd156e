package choice

import (
	"slices"
	"time"
)

const (
	recentCount = 128
	// recentMin is how many answers it takes to speak of a percentile.
	recentMin = 20
	// recentEvery is after how many answers the percentile is computed anew.
	recentEvery = 16
)

// recent are the latest latencies of the servers that were in use.
type recent struct {
	last  [recentCount]time.Duration
	n     int // answers so far
	value time.Duration
}

func (r *recent) add(took time.Duration) {
	r.last[r.n%recentCount] = took
	r.n++
	if r.n == recentMin || r.n > recentMin && r.n%recentEvery == 0 {
		all := r.last
		known := all[:min(r.n, recentCount)]
		slices.Sort(known)
		r.value = known[len(known)*95/100]
	}
}

// p95 is the 95th percentile, or unknown while there are too few answers.
func (r *recent) p95(unknown time.Duration) time.Duration {
	if r.n < recentMin {
		return unknown
	}
	return r.value
}

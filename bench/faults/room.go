package faults

import "sync"

const (
	// brokersAtOnce bounds the processes of all runs at a time: 6 MB each, and a thousandth of a
	// core.
	brokersAtOnce = 640
	// brokersWatched is how many of them long runs may have: short ones never wait for those.
	brokersWatched = 560
)

// room is what may run besides what does.
type room struct {
	mu            sync.Mutex
	cond          *sync.Cond
	runs, brokers int
	longs         int // that may begin
	watched       int // brokers that those may have
}

// newRoom leaves every third place to short runs, so that long ones don't end alone.
func newRoom(parallel int) *room {
	r := &room{runs: parallel, brokers: brokersAtOnce, longs: max(1, parallel*2/3), watched: brokersWatched}
	r.cond = sync.NewCond(&r.mu)
	return r
}

// longs is 1 if the job is one that takes long, and watched the brokers it has then.
func (j job) longs() (longs, watched int) {
	if j.c.Kind == Watch {
		return 1, j.c.Brokers
	}
	return 0, 0
}

// take waits until there is room for one of the jobs, takes it, and returns which.
func (r *room) take(jobs []job) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for i, j := range jobs {
			if r.has(j) {
				r.change(j, -1)
				return i
			}
		}
		r.cond.Wait()
	}
}

func (r *room) has(j job) bool {
	longs, watched := j.longs()
	return r.runs > 0 && j.c.Brokers <= r.brokers && longs <= r.longs && watched <= r.watched
}

func (r *room) give(j job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.change(j, +1)
	r.cond.Signal()
}

func (r *room) change(j job, by int) {
	r.runs += by
	r.brokers += by * j.c.Brokers
	longs, watched := j.longs()
	r.longs += by * longs
	r.watched += by * watched
}

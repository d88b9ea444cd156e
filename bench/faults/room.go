package faults

import "sync"

// brokersAtOnce bounds the processes of all runs at a time.
const brokersAtOnce = 400

// room is what may run besides what does.
type room struct {
	mu                   sync.Mutex
	cond                 *sync.Cond
	runs, brokers, longs int
}

// newRoom leaves every third place to short runs, so that long ones don't end alone.
func newRoom(parallel int) *room {
	r := &room{runs: parallel, brokers: brokersAtOnce, longs: max(1, parallel*2/3)}
	r.cond = sync.NewCond(&r.mu)
	return r
}

func (j job) longs() int {
	if j.c.Kind == Watch {
		return 1
	}
	return 0
}

// take waits until there is room for one of the jobs, takes it, and returns which.
func (r *room) take(jobs []job) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for i, j := range jobs {
			if r.runs > 0 && j.c.Brokers <= r.brokers && j.longs() <= r.longs {
				r.change(j, -1)
				return i
			}
		}
		r.cond.Wait()
	}
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
	r.longs += by * j.longs()
}

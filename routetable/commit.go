package routetable

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Bounds of one group commit. A transaction that has touched many topics is published
// before more callers are served: the first of them should not wait for the last.
const (
	batchOpsMax  = 64
	batchWorkMax = 20_000 // topics touched, about five milliseconds
)

// commitQueue lines up the callers of Update (as LevelDB lines up its writers). The first
// in line leads: it runs the functions of those behind it together with its own, publishes
// once, wakes them and hands the lead to whoever came meanwhile.
type commitQueue struct {
	mu      sync.Mutex
	waiting []*update
	led     bool
}

// update is one call of Table.Update.
type update struct {
	fn       func(*Txn)
	rules    Rules
	effects  []Effect
	panicked *UpdatePanic
	wake     chan bool // true: lead; false: done
}

// UpdatePanic is what Table.Update panics with when its function panicked, maybe on
// another caller's goroutine.
type UpdatePanic struct {
	Value any    // of the function's panic
	Stack []byte // of the goroutine at that moment
}

func (p *UpdatePanic) Error() string {
	return fmt.Sprintf("routetable: a transaction panicked: %v", p.Value)
}

// Unwrap returns the function's panic value if it was an error.
func (p *UpdatePanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Update runs fn in a transaction and returns after its publication: whoever loads a
// Snapshot from then on sees what fn did, and nobody ever sees a part of it. The returned
// effects are those of fn alone, in order; the caller performs them.
//
// Callers that arrive while a transaction runs are served together in the next one, in
// the order of their arrival, with one publication (group commit).
//
// fn may run on another caller's goroutine, and more than once: only its last run counts,
// so it must assign its results, not add to them. It must not keep the Txn, call Update,
// block, or end its goroutine. When fn panics nothing of it is published and Update panics
// with an *UpdatePanic; the other callers are not affected.
func (t *Table) Update(rules Rules, fn func(*Txn)) []Effect {
	u := &update{fn: fn, rules: rules, wake: make(chan bool, 1)}
	if t.queue.enter(u) || <-u.wake {
		t.lead()
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.effects
}

// enter lines u up and reports whether it leads.
func (q *commitQueue) enter(u *update) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, u)
	if q.led {
		return false
	}
	q.led = true
	return true
}

// len returns how many wait, the leader among them until it is taken.
func (q *commitQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// next takes the first in line. Only the leader takes, so there is one if there was.
func (q *commitQueue) next() *update {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return u
}

// handOver ends the caller's lead.
func (q *commitQueue) handOver() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.led, q.waiting = false, nil
		return
	}
	q.waiting[0].wake <- true
}

// lead serves the callers in line, itself first, in one transaction.
func (t *Table) lead() {
	batch := make([]*update, 0, 4)
	x := t.begin()
	published := false
	defer func() {
		if !published {
			// A function ended its goroutine, or there is a bug in publication. The
			// panic, if any, goes on in this caller; the others must not wait for ever.
			x.abort()
			for _, u := range batch {
				u.panicked = &UpdatePanic{Value: "the transaction's goroutine ended", Stack: debug.Stack()}
			}
		}
		t.queue.handOver()
		for _, u := range batch {
			u.wake <- false // the leader's own stays in the channel
		}
	}()
	for range min(t.queue.len(), batchOpsMax) {
		if x.work >= batchWorkMax {
			break
		}
		u := t.queue.next()
		batch = append(batch, u)
		if x.run(u); u.panicked != nil {
			x.abort()
			x = t.salvage(batch)
		}
	}
	t.publish(x)
	published = true
}

// run runs one caller's function.
func (x *Txn) run(u *update) {
	defer func() {
		if v := recover(); v != nil {
			u.panicked = &UpdatePanic{Value: v, Stack: debug.Stack()}
		}
	}()
	first := len(x.effects)
	x.rules = u.rules
	u.fn(x)
	u.effects = x.effects[first:len(x.effects):len(x.effects)]
}

// salvage runs the functions of a batch again, each in a transaction of its own, without
// those that panicked: what they left half done has been thrown away, and whoever depended
// on their half has to be heard again. It returns a fresh transaction.
func (t *Table) salvage(batch []*update) *Txn {
	for _, u := range batch {
		if u.panicked != nil {
			continue
		}
		x := t.begin()
		if x.run(u); u.panicked != nil {
			x.abort()
			continue
		}
		t.publish(x)
	}
	return t.begin()
}

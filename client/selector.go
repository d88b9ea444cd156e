package client

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Selector chooses the queue a message goes to. It is asked by many goroutines at once.
//
// What a Selector chooses from is never empty, and leaves out the brokers that failed as
// long as another is left: a Selector is policy alone, and need not know of dead brokers.
// Ready ones are RoundRobin, LeastInFlight, LatencyFault and Weighted.
type Selector interface {
	// Select returns an element of c.Queues. last is the broker group that the attempt
	// before failed on, "" for a message's first attempt: another one is to be preferred.
	Select(c *Candidates, last string) *Candidate
	// Done tells how a choice of Select went, once for each. It must not block.
	Done(q *Candidate, o Outcome)
}

// Prober is a Selector that wants to know which brokers can be reached. The producer
// probes brokers that failed anyway, and those it wants.
type Prober interface {
	Selector
	// WantsProbe reports whether the broker is to be probed though the producer has no doubt.
	WantsProbe(b *Broker) bool
	// Probed tells that the broker answered a probe.
	Probed(b *Broker)
}

// Result is what became of an attempt to send, as far as it says something of the broker.
type Result uint8

const (
	// ResultStored: the broker took the message (also if not yet flushed or replicated).
	ResultStored Result = iota
	// ResultRefused: the broker answered with an error of its own (Outcome.Code). What it
	// says against the message counts as ResultStored: the broker works.
	ResultRefused
	// ResultLost: no answer. The broker cannot be reached, the connection broke, or time
	// was over.
	ResultLost
	// ResultAbandoned: the caller gave up first, or had no time to wait longer. It says nothing
	// of the broker.
	ResultAbandoned
)

// Outcome is how one attempt to send went.
type Outcome struct {
	Result Result
	Code   int32 // of the broker's answer; 0 without one
	// Latency is the time from the choice to the outcome, without what of it our own process
	// stood still (a SIGSTOP, a suspended machine); 0 if that was about all of it.
	Latency time.Duration
}

// Candidate is a queue to choose.
type Candidate struct {
	Queue  MessageQueue
	Broker *Broker // where it lies
}

// Candidates is what there is to choose from for one topic. It is shared and read-only.
type Candidates struct {
	Topic string
	// Queues are in the order of the route; there is at least one.
	Queues []Candidate
	// Brokers are those the queues lie on, each once, in the order of their first queue.
	Brokers []*Broker

	groups []queueGroup   // of Brokers, in their order
	turn   atomic.Uint64  // of the brokers
	cursor *atomic.Uint64 // the topic's place in the round; it outlives the Candidates

	// What the Candidates were made of, to tell whether they still hold.
	route *Route
	marks uint64
	state brokerState // of all its brokers
	until time.Time   // zero: no broker that was left out comes back by itself
}

// nextTries bounds how often a contended cursor is tried: each failure is a success of another
// goroutine. Whoever runs out of tries does not take his turn quite evenly.
const nextTries = 64

// Next returns the next queue in the round for which ok is true, and nil if there is none;
// ok may be nil. The round starts at a random queue and is shared by all who send to the
// topic. Queues that are passed over have had their turn, so that the rest stays even.
func (c *Candidates) Next(ok func(*Candidate) bool) *Candidate {
	n := uint64(len(c.Queues))
	for range nextTries {
		at := c.cursor.Load()
		skip := c.scan(at, ok)
		if skip == n {
			return nil
		}
		if c.cursor.CompareAndSwap(at, at+skip+1) {
			return &c.Queues[(at+skip)%n]
		}
	}
	at := c.cursor.Add(1) - 1 // nobody else's
	skip := c.scan(at, ok)
	if skip == n {
		return nil
	}
	return &c.Queues[(at+skip)%n]
}

// scan is how many queues from at on are not ok.
func (c *Candidates) scan(at uint64, ok func(*Candidate) bool) uint64 {
	n := uint64(len(c.Queues))
	if ok == nil {
		return 0
	}
	for skip := range n {
		if ok(&c.Queues[(at+skip)%n]) {
			return skip
		}
	}
	return n
}

// notOn returns the next queue that does not lie on broker last, any if there is no such.
func (c *Candidates) notOn(last string) *Candidate {
	if last != "" {
		if q := c.Next(func(q *Candidate) bool { return q.Broker.name != last }); q != nil {
			return q
		}
	}
	return c.Next(nil)
}

// queueGroup is the queues of one broker.
type queueGroup struct {
	queues []*Candidate
	cursor atomic.Uint64 // the next one's place in the round
}

// NextOn returns the next queue in the round of those on broker b, nil if it has none.
func (c *Candidates) NextOn(b *Broker) *Candidate {
	for i := range c.Brokers {
		if c.Brokers[i] == b {
			return c.groups[i].next()
		}
	}
	return nil
}

func (g *queueGroup) next() *Candidate {
	return g.queues[g.cursor.Add(1)%uint64(len(g.queues))]
}

// group lists the queues of each broker. Their rounds start anywhere.
func (c *Candidates) group() {
	c.groups = make([]queueGroup, len(c.Brokers))
	at := make(map[*Broker]int, len(c.Brokers))
	for i, b := range c.Brokers {
		at[b] = i
		c.groups[i].cursor.Store(rand.Uint64N(1 << 32))
	}
	c.turn.Store(rand.Uint64N(1 << 32))
	for i := range c.Queues {
		g := &c.groups[at[c.Queues[i].Broker]]
		g.queues = append(g.queues, &c.Queues[i])
	}
}

// newCandidates lists a route's queues on the brokers in the best state that any of them is
// in, and those in states up to worst: those that failed only count while nothing else is
// left, or when asked for. It is nil if the route has no queue to send to. broker finds the
// Broker of a target.
func newCandidates(r *Route, broker func(Target) *Broker, cursor *atomic.Uint64, marks uint64, now time.Time, worst brokerState) *Candidates {
	c := &Candidates{Topic: r.Topic, cursor: cursor, route: r, marks: marks}
	seen := map[*Broker]brokerState{}
	all := make([]Candidate, 0, len(r.targets))
	best := brokerDown
	var b *Broker
	for i := range r.targets {
		if t := &r.targets[i]; b == nil || b.name != t.Broker || b.addr != t.Addr { // most follow one of the same
			b = broker(*t)
		}
		if _, ok := seen[b]; !ok {
			state, until := b.health.state(now)
			seen[b] = state
			best = min(best, state)
			if !until.IsZero() && (c.until.IsZero() || until.Before(c.until)) {
				c.until = until
			}
			c.Brokers = append(c.Brokers, b)
		}
		all = append(all, Candidate{Queue: r.targets[i].Queue, Broker: b})
	}
	if len(all) == 0 {
		return nil
	}
	c.state = best
	worst = max(worst, best)
	c.Queues = all[:0]
	for _, q := range all {
		if seen[q.Broker] <= worst {
			c.Queues = append(c.Queues, q)
		}
	}
	brokers := c.Brokers[:0]
	for _, b := range c.Brokers {
		if seen[b] <= worst {
			brokers = append(brokers, b)
		}
	}
	c.Brokers = brokers
	c.group()
	return c
}

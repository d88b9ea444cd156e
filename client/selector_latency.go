package client

import (
	"sync/atomic"
	"time"
)

// LatencyStep is a row of the table that turns latency into a rest: a broker that took at
// least Latency is left alone for Rest.
type LatencyStep struct {
	Latency time.Duration
	Rest    time.Duration
}

// DefaultLatencySteps returns Java's table (MQFaultStrategy).
func DefaultLatencySteps() []LatencyStep {
	return []LatencyStep{
		{50 * time.Millisecond, 0},
		{100 * time.Millisecond, 0},
		{550 * time.Millisecond, 2 * time.Second},
		{1800 * time.Millisecond, 5 * time.Second},
		{3 * time.Second, 6 * time.Second},
		{5 * time.Second, 10 * time.Second},
		{15 * time.Second, 30 * time.Second},
	}
}

// isolationLatency is the latency that an attempt without a good answer counts as.
const isolationLatency = 10 * time.Second

// LatencyFault takes queues in turn, but leaves a broker alone for a while that was slow, or
// failed: its first choice is a broker that is available, that is, not resting; then one that
// is reachable; then any. A broker that failed is unreachable until it answers a probe or
// takes a message.
//
// Java: MQFaultStrategy with sendLatencyEnable and startDetectorEnable. One difference: an
// answer that finds fault with the message is nothing against the broker.
type LatencyFault struct {
	steps []LatencyStep
	items *topicTable[faultItem] // by broker group
	start time.Time              // the zero of faultItem's time, which is monotonic so
}

// faultItem is what is held against one broker (Java: FaultItem).
type faultItem struct {
	availableAt atomic.Int64 // nanoseconds after the LatencyFault's start
	unreachable atomic.Bool
	noted       atomic.Int64 // when it was last sent to, in the same time
}

// itemKept is how long a broker is remembered that nobody sends to.
const itemKept = time.Hour

// NewLatencyFault returns a LatencyFault with a table of growing latencies; nil is
// DefaultLatencySteps.
func NewLatencyFault(steps []LatencyStep) *LatencyFault {
	if steps == nil {
		steps = DefaultLatencySteps()
	}
	return &LatencyFault{steps: steps, items: newTopicTable[faultItem](), start: time.Now()}
}

func (s *LatencyFault) now() int64 { return int64(time.Since(s.start)) }

// Select implements Selector.
func (s *LatencyFault) Select(c *Candidates, last string) *Candidate {
	now := s.now()
	if q := c.Next(func(q *Candidate) bool { return q.Broker.name != last && s.available(q.Broker.name, now) }); q != nil {
		return q
	}
	if q := c.Next(func(q *Candidate) bool { return q.Broker.name != last && s.reachable(q.Broker.name) }); q != nil {
		return q
	}
	return c.notOn(last)
}

func (s *LatencyFault) available(broker string, now int64) bool {
	item := s.items.Get(broker)
	return item == nil || now >= item.availableAt.Load()
}

func (s *LatencyFault) reachable(broker string) bool {
	item := s.items.Get(broker)
	return item == nil || !item.unreachable.Load()
}

// Done implements Selector.
func (s *LatencyFault) Done(q *Candidate, o Outcome) {
	switch o.Result {
	case ResultStored:
		s.note(q.Broker.name, o.Latency, false)
	case ResultRefused, ResultLost:
		s.note(q.Broker.name, isolationLatency, true)
	}
}

// note is Java's updateFaultItem: a rest is never cut short by a better latency.
func (s *LatencyFault) note(broker string, latency time.Duration, unreachable bool) {
	rest, now := s.rest(latency), s.now()
	item := s.items.Get(broker)
	if item == nil {
		if rest == 0 && !unreachable {
			return // nothing to hold against it
		}
		s.forget(now)
		item = s.items.Add(broker, func() *faultItem {
			added := new(faultItem)
			added.noted.Store(now)
			return added
		})
	}
	item.noted.Store(now)
	if rest > 0 {
		until := now + int64(rest)
		for before := item.availableAt.Load(); until > before && !item.availableAt.CompareAndSwap(before, until); {
			before = item.availableAt.Load()
		}
	}
	if item.unreachable.Load() != unreachable {
		item.unreachable.Store(unreachable)
	}
}

// forget drops the brokers that nobody has sent to for long: they may be gone for good.
func (s *LatencyFault) forget(now int64) {
	for broker, item := range s.items.All() {
		if now-item.noted.Load() > int64(itemKept) {
			s.items.Remove(broker, item)
		}
	}
}

// rest is Java's computeNotAvailableDuration.
func (s *LatencyFault) rest(latency time.Duration) time.Duration {
	for i := len(s.steps) - 1; i >= 0; i-- {
		if latency >= s.steps[i].Latency {
			return s.steps[i].Rest
		}
	}
	return 0
}

// WantsProbe implements Prober.
func (s *LatencyFault) WantsProbe(b *Broker) bool { return !s.reachable(b.name) }

// Probed implements Prober.
func (s *LatencyFault) Probed(b *Broker) {
	if item := s.items.Get(b.name); item != nil {
		item.unreachable.Store(false)
	}
}

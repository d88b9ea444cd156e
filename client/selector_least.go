package client

// LeastInFlight takes the broker with the fewest requests of this producer outstanding, and
// brokers with as many in turn. A broker that got slow has more outstanding at the same rate,
// so that it gets less until it is as quick as the others again. It sees nothing unless
// several messages are on their way at the same time: a single goroutine that sends one after
// another always finds none outstanding.
type LeastInFlight struct{}

// Select implements Selector.
func (LeastInFlight) Select(c *Candidates, last string) *Candidate {
	least := int64(-1)
	for _, b := range c.Brokers {
		if n := b.inFlight.Load(); b.name != last && (least < 0 || n < least) {
			least = n
		}
	}
	q := c.Next(func(q *Candidate) bool { return q.Broker.name != last && q.Broker.inFlight.Load() <= least })
	if q != nil {
		return q
	}
	return c.notOn(last) // only last is there, or all got more since
}

// Done implements Selector.
func (LeastInFlight) Done(*Candidate, Outcome) {}

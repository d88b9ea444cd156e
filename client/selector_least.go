package client

// LeastInFlight takes the broker with the fewest requests of this producer outstanding, and
// brokers with as many in turn. A broker that got slow has more outstanding at the same rate,
// so that it gets less until it is as quick as the others again. It sees nothing unless
// several messages are on their way at the same time: a single goroutine that sends one after
// another always finds none outstanding.
type LeastInFlight struct{}

// Select implements Selector.
func (LeastInFlight) Select(c *Candidates, last string) *Candidate {
	n, first := uint64(len(c.Brokers)), c.turn.Add(1)
	best, least := -1, int64(0)
	for i := range n {
		at := int((first + i) % n)
		b := c.Brokers[at]
		if inFlight := b.inFlight.Load(); b.name != last && (best < 0 || inFlight < least) {
			best, least = at, inFlight
		}
	}
	if best < 0 {
		return c.notOn(last) // only last is there
	}
	return c.groups[best].next()
}

// Done implements Selector.
func (LeastInFlight) Done(*Candidate, Outcome) {}

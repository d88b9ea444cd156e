package client

// RoundRobin takes the queues of a topic in turn, from a random one on, and passes over the
// broker that has just failed. It is what Java producers do by default, and keeps the load
// on brokers with as many queues equal.
//
// Java: TopicPublishInfo#selectOneMessageQueue. There every thread has a round of its own.
type RoundRobin struct{}

// Select implements Selector.
func (RoundRobin) Select(c *Candidates, last string) *Candidate { return c.notOn(last) }

// Done implements Selector.
func (RoundRobin) Done(*Candidate, Outcome) {}

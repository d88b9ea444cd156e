package client

import (
	"math"
	"math/rand/v2"
	"time"
)

// Weigher says how much of a topic's messages a broker is to get, in proportion to what it
// says of the others. 0, a negative number and what is no number give none, unless all get
// none.
type Weigher interface {
	Weight(b *Broker) float64
}

// WeigherFunc is a function that is a Weigher.
type WeigherFunc func(b *Broker) float64

// Weight implements Weigher.
func (f WeigherFunc) Weight(b *Broker) float64 { return f(b) }

// StaticWeights weighs broker groups by name; those it does not name weigh 1.
type StaticWeights map[string]float64

// Weight implements Weigher.
func (w StaticWeights) Weight(b *Broker) float64 {
	if weight, ok := w[b.name]; ok {
		return weight
	}
	return 1
}

// ByInFlight weighs a broker the less, the more requests are outstanding there: 1/(1+n).
type ByInFlight struct{}

// Weight implements Weigher.
func (ByInFlight) Weight(b *Broker) float64 { return 1 / (1 + float64(b.inFlight.Load())) }

// ByLatency weighs a broker by how quick it answered of late: the reciprocal of its
// Broker.Latency, all below a millisecond alike.
type ByLatency struct{}

// Weight implements Weigher.
func (ByLatency) Weight(b *Broker) float64 {
	return 1 / max(float64(b.Latency())/float64(time.Millisecond), 1)
}

// Weighted takes brokers at random, each as often as the product of the weighers says, and
// the queues of a broker in turn. A broker that a weigher gives little still gets that
// little, and so shows when it has recovered.
type Weighted []Weigher

// Select implements Selector.
func (w Weighted) Select(c *Candidates, last string) *Candidate {
	var few [32]float64 // weights of as many brokers need no allocation
	weights, total := few[:0], 0.0
	for _, b := range c.Brokers {
		weight := 0.0
		if b.name != last {
			weight = w.weigh(b)
		}
		weights = append(weights, weight)
		total += weight
	}
	point := rand.Float64() * total
	for i, weight := range weights {
		if point -= weight; point < 0 {
			return c.groups[i].next()
		}
	}
	return c.notOn(last)
}

// weightMax keeps sums of weights finite.
const weightMax = 1e9

func (w Weighted) weigh(b *Broker) float64 {
	weight := 1.0
	for _, weigher := range w {
		weight *= weigher.Weight(b)
	}
	if math.IsNaN(weight) || weight <= 0 {
		return 0
	}
	return min(weight, weightMax)
}

// Done implements Selector.
func (Weighted) Done(*Candidate, Outcome) {}

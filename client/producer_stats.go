package client

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

type producerCounts struct {
	sent, failed, oneway, retried, flowControlled, notAnswered atomic.Uint64
}

type brokerCounts struct{ stored, refused, lost, probes atomic.Uint64 }

// ProducerStats is what a producer has done so far.
type ProducerStats struct {
	Sent           uint64 // messages that brokers took
	Oneway         uint64 // messages sent without asking for an answer
	Failed         uint64 // messages whose sending ended with an error
	Retried        uint64 // attempts after a message's first
	FlowControlled uint64 // answers of brokers that asked for less
	NotAnswered    uint64 // attempts without an answer
	Brokers        []BrokerStats
}

// BrokerStats is what a producer knows of one broker.
type BrokerStats struct {
	Name     string
	Addr     string
	State    string    // "up", "resting" (it asked for less, or refused), "down" (no answer)
	Since    time.Time // of down, or of the last return from it; zero if never down
	Err      error     // what is held against it
	InFlight int
	Latency  time.Duration // as Broker.Latency
	Stored   uint64        // answers that took a message, or found fault with it and not with the broker
	Refused  uint64        // other answers
	Lost     uint64        // attempts without an answer
	Probes   uint64
}

var brokerStateNames = [...]string{brokerUp: "up", brokerResting: "resting", brokerDown: "down"}

// Stats returns the producer's counts and its brokers by name and address.
func (p *Producer) Stats() ProducerStats {
	s := ProducerStats{
		Sent: p.counts.sent.Load(), Oneway: p.counts.oneway.Load(), Failed: p.counts.failed.Load(),
		Retried: p.counts.retried.Load(), FlowControlled: p.counts.flowControlled.Load(),
		NotAnswered: p.counts.notAnswered.Load(),
	}
	for _, b := range p.brokers.All() {
		state, since, why := b.health.report(time.Now())
		s.Brokers = append(s.Brokers, BrokerStats{
			Name: b.name, Addr: b.addr, State: brokerStateNames[state], Since: since, Err: why,
			InFlight: b.InFlight(), Latency: b.Latency(),
			Stored: b.counts.stored.Load(), Refused: b.counts.refused.Load(),
			Lost: b.counts.lost.Load(), Probes: b.counts.probes.Load(),
		})
	}
	slices.SortFunc(s.Brokers, func(a, b BrokerStats) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Addr, b.Addr))
	})
	return s
}

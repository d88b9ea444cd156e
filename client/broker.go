package client

import (
	"sync/atomic"
	"time"
)

// Broker is a producer's end of the master of one broker group: its address, what is
// outstanding there, how quick it was, whether it works. Another address of the same group is
// another Broker.
type Broker struct {
	name string
	addr string

	inFlight atomic.Int64
	latency  atomic.Int64 // smoothed, in nanoseconds; 0 before the first answer
	health   brokerHealth
	brokerLink

	counts     brokerCounts
	probing    atomic.Bool            // a goroutine does
	probeTopic atomic.Pointer[string] // what it asks for; set before
	gone       atomic.Bool            // in no route any more
}

// Name is the broker group.
func (b *Broker) Name() string { return b.name }

// Addr is its master, ip:port.
func (b *Broker) Addr() string { return b.addr }

// InFlight is how many requests of this producer wait for the broker's answer.
func (b *Broker) InFlight() int { return int(b.inFlight.Load()) }

// Latency is how long the broker took to answer of late: a moving average in which the
// latest answer counts an eighth. It is 0 before the first answer.
func (b *Broker) Latency() time.Duration { return time.Duration(b.latency.Load()) }

// latencyShare is the part of the average that the latest latency makes: 1/8, as TCP's.
const latencyShare = 8

// took notes a latency; 0 is none that is known. Two that come at the same moment may count as
// one.
func (b *Broker) took(d time.Duration) {
	if d <= 0 {
		return
	}
	if before := b.latency.Load(); before > 0 {
		d = max(time.Duration(before)+(d-time.Duration(before))/latencyShare, 1)
	}
	b.latency.Store(int64(d))
}

package client

import (
	"context"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// probe starts a goroutine that probes the broker until it is not in doubt any more, unless
// there is one already or no doubt.
func (p *Producer) probe(q *Candidate) {
	b := q.Broker
	if b.probeTopic.Load() == nil {
		b.probeTopic.Store(&q.Queue.Topic)
	}
	if !p.doubtful(b) || !b.probing.CompareAndSwap(false, true) {
		return
	}
	if !p.enter() {
		b.probing.Store(false)
		return
	}
	go p.probeUntilSure(b)
}

// doubtful reports whether the broker is to be probed: it is down, or the Selector asks.
func (p *Producer) doubtful(b *Broker) bool {
	if state, _ := b.health.state(time.Now()); state == brokerDown {
		return true
	}
	s, ok := p.o.Selector.(Prober)
	return ok && s.WantsProbe(b)
}

func (p *Producer) probeUntilSure(b *Broker) {
	defer p.wg.Done()
	for {
		timer := time.NewTimer(jittered(b.health.probePause(p.o.ProbeMin, p.o.ProbeMax)))
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
			return
		}
		p.sweep(time.Now(), sweepInterval)
		if p.doubtful(b) && !b.gone.Load() {
			p.probeOnce(b)
			continue
		}
		b.probing.Store(false)
		// It may have failed again before anybody could see that nobody probes.
		if !p.doubtful(b) || b.gone.Load() || !b.probing.CompareAndSwap(false, true) {
			return
		}
	}
}

// probeOnce asks the broker for a queue's end, on a connection of its own: that the broker
// accepts connections and answers on them is to be proved, and whoever still waits on another
// one is not to be disturbed. Any answer is proof, but that the broker is leaving.
//
// Java: the ServiceDetector of DefaultMQProducerImpl, which counts only success.
func (p *Producer) probeOnce(b *Broker) {
	ctx, cancel := context.WithTimeoutCause(p.ctx, p.o.ProbeTimeout, errAttemptTimeout)
	defer cancel()
	b.counts.probes.Add(1)
	conn, err := p.dialer.Dial(ctx, b.addr)
	if err != nil {
		return
	}
	r, err := conn.Call(ctx, codec.Header{Code: codeGetMaxOffset, Ext: []codec.ExtField{
		{Key: "topic", Value: *b.probeTopic.Load()},
		{Key: "queueId", Value: "0"},
	}}, nil)
	if err != nil || r.Code == codec.GoAway {
		conn.Close(nil)
		return
	}
	if !b.adopt(conn) || b.gone.Load() {
		conn.Close(nil)
	}
	p.changed(b.health.answered(time.Now()))
	if s, ok := p.o.Selector.(Prober); ok {
		s.Probed(b)
	}
}

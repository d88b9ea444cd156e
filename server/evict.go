package server

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// evictPause lets the closes of one round take effect before the next is considered.
const evictPause = 20 * time.Millisecond

// evictor closes connections when a budget is exceeded. It is a goroutine of its own:
// choosing looks at every connection, which no loop has time for.
type evictor struct {
	srv  *Server
	wake chan struct{}
}

func newEvictor(srv *Server) *evictor { return &evictor{srv: srv, wake: make(chan struct{}, 1)} }

// nudge never blocks.
func (e *evictor) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *evictor) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-e.wake:
		}
		e.evictInbound()
		e.evictOutbound()
		select {
		case <-stop:
			return
		case <-time.After(evictPause):
		}
	}
}

// victim is a connection and why it is one.
type victim struct {
	c     *connection
	bytes int64
	order int64 // the smallest goes first
}

// evictInbound closes those whose unfinished frames have rested longest: a slow honest
// sender adds to its frame all the time. Those who rest since they are not read from come
// last, unless they had their turn and did not use it.
func (e *evictor) evictInbound() {
	e.evict(&e.srv.inbound, CloseInboundMemory, func(c *connection) victim {
		order := c.progressMillis.Load()
		if c.waits.Load() && !e.srv.intake.wasted(c) {
			order = math.MaxInt64
		}
		return victim{c, c.inboundHeld.Load(), order}
	})
}

// evictOutbound closes those with the most unsent output.
func (e *evictor) evictOutbound() {
	e.evict(&e.srv.outbound, CloseOutboundMemory, func(c *connection) victim {
		held := c.outboundHeld.Load()
		return victim{c, held, -held}
	})
}

func (e *evictor) evict(b *budget, reason CloseReason, weigh func(*connection) victim) {
	excess := b.excess()
	if excess <= 0 {
		return
	}
	var victims []victim
	e.srv.conns.each(func(c *connection) {
		if v := weigh(c); v.bytes > 0 && !c.Closed() {
			victims = append(victims, v)
		}
	})
	// Of two that rest equally long the larger one goes.
	slices.SortFunc(victims, func(a, b victim) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(b.bytes, a.bytes))
	})
	for _, v := range victims {
		if excess <= 0 {
			return
		}
		if v.c.askClose(reason) {
			e.srv.logClose(v.c, reason)
			v.c.loop.post(mail{conn: v.c, kind: mailClose})
			b.evicted.Add(1)
			excess -= v.bytes
		}
	}
}

package server

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/routetable"
)

// laneJobBytes is what a job of the housekeeping weighs while it waits.
const laneJobBytes = 512

// unregisters reports whether a registration goes with a connection that ended so: the
// peer or the network ended it, it was silent for too long, or what came was no protocol.
// Any other close of ours, for want of memory or descriptors or at a restart of the engine,
// says nothing about the broker: it comes back, or expires. So do the other brokers on the
// connection of one that expired.
//
// Java: BrokerHousekeepingService, which unregisters for every close.
func unregisters(reason CloseReason) bool {
	switch reason {
	case ClosePeer, CloseBroken, CloseIdle, CloseBadFrame, CloseUnsupported:
		return true
	}
	return false
}

// connClosed removes what the connection registered, and nothing else: in the lane of each
// broker it carried, behind the requests of that broker that wait there. It is called on
// the connection's loop, after the last request.
func (h *handlers) connClosed(conn Conn, reason CloseReason) {
	if !unregisters(reason) || h.srv.judged(reason) {
		return
	}
	for _, key := range conn.Bindings().Keys() {
		h.srv.lanes.SubmitAlways(BrokerLane(key), laneJobBytes, func() {
			for _, b := range conn.Bindings().Of(key) {
				h.removeBinding(b)
			}
		})
	}
}

// removeBinding removes a registration whose connection closed, unless the broker has
// registered again since.
func (h *handlers) removeBinding(b routetable.Binding) {
	h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) { x.RemoveBinding(b, routetable.RemoveConnClosed) }))
}

// removeBindingLater is removeBinding for event loops.
func (h *handlers) removeBindingLater(b routetable.Binding) {
	h.srv.lanes.SubmitAlways(BrokerLane(b.Broker), laneJobBytes, func() { h.removeBinding(b) })
}

const (
	firstScanMillis  = 5000 // Java: NamesrvController#startScheduleService
	lateIntervalsMax = 2
)

// scanPacer says when the expiry scan is due. A scan that comes more than two intervals
// late says that we stood still, so that what brokers sent meanwhile lies unread: it is put
// off by one interval. Pure: time comes in.
type scanPacer struct {
	intervalMillis int64
	dueMillis      int64
}

// next is called when the time may have come. wait is how long to sleep before calling
// again; delayed says that a late scan was put off just now.
func (p *scanPacer) next(nowMillis int64) (scan, delayed bool, waitMillis int64) {
	late := nowMillis - p.dueMillis
	switch {
	case late < 0:
		return false, false, -late
	case late > lateIntervalsMax*p.intervalMillis:
		p.dueMillis = nowMillis + p.intervalMillis
		return false, true, p.intervalMillis
	}
	p.dueMillis += p.intervalMillis
	if p.dueMillis <= nowMillis {
		p.dueMillis = nowMillis + p.intervalMillis
	}
	return true, false, p.dueMillis - nowMillis
}

// runExpiryScan looks for silent brokers until quit. Java:
// RouteInfoManager#scanNotActiveBroker.
func (h *handlers) runExpiryScan(quit <-chan struct{}) { h.runExpiryScanAfter(firstScanMillis, quit) }

func (h *handlers) runExpiryScanAfter(firstMillis int64, quit <-chan struct{}) {
	interval := h.config.ScanNotActiveBrokerInterval
	// Lateness is measured with stalls counted; expiry, within the scan, without.
	pacer := scanPacer{intervalMillis: interval, dueMillis: h.clock.RawMillis() + firstMillis}
	timer := time.NewTimer(time.Duration(firstMillis) * time.Millisecond)
	defer timer.Stop()
	for {
		select {
		case <-quit:
			return
		case <-timer.C:
		}
		scan, delayed, waitMillis := pacer.next(h.clock.RawMillis())
		if delayed {
			h.stats.scansDelayed.Add(1)
			h.lines.warn(logScanDelayed, "the scan for silent brokers comes late, so it waits for what they may have sent meanwhile", "waitMillis", waitMillis)
		}
		if scan {
			h.scanNotActive(time.Duration(interval)*time.Millisecond, quit)
		}
		timer.Reset(time.Duration(waitMillis) * time.Millisecond)
	}
}

// scanNotActive removes the brokers that were silent for longer than their timeout and
// closes their connections. Silence is only believed when every event loop has shown that
// it reads what arrives; and each removal goes behind what waits in the broker's lane.
func (h *handlers) scanNotActive(patience time.Duration, quit <-chan struct{}) {
	expired := slices.DeleteFunc(h.table.Snapshot().ScanNotActive(h.clock.Millis()), h.keptWaiting)
	if len(expired) == 0 {
		return
	}
	if !h.srv.loopsRead(patience, quit) {
		h.stats.scansDelayed.Add(1)
		h.lines.warn(logScanDelayed, "an event loop is not reading, so no silent broker is removed", "brokers", len(expired))
		return
	}
	for _, e := range expired {
		h.srv.lanes.SubmitAlways(BrokerLane(e.Broker), laneJobBytes, func() { h.expire(e) })
	}
}

// keptWaiting reports whether a broker is silent since its connection is not read from: what it
// has sent meanwhile waits, so it lives on as if it had been heard of.
func (h *handlers) keptWaiting(e routetable.ExpiredBroker) bool {
	c, open := h.srv.conns.get(e.Conn)
	if !open || !c.waits.Load() || h.srv.intake.wasted(c) {
		return false
	}
	h.table.Heartbeat([]byte(e.Broker.Cluster), []byte(e.Broker.Addr), h.clock.Millis())
	return true
}

// expire removes a silent broker unless it was heard of since.
func (h *handlers) expire(e routetable.ExpiredBroker) {
	h.perform(h.table.Update(h.rules(), func(x *routetable.Txn) { x.ExpireBroker(e) }))
}

// loopsRead reports whether every event loop went through its ready sockets within
// patience: a loop calls what it is sent after those. Without an engine nobody reads.
func (s *Server) loopsRead(patience time.Duration, quit <-chan struct{}) bool {
	loops, serving := s.servingLoops()
	if !serving {
		return false
	}
	var left atomic.Int32
	left.Store(int32(len(loops)))
	done := make(chan struct{})
	for _, l := range loops {
		if !l.post(mail{kind: mailRun, run: func() {
			if left.Add(-1) == 0 {
				close(done)
			}
		}}) {
			return false
		}
	}
	if len(loops) == 0 {
		return true // no connection since the engine began: there is nothing to read
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-quit:
	case <-timer.C:
	}
	return false
}

// servingLoops returns the loops that have had a connection, and whether their engine runs.
func (s *Server) servingLoops() (loops []*loop, serving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine == nil {
		return nil, false
	}
	select {
	case <-s.engine.ended:
		return nil, false
	default:
		return append([]*loop(nil), s.loops...), true
	}
}

package server

import (
	"context"
	"time"
)

// statsWait is how long a loop may take to hand out its counts. One that does not answer
// is reported with what it last handed out.
const statsWait = time.Second

// Stats is what the server counts, for the metrics.
type Stats struct {
	// Slots names the requests of Loops.Requests, in its order; the last is all unknown
	// codes.
	Slots []SlotName
	// Loops is the sum over all event loops, lanes, and loops of former engines.
	// LongestNanos is the longest since the last call of Server.Stats.
	Loops LoopStats

	Connections        int64 // open now
	ConnectionsMax     int64
	ConnectionsRefused uint64 // accepted and closed: too many
	Descriptors        int64  // the process's limit
	EngineRestarts     uint64
	Panics             uint64 // in request handlers
	StallMillis        int64  // this process stood still, in all

	Inbound  BudgetStats // unfinished frames and unhandled requests
	Outbound BudgetStats // unsent answers
	Lanes    LaneStats
	Intake   IntakeStats // large frames

	HandlerStats
}

// SlotName names a row of LoopStats.Requests.
type SlotName struct {
	Code int32 // -1 for unknown codes
	Name string
}

// BudgetStats is the state of a memory budget, in bytes.
type BudgetStats struct {
	Bytes, PeakBytes, MaxBytes int64
	Evicted                    uint64 // connections closed because of it
}

// LaneStats is the state of the lanes.
type LaneStats struct {
	Jobs            int64  // waiting or running, in all lanes
	Bytes, MaxBytes int64  // of those in brokers' lanes
	Rejected        uint64 // for want of room in brokers' lanes
	Done            uint64 // in all lanes
}

// IntakeStats is the state of the intake of large frames.
type IntakeStats struct {
	Bytes, MaxBytes int64  // of frames that come in, or came in and are not handled yet
	Waiting         int64  // connections that are not read from until there is room
	Demoted         uint64 // frames that came in too slowly while others waited
}

// Stats gathers what is counted. Loops hand out their counts themselves, so they count
// without atomics; it takes as long as a loop takes to come round, a second at most.
func (s *Server) Stats(ctx context.Context) Stats {
	st := Stats{
		Connections: s.conns.open.Load(), ConnectionsMax: int64(s.plan.connections),
		ConnectionsRefused: s.refused.Load(), Descriptors: int64(s.plan.limit),
		EngineRestarts: s.restarts.Load(), Panics: s.panics.Load(), StallMillis: s.stalls.Load(),
		Inbound: s.inbound.stats(), Outbound: s.outbound.stats(),
		HandlerStats: s.HandlerStats(), Intake: s.intake.stats(),
	}
	if l := s.lanes; l != nil {
		st.Lanes = LaneStats{Jobs: l.Depth(), Bytes: l.brokers.bytes.Load(), MaxBytes: l.brokers.bytesMax, Rejected: l.brokers.rejected.Load(), Done: l.done.Load()}
	}
	for _, r := range s.table.routes {
		st.Slots = append(st.Slots, SlotName{r.code, r.name})
	}
	st.Slots = append(st.Slots, SlotName{-1, s.table.name(len(s.table.routes))})
	sum := newLoopStats(s.table.slots())
	for _, counts := range s.loopStats(ctx) {
		sum.add(counts)
	}
	s.offLoop.update(func(o *LoopStats) { sum.add(o) })
	st.Loops = *sum
	return st
}

func (b *budget) stats() BudgetStats {
	return BudgetStats{Bytes: b.held.Load(), PeakBytes: b.peak.Load(), MaxBytes: b.maxBytes, Evicted: b.evicted.Load()}
}

// loopStats asks every loop for a copy of its counts.
func (s *Server) loopStats(ctx context.Context) []*LoopStats {
	ctx, cancel := context.WithTimeout(ctx, statsWait)
	defer cancel()
	loops := s.currentLoops()
	asked := make(chan struct{}, len(loops))
	waiting := 0
	for _, l := range loops {
		if l.post(mail{kind: mailRun, run: func() {
			l.published.Store(l.stats.clone())
			l.stats.LongestNanos = 0
			asked <- struct{}{}
		}}) {
			waiting++
		}
	}
	for ; waiting > 0; waiting-- {
		select {
		case <-asked:
		case <-ctx.Done():
			waiting = 1
		}
	}
	var all []*LoopStats
	for _, l := range loops {
		if counts := l.published.Load(); counts != nil {
			all = append(all, counts)
		}
	}
	return all
}

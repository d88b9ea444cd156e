package server

import "sync/atomic"

// What one connection may have waiting in the lanes. A peer that pipelines heavy requests
// would otherwise fill the lanes' budget, and brokers on other connections would be refused
// for want of room. So a connection whose share is used up is not read from until its
// requests are done (stops.go); requests that may not be refused, such as an unregistration,
// are bounded by this alone.
//
// A broker has one request waiting, seldom two.
const (
	laneShareJobs  = 64
	laneShareBytes = 1 << 20
)

// laneShare counts the jobs of one connection that wait or run in lanes.
type laneShare struct {
	jobs  atomic.Int64
	bytes atomic.Int64
	// waitsFor is the budget of the request that the connection was blocked at; nil: it was
	// not. The loop's.
	waitsFor *laneBudget
	// waiting: the connection is not read from because of its share, and whoever gives the
	// last of it back tells the loop. Without that, what a broker sends next would pile up
	// until the loop looks by itself.
	waiting atomic.Bool
}

func (s *laneShare) take(bytes int) {
	s.bytes.Add(int64(bytes))
	s.jobs.Add(1)
}

func (s *laneShare) giveBack(bytes int) {
	s.bytes.Add(-int64(bytes))
	s.jobs.Add(-1)
}

// used reports whether nothing more of the connection should go to the lanes: its share is
// used up, or it has something there and the lanes of its last request are half full.
func (s *laneShare) used(b *laneBudget) bool {
	return s.jobs.Load() >= laneShareJobs || s.bytes.Load() >= laneShareBytes ||
		s.jobs.Load() > 0 && b.crowded()
}

// free reports whether so little of the connection is left in the lanes that more may come.
func (s *laneShare) free() bool {
	return s.jobs.Load() == 0 ||
		s.jobs.Load() <= laneShareJobs/2 && s.bytes.Load() <= laneShareBytes/2 && (s.waitsFor == nil || !s.waitsFor.crowded())
}

// takeLaneShare counts a job of c that b has room for. On the loop it may end the reading
// from c for a while.
func (s *Server) takeLaneShare(c *connection, b *laneBudget, bytes int, onLoop bool) {
	c.lanes.take(bytes)
	if onLoop && c.lanes.used(b) {
		c.lanes.waitsFor = b
		c.lanes.waiting.Store(true)
		c.loop.block(c, stopLanes)
	}
}

// giveBackLaneShare is called when a job of c is done, from its lane.
func (s *Server) giveBackLaneShare(c *connection, bytes int) {
	c.lanes.giveBack(bytes)
	if c.lanes.jobs.Load() == 0 && c.lanes.waiting.CompareAndSwap(true, false) {
		c.loop.post(mail{kind: mailRun, run: func() {
			if !c.closed && c.loop.unblock(c) {
				c.loop.traffic(c)
			}
		}})
	}
}

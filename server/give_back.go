package server

import (
	"runtime"
	"runtime/debug"
	"time"
)

// After a flood the memory it took lies in pools (gnet's ring buffers, reply buffers,
// blocks), which let go of what they hold in the second collection from then on. A quiet
// name server collects every two minutes: a gigabyte would stay for four, and as much as
// that again is what the next collection is put off by. So once a flood is over, the
// collections are run and the memory is given back to the system.

const (
	giveBackEvery       = time.Second
	giveBackBytes       = 64 << 20 // what buffers must have held for it to be worth while
	giveBackQuietMillis = 5_000
	giveBackPauseMillis = 60_000 // a collection costs something, too
)

// givingBack decides when memory is given back. Pure: time and bytes come in.
type givingBack struct {
	peakBytes   int64
	quietMillis int64 // since when little is held
	lastMillis  int64 // when it was done last
}

func newGivingBack() givingBack { return givingBack{lastMillis: -giveBackPauseMillis} }

// due is told, every second or so, what all buffers hold.
func (g *givingBack) due(nowMillis, heldBytes int64) bool {
	g.peakBytes = max(g.peakBytes, heldBytes)
	if heldBytes > g.peakBytes/8 {
		g.quietMillis = nowMillis
	}
	if g.peakBytes < giveBackBytes || nowMillis-g.quietMillis < giveBackQuietMillis || nowMillis-g.lastMillis < giveBackPauseMillis {
		return false
	}
	g.peakBytes, g.lastMillis = heldBytes, nowMillis
	return true
}

// runGiveBack gives memory back after floods, and has a large table moved to large pages, until
// quit.
func (s *Server) runGiveBack() {
	t := time.NewTicker(giveBackEvery)
	defer t.Stop()
	g := newGivingBack()
	var m movingToLargePages
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
		}
		if g.due(s.clock.RawMillis(), s.inbound.held.Load()+s.outbound.held.Load()+s.lanes.Bytes()) {
			runtime.GC() // pools keep what they have through one collection
			debug.FreeOSMemory()
		}
		if s.handlers == nil {
			continue
		}
		if sizes := s.handlers.table.Snapshot().Stats(); m.due(s.clock.RawMillis(), sizes.Topics+sizes.Shapes) {
			s.moveToLargePages()
		}
	}
}

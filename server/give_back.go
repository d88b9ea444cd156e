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
//
// So is it with connections. Each leaves as much garbage while it is accepted as it takes as long
// as it is open, and none of those that are silent gives reason for a collection. Those that
// have closed leave all of theirs.
//
// And so it is with what was asked for (GiveBackWhenCalm): a start leaves garbage just when all
// brokers come, which is the worst moment for a collection.

const (
	giveBackEvery       = time.Second
	giveBackBytes       = 64 << 20 // what buffers must have held for it to be worth while
	giveBackQuietMillis = 5_000
	giveBackPauseMillis = 60_000 // a collection costs something, too

	giveBackConns      = 2_000 // so many must have come or gone
	giveBackConnsParts = 4     // and one in so many of those that were open
	giveBackConnsStill = 100   // no more than so many come or go between two looks when it is quiet
)

// giveBack says what is to be done.
type giveBack uint8

const (
	giveBackNothing giveBack = iota
	giveBackGarbage          // of connections
	giveBackPools            // and what pools keep through one collection
)

// givingBack decides when memory is given back. Pure: time and numbers come in.
type givingBack struct {
	peakBytes   int64
	quietMillis int64 // since when little is held
	lastMillis  int64 // when it was done last

	asked            bool  // GiveBackWhenCalm
	conns            int64 // open when it was done last
	seenConns        int64 // at the last look
	connsQuietMillis int64 // since when few come or go
}

func newGivingBack(nowMillis int64) givingBack {
	return givingBack{lastMillis: nowMillis - giveBackPauseMillis, quietMillis: nowMillis, connsQuietMillis: nowMillis}
}

// due is told, every second or so, what all buffers hold, how many connections are open, and
// whether somebody has asked for it since.
func (g *givingBack) due(nowMillis, heldBytes, conns int64, asked bool) giveBack {
	flooded, moved := g.flooded(nowMillis, heldBytes), g.moved(nowMillis, conns)
	g.asked = g.asked || asked
	calm := nowMillis-g.connsQuietMillis >= giveBackQuietMillis
	if !flooded && !moved && !(g.asked && calm) || nowMillis-g.lastMillis < giveBackPauseMillis {
		return giveBackNothing
	}
	g.peakBytes, g.conns, g.lastMillis, g.asked = heldBytes, conns, nowMillis, false
	if flooded {
		return giveBackPools
	}
	return giveBackGarbage
}

// flooded reports whether a flood is over.
func (g *givingBack) flooded(nowMillis, heldBytes int64) bool {
	g.peakBytes = max(g.peakBytes, heldBytes)
	if heldBytes > g.peakBytes/8 {
		g.quietMillis = nowMillis
	}
	return g.peakBytes >= giveBackBytes && nowMillis-g.quietMillis >= giveBackQuietMillis
}

// moved reports whether many connections have come or gone, and that is over.
func (g *givingBack) moved(nowMillis, conns int64) bool {
	if difference(conns, g.seenConns) > giveBackConnsStill {
		g.connsQuietMillis = nowMillis
	}
	g.seenConns = conns
	moved := difference(conns, g.conns)
	return moved > giveBackConns && moved > g.conns/giveBackConnsParts && nowMillis-g.connsQuietMillis >= giveBackQuietMillis
}

func difference(a, b int64) int64 { return max(a-b, b-a) }

// runGiveBack gives memory back after floods, and has a large table moved to large pages, until
// quit.
func (s *Server) runGiveBack() {
	t := time.NewTicker(giveBackEvery)
	defer t.Stop()
	g := newGivingBack(s.clock.RawMillis())
	var m movingToLargePages
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
		}
		held := s.inbound.held.Load() + s.outbound.held.Load() + s.lanes.Bytes()
		s.giveBack(g.due(s.clock.RawMillis(), held, s.conns.open.Load(), s.giveBackAsked.Swap(false)))
		if s.handlers == nil {
			continue
		}
		if sizes := s.handlers.table.Snapshot().Stats(); m.due(s.clock.RawMillis(), sizes.Topics+sizes.Shapes) {
			s.moveToLargePages()
		}
	}
}

// GiveBackWhenCalm asks for a collection of garbage, and its memory to be given back to the system,
// when few connections have come or gone for giveBackQuietMillis. It returns at once.
func (s *Server) GiveBackWhenCalm() { s.giveBackAsked.Store(true) }

// giveBack collects garbage beside everything else that goes on, and gives memory back.
func (s *Server) giveBack(what giveBack) {
	if what == giveBackNothing {
		return
	}
	defer s.Computing()() // giving memory back keeps a processor for as long as it takes
	switch what {
	case giveBackPools:
		runtime.GC() // pools keep what they have through one collection
		debug.FreeOSMemory()
	case giveBackGarbage:
		debug.FreeOSMemory() // collects first
	}
}

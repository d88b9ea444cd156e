package server

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A loop that waits in epoll keeps its processor of Go's (GOMAXPROCS) for 10 ms, as long as
// another one is idle, and all the while Go's monitor thread looks at it, some 60 times. A
// server that has next to nothing to do is asked something every 50 ms or so: looking after its
// one loop takes several times what the loop does (measured with 300 silent brokers: 1,100
// wake-ups and 23 to 29 ms of processor time a second; 150 and 6 where Go has one processor
// only, since then the monitor takes it from the loop at once, and sleeps).
//
// So a quiet server has one processor of Go's, which its one loop shares with all else. It has
// them all before a lane begins to work, and when there are more than a few requests a second.
// With several loops it would not pay: they would wait for each other's processor.

const (
	quietFramesMax      = 100 // in a second
	quietConnectionsMax = 2_000
	quietWindowMillis   = 1_000
	defaultQuietAfter   = 5_000 // ms; changing the number stops the process for some 50 us
)

// quieting decides whether a server is quiet. Pure: time and counts come in.
type quieting struct {
	afterMillis  int64 // so long it must have been
	windowMillis int64 // when the window began
	windowFrames uint64
	busyMillis   int64 // when it was seen to be busy last
}

// quiet is told, ten times a second or so, how many frames were read since the start, how many
// connections are open, and whether lanes have work.
func (q *quieting) quiet(nowMillis int64, frames uint64, connections int64, working bool) bool {
	busy := frames-q.windowFrames > quietFramesMax || connections > quietConnectionsMax || working
	if busy {
		q.busyMillis = nowMillis
	}
	if busy || nowMillis-q.windowMillis >= quietWindowMillis {
		q.windowMillis, q.windowFrames = nowMillis, frames
	}
	return nowMillis-q.busyMillis >= q.afterMillis
}

// processors is how many of Go's processors the process has.
type processors struct {
	most     int // more than there are loops
	adapts   bool
	one      atomic.Bool
	changing sync.Mutex
}

// start gives the process all processors. It sets their number even when it is right already:
// the runtime would go on adapting it to the share of processors the process has, and with no
// more than there are loops a lane that yields waits for the next network event (measured:
// 600 ms instead of 30 for a registration).
func (p *processors) start(loops int, adapts bool) {
	p.most = max(runtime.GOMAXPROCS(0), loops+1)
	p.adapts = adapts && loops == 1
	runtime.GOMAXPROCS(p.most)
}

// all gives the process all processors, and returns when it has them: at once, most often; if
// not, it waits for a collection of garbage to end. So no loop may call it.
func (p *processors) all() {
	if !p.one.Load() {
		return
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.one.Load() {
		runtime.GOMAXPROCS(p.most)
		p.one.Store(false)
	}
}

// single leaves the process one processor, unless working says that lanes have work. A job
// counts as work before its worker calls all: either it is seen here, or all sees that there is
// one processor. It waits as all does.
func (p *processors) single(working func() bool) {
	p.changing.Lock()
	defer p.changing.Unlock()
	p.one.Store(true)
	if working() {
		p.one.Store(false)
		return
	}
	runtime.GOMAXPROCS(1)
}

// adaptProcessors is called with every tick. What is to be changed is changed on a goroutine of
// its own, since that may have to wait.
func (s *Server) adaptProcessors(loops []*loop) {
	if !s.processors.adapts {
		return
	}
	var frames uint64
	for _, l := range loops {
		frames += l.framesRead.Load()
	}
	working := func() bool { return s.lanes.Depth() > 0 }
	switch quiet := s.quieting.quiet(s.clock.RawMillis(), frames, s.conns.open.Load(), working()); {
	case quiet == s.processors.one.Load():
	case quiet:
		s.running.Go(func() { s.processors.single(working) })
	default:
		s.running.Go(s.processors.all)
	}
}

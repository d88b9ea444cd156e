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
// them all before something begins to compute for long beside the loop (a lane's job, a
// collection that is asked for, a question about connections), and when more than a little is
// asked of it. With several loops it would not pay: they would wait for each other's processor.

const (
	quietWorkMax        = 100 // in a second: frames, new connections, MB that were read
	quietConnectionsMax = 2_000
	quietTableMax       = 100_000 // topics and shapes: a collection, which a lane may have to wait for, has little to look at
	quietWindowMillis   = 1_000
	defaultQuietAfter   = 5_000 // ms; changing the number stops the process for some 50 us
)

// quieting decides whether a server is quiet. Pure: time and counts come in.
type quieting struct {
	afterMillis  int64 // so long it must have been
	windowMillis int64 // when the window began
	windowWork   uint64
	jobs         uint64
	busyMillis   int64 // when it was seen to be busy last
}

// load is what a server has to do.
type load struct {
	work    uint64 // since the start: frames, connections, MB that were read
	jobs    uint64 // since the start: of lanes
	working bool   // something computes beside the loop
	large   bool   // many connections, or a large table
}

// quiet is told, ten times a second or so, what there is to do.
func (q *quieting) quiet(nowMillis int64, l load) bool {
	busy := l.work-q.windowWork > quietWorkMax || l.jobs != q.jobs || l.working || l.large
	q.jobs = l.jobs
	if busy {
		q.busyMillis = nowMillis
	}
	if busy || nowMillis-q.windowMillis >= quietWindowMillis {
		q.windowMillis, q.windowWork = nowMillis, l.work
	}
	return nowMillis-q.busyMillis >= q.afterMillis
}

// processors is how many of Go's processors the process has.
type processors struct {
	most     int // more than there are loops
	adapts   bool
	working  atomic.Int64 // how many compute beside the loops
	one      atomic.Bool
	changing sync.Mutex
	asked    atomic.Bool // a change is under way
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

// begin is called by who is going to compute for long beside the loops, and end when it has. The
// process has all processors in between.
func (p *processors) begin() {
	p.working.Add(1)
	p.all()
}

func (p *processors) end() { p.working.Add(-1) }

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

// single leaves the process one processor, unless somebody computes. Who begins says so before
// it looks whether there is one processor: either it is seen here, or it sees that there is one.
// It waits as all does.
func (p *processors) single() {
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.one.Load() {
		return
	}
	p.one.Store(true)
	if p.working.Load() > 0 {
		p.one.Store(false)
		return
	}
	runtime.GOMAXPROCS(1)
}

// adaptProcessors is called with every tick. What is to be changed is changed on a goroutine of
// its own, since that may have to wait; not twice at a time.
func (s *Server) adaptProcessors(loops []*loop) {
	p := &s.processors
	if !p.adapts {
		return
	}
	quiet := s.quieting.quiet(s.clock.RawMillis(), s.load(loops))
	if quiet == p.one.Load() || !p.asked.CompareAndSwap(false, true) {
		return
	}
	change := p.all
	if quiet {
		change = p.single
	}
	s.running.Go(func() {
		defer p.asked.Store(false)
		change()
	})
}

func (s *Server) load(loops []*loop) load {
	l := load{jobs: s.lanes.done.Load(), working: s.processors.working.Load() > 0, large: s.conns.open.Load() > quietConnectionsMax}
	for _, x := range loops {
		l.work += x.work.Load()
	}
	if s.handlers != nil {
		sizes := s.handlers.table.Snapshot().Stats()
		l.large = l.large || sizes.Topics+sizes.Shapes > quietTableMax
	}
	return l
}

// Computing says that something computes for long beside the event loops, as an answer to an
// operator, until done is called. A lookup would wait for it where the process has left itself one processor.
func (s *Server) Computing() (done func()) {
	s.processors.begin()
	return s.processors.end
}

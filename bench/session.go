package bench

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// Session is a server under a Plan's load that can rest between measurements, so that
// several servers can be measured in turn. It must be used by one goroutine.
type Session struct {
	// Settle is how long the load runs after a rest before it is measured. It may be changed
	// between measurements; Open sets it to half a second.
	Settle time.Duration

	r      *runner
	ctx    context.Context
	unhook func() bool
	gc     int
}

// Open fills the server, opens the connections and warms up. The load goes on until Rest.
func Open(ctx context.Context, p Plan) (*Session, error) {
	to, err := resolve(p.To)
	if err != nil {
		return nil, err
	}
	fill, err := fillGroups(p.Fill, p.Groups)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(to, append(fill, p.Groups...), p.Spin)
	if err != nil {
		return nil, err
	}
	s := &Session{Settle: settle, ctx: ctx, r: &runner{
		Plan: p, engine: e, result: &Result{To: p.To}, fill: e.groups[:len(fill)], load: e.groups[len(fill):],
	}}
	s.unhook = context.AfterFunc(ctx, func() { e.stop.Store(true) })
	runtime.GC() // what was prepared stays; little is allocated from here on
	s.gc = debug.SetGCPercent(400)
	e.ticks = s.r.tick
	if err := s.begin(); err != nil {
		s.Close()
		return nil, s.why(err)
	}
	return s, nil
}

func (s *Session) begin() error {
	if err := s.r.fillAll(); err != nil {
		return err
	}
	if err := s.r.open("connecting", s.r.load); err != nil {
		return err
	}
	s.r.start(s.r.load)
	return s.r.warmUp()
}

// why prefers the reason that the caller had to end the run.
func (s *Session) why(err error) error {
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	return err
}

// Result is what is known so far.
func (s *Session) Result() *Result { return s.r.result }

// settle is what Session.Settle is unless somebody changes it.
const settle = 500 * time.Millisecond

// Switch replaces the load: the connections of the groups before are closed, the brokers
// stay. Warm-up is as in Plan. A load that cannot be had is closed again; the session goes on
// without one.
func (s *Session) Switch(groups []Group, warmup time.Duration) error {
	if err := s.Rest(); err != nil {
		return err
	}
	s.hangUp()
	err := s.load(groups, warmup)
	if err != nil {
		s.hangUp()
	}
	return s.why(err)
}

// hangUp closes the load's connections and forgets them: of 18,000, opened anew for each
// sample, a gigabyte would be left for our collector.
func (s *Session) hangUp() {
	e := s.r.engine
	stay := 0
	for _, g := range s.r.fill {
		stay += len(g.conns)
	}
	for _, g := range s.r.load {
		g.asking = false
		for i := range g.conns {
			if c := &g.conns[i]; c.state != connClosed && c.fd >= 0 {
				e.hangUp(c)
			}
		}
	}
	clear(e.conns[stay:])
	e.conns = e.conns[:stay] // those of fill were first
	e.toOpen, e.retry, e.bigs = nil, nil, nil
	s.r.last = nil
	e.groups, s.r.load = append([]*group(nil), s.r.fill...), nil
}

// load opens the connections of groups, starts them and warms up.
func (s *Session) load(groups []Group, warmup time.Duration) error {
	for i := range groups {
		d, err := groups[i].withDefaults()
		if err != nil {
			return err
		}
		s.r.load = append(s.r.load, s.r.engine.add(newGroup(d)))
	}
	if err := s.r.open("connecting", s.r.load); err != nil {
		return err
	}
	s.wake()
	s.r.start(s.r.load)
	s.r.Warmup = warmup
	return s.r.warmUp()
}

// Stable keeps up the load until three windows in a row differ by less than 3 %, for at most
// atMost. It reports whether they did.
func (s *Session) Stable(window, atMost time.Duration) (bool, error) {
	s.r.Warmup, s.r.Plan.Stable, s.r.StableMax, s.r.result.Stable = 0, window, atMost, false
	err := s.r.warmUp()
	s.r.Plan.Stable = 0
	return s.r.result.Stable, s.why(err)
}

// Measure measures one window and lets the server rest again. With the plan's UntilDone it
// is the first and only one, and it is an error if that is not done then.
func (s *Session) Measure(d time.Duration, phase string) (Window, error) {
	s.r.phase = phase
	if s.r.engine.draining {
		runtime.GC() // not while the load goes on: it would fall behind
		s.wake()
		if err := s.r.engine.run(s.r.engine.now()+int64(s.Settle), nil); err != nil {
			return Window{}, s.why(err)
		}
	}
	defer withoutCollector()()
	w, err := s.r.measure(d)
	if err == nil {
		err = s.r.unfinished(d)
	}
	if err == nil {
		err = s.r.drain(&w)
	}
	return w, s.why(err)
}

// windowBytes is what a window may allocate before our collector runs after all.
const windowBytes = 1 << 30

// withoutCollector stops our collector until the returned function is called: it has threads that
// would run on the server's processor.
func withoutCollector() (restore func()) {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	limit := debug.SetMemoryLimit(int64(now.Sys-now.HeapReleased) + windowBytes)
	percent := debug.SetGCPercent(-1)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// Rest waits for the replies that are due and asks no more.
func (s *Session) Rest() error {
	var w Window
	for _, g := range s.r.engine.groups {
		w.Groups = append(w.Groups, GroupResult{Name: g.Name})
	}
	return s.why(s.r.drain(&w))
}

// Tend has every broker of the filled worlds ask something, so that a session that rests for
// long is not closed as idle.
func (s *Session) Tend() error {
	e := s.r.engine
	now := e.now()
	for _, g := range s.r.fill {
		for i := range g.conns {
			if c := &g.conns[i]; c.ready() {
				e.ask(c, op(0), now)
				e.flush(c)
			}
		}
	}
	return s.Rest()
}

// wake lets the load go on after a rest; an open loop does not owe what it did not send.
func (s *Session) wake() {
	e := s.r.engine
	e.draining = false
	now := e.now()
	for _, g := range e.groups {
		if !g.asking {
			continue
		}
		if g.interval > 0 {
			if g.dueAt < float64(now) {
				g.dueNext(float64(now))
			}
			continue
		}
		for i := range g.conns {
			if c := &g.conns[i]; c.state == connOpen && g.Depth > 0 {
				e.fill(c, now)
			}
		}
	}
}

// Close ends all connections.
func (s *Session) Close() {
	s.unhook()
	s.r.engine.close()
	debug.SetGCPercent(s.gc)
}

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/routetable"
)

// Server is a listening name server. Make one with New, then Start it, then Stop it; it
// does not start twice.
type Server struct {
	o             Options
	deps          Deps
	log           *slog.Logger
	clock         *Clock
	lines         *RateLimitedLog
	table         *dispatchTable
	handlers      *handlers
	hooks         hooks
	conns         *connIndex
	lanes         *Lanes
	evictor       *evictor
	processors    processors
	quieting      quieting // runTicker's
	giveBackAsked atomic.Bool
	watcher       Watcher // nil: none
	plan          descriptorPlan
	inbound       budget // unfinished frames and unhandled requests
	intake        intake // which large frames come in
	outbound      budget // unsent answers

	offLoop   sharedStats // what lanes count, and what is left of ended loops
	panics    atomic.Uint64
	refused   atomic.Uint64 // connections closed for want of descriptors
	restarts  atomic.Uint64
	stalls    atomic.Int64 // milliseconds we stood still, in all
	opaque    atomic.Int32
	goingAway atomic.Bool
	stopping  atomic.Bool

	mu      sync.Mutex
	engine  *engine // the running one
	loops   []*loop // of the running engine
	addr    netip.AddrPort
	state   serverState
	quit    chan struct{} // closed when the background goroutines are to end
	running sync.WaitGroup
}

type serverState uint8

const (
	stateNew serverState = iota
	stateStarted
	stateStopped
)

// New checks the options and makes a Server that does not listen yet.
func New(o Options, deps Deps) (*Server, error) {
	s, err := newServer(o, deps, routes)
	if err != nil {
		return nil, err
	}
	s.handlers = newHandlers(s, deps)
	s.hooks = s.handlers
	return s, nil
}

// newServer makes a Server of any routes, without handlers: for tests of the engine, too.
func newServer(o Options, deps Deps, routes []route) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	s := &Server{
		o: o, deps: deps, watcher: deps.Watcher, log: deps.Log, clock: newClock(tickMillis),
		table: newDispatchTable(routes), conns: newConnIndex(), quit: make(chan struct{}), hooks: noHooks{},
	}
	s.quieting = quieting{afterMillis: o.quietAfterMillis, busyMillis: s.clock.RawMillis()}
	s.lines = newRateLimitedLog(s.log, s.clock)
	s.evictor = newEvictor(s)
	s.inbound = budget{maxBytes: o.PartialFrameBytesMax, over: s.evictor.nudge}
	s.intake.maxBytes = min(o.PartialFrameBytesMax, o.LaneBytesMax) / intakePart
	s.outbound = budget{maxBytes: o.OutboundBytesMax, over: s.evictor.nudge}
	s.offLoop.s = newLoopStats(s.table.slots())
	return s, nil
}

// Start listens and serves until Stop. It returns when connections are accepted, or why
// that is impossible (a busy port, an address that is not ours).
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateNew {
		return errors.New("server: Start was called before")
	}
	limit, err := raiseDescriptorLimit()
	if err != nil {
		return fmt.Errorf("read the descriptor limit: %w", err)
	}
	s.plan = planDescriptors(limit, openDescriptors(), s.o.BacklogMax, s.o.ConnectionsMax, s.o.EventLoops)
	s.processors.start(s.o.EventLoops, s.o.OneProcessorWhenQuiet)
	shortenSlices()
	s.lanes = newLanes(s.o.Lanes, s.o.LaneBytesMax, &s.processors, s.log)
	ended, err := s.startEngine(s.o.Port)
	if err != nil {
		_ = s.lanes.stop(context.Background()) // they are idle
		return err
	}
	s.state = stateStarted
	s.log.Info("listening", "address", s.addr.String(), "eventLoops", s.o.EventLoops, "lanes", s.o.Lanes,
		"descriptors", s.plan.limit, "connectionsMax", s.plan.connections, "backlog", s.plan.backlog)
	s.running.Go(func() { s.supervise(ended) })
	s.running.Go(func() { s.runTicker() })
	s.running.Go(func() { s.evictor.run(s.quit) })
	s.running.Go(s.runGiveBack)
	s.hooks.started()
	return nil
}

// Addr is the address that is listened on, with the real port; invalid before Start.
func (s *Server) Addr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Clock is the clock of everything that expires.
func (s *Server) Clock() *Clock { return s.clock }

// Lanes are where heavy work goes; nil before Start.
func (s *Server) Lanes() *Lanes { return s.lanes }

// Conn returns an open connection.
func (s *Server) Conn(id routetable.ConnID) (Conn, bool) {
	if c, ok := s.conns.get(id); ok {
		return c, true
	}
	return nil, false
}

// nextOpaque makes up a correlation id for a request without one, as Java does.
func (s *Server) nextOpaque() int32 { return s.opaque.Add(1) }

// send delivers what buf holds to c, from any goroutine, and takes buf over.
func (s *Server) send(c *connection, buf *replyBuffer, shared []byte) {
	if len(buf.B) == 0 || c.Closed() {
		replyBuffers.Put(buf)
		return
	}
	c.loop.post(mail{conn: c, kind: mailReply, buf: buf, shared: shared})
}

// finishPending sends a Pending's answer.
func (s *Server) finishPending(p *Pending) {
	buf := p.buf
	p.buf, p.dst = nil, nil
	p.giveBackShare()
	if p.watched {
		s.watcher.Answered(p.conn.id)
	}
	s.send(p.conn, buf, p.shared)
	s.countOffLoop(p.slot, &p.reply, p.startNanos, false, false)
}

// countOffLoop counts a request that came to its end off the loops.
func (s *Server) countOffLoop(slot int, r *reply, startNanos int64, dropped, detached bool) {
	if detached {
		return
	}
	nanos := s.clock.nanos() - startNanos
	s.offLoop.update(func(stats *LoopStats) {
		if dropped {
			stats.ResponsesIn++
			return
		}
		stats.count(slot, r)
		stats.Requests[slot].observe(nanos)
	})
}

// runTicker moves the clock and the loops on, ten times a second.
func (s *Server) runTicker() {
	t := time.NewTicker(tickMillis * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
		}
		if stall := s.clock.tick(); stall > 0 {
			s.stalls.Add(stall)
			s.log.Warn("this process stood still; every deadline moves by as much", "millis", stall)
		}
		loops := s.currentLoops()
		s.adaptProcessors(loops)
		for _, l := range loops {
			if l.tickPending.CompareAndSwap(false, true) && !l.post(mail{kind: mailRun, run: l.tick}) {
				l.tickPending.Store(false)
			}
		}
	}
}

func (s *Server) currentLoops() []*loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*loop(nil), s.loops...)
}

package server

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/pharosmq/pharos/codec"
)

const (
	tickMillis     = 100
	scanTicks      = 10 // every connection is looked at once in so many ticks
	flushBytes     = 64 << 10
	peekBytes      = largeFrameBytes + 16<<10
	outKeepBytes   = 1 << 20 // a larger output buffer is not kept for the next batch
	timedFromBytes = 4 << 10 // a callback with more to read is always timed
)

// loop is what one event loop owns. Everything without a lock or atomic is touched by
// that loop's goroutine only.
type loop struct {
	srv    *Server
	engine loopEngine
	stats  *LoopStats
	clock  StallClock
	// nowMillis is the server's clock (what expires by registration), localMillis the
	// loop's own (what expires by connection): both are read once per timed callback and
	// per tick, so at most a tick old.
	nowMillis   int64
	localMillis int64

	cmd       codec.Command
	predictor codec.Predictor
	run       lookupRun
	rq        Request
	out       outbox // answers of the batch, flushed with one write
	batch     batch

	conns    []*connection // open ones; connection.slot is the index
	scanAt   int
	again    []*connection // with work left at the bound of a callback
	draining []*connection // with unsent output, or blocked
	incoming []*connection // with a large frame that comes in
	turns    turns         // of those that stream

	fullReadBytes int // a socket that had less has run dry
	largeRate     largeRate
	pump          pumpTimer

	mailMu      sync.Mutex
	mail        []mail
	mailSpare   []mail
	visits      []visit // that wait for a tick, behind mailMu
	visitsLeft  int     // connections in them
	tickPending atomic.Bool
	published   atomic.Pointer[LoopStats] // the last copy of stats handed out
	work        atomic.Uint64             // as of the last tick, see load
}

// loopEngine is what a loop needs of the engine that runs it.
type loopEngine interface {
	// run has f called on the loop's goroutine, soon; false if the engine has ended or is
	// about to.
	run(f func()) bool
	// close closes the connection now; only on the loop.
	close(w wire)
	// acked is how many bytes the peer of w has acknowledged; only on the loop.
	acked(w wire) uint64
	// unread is how many bytes of the peer of w the kernel has; only on the loop.
	unread(w wire) int
	// readInto reads some of them to p, of at most as many as unread said, while the wire has
	// none buffered. On an error, and for nothing, it is 0, and the wire finds out for itself;
	// only on the loop.
	readInto(w wire, p []byte) (n int)
	// setReading has the peer's bytes read from w, or left with the kernel; only on the loop,
	// while w is open.
	setReading(w wire, on bool)
}

// batch is what a callback has done so far, and what it may do.
type batch struct {
	startNanos int64
	timed      bool
	framesLeft int
	bytesLeft  int  // of large frames
	dry        bool // what the kernel had of a large frame is read
	outLeft    int
}

func (b *batch) spent() bool { return b.framesLeft <= 0 || b.outLeft <= 0 || b.bytesLeft <= 0 }

func newLoop(srv *Server, engine loopEngine) *loop {
	l := &loop{srv: srv, engine: engine, stats: newLoopStats(srv.table.slots())}
	l.run.slot = srv.table.lookupSlot()
	l.fullReadBytes = fullReadBytes(srv.o.ReadBufferBytes)
	l.clock = NewStallClock(srv.clock.RawMillis(), tickMillis)
	l.readClocks()
	l.pump.init(l)
	return l
}

func (l *loop) readClocks() {
	raw := l.srv.clock.RawMillis()
	l.nowMillis = l.srv.clock.state.Load().At(raw)
	l.localMillis = l.clock.At(raw)
}

// opened takes a new connection in.
func (l *loop) opened(c *connection) {
	l.readClocks()
	c.slot = len(l.conns)
	l.conns = append(l.conns, c)
	c.lastUsedMillis = l.localMillis
	l.stats.Accepted++
}

// ended is told that the connection is closed, whoever closed it. reason counts if nobody
// asked for the close before.
func (l *loop) ended(c *connection, reason CloseReason, errno syscall.Errno) {
	if c.closed {
		return
	}
	c.closed = true
	c.askClose(reason)
	l.stats.Closes[c.reason()]++
	last := len(l.conns) - 1
	l.conns[c.slot] = l.conns[last]
	l.conns[c.slot].slot = c.slot
	l.conns[last] = nil
	l.conns = l.conns[:last]
	l.leaveTurn(c)
	if c.large != nil {
		c.large.release()
		c.large = nil
		l.srv.intake.forget(c)
	}
	l.holdInbound(c, 0)
	l.holdOutbound(c, 0)
	l.srv.conns.remove(c.id)
	if w := l.srv.watcher; w != nil {
		l.guard(c, "connection closed", func() { w.Closed(c.id, c.reason(), errno) })
	}
	l.guard(c, "connection closed", func() { l.srv.hooks.connClosed(c, c.reason()) })
}

// traffic handles what can be read from c, within the bound of one callback.
func (l *loop) traffic(c *connection) {
	if c.closed {
		return
	}
	defer l.survive(c)
	buffered := c.wire.InboundBuffered()
	l.beginBatch(buffered > timedFromBytes || c.large != nil)
	if c.blocked && !l.unblock(c) {
		l.engine.setReading(c.wire, false)
	} else if buffered < l.fullReadBytes && c.turn.state == turnNone || l.mayRead(c, buffered) {
		l.read(c)
		l.flush(c)
		l.endTurn(c)
	}
	l.settle(c)
	l.endBatch()
}

// survive keeps a mistake of ours in serving c from ending the process: c pays for it.
func (l *loop) survive(c *connection) {
	v := recover()
	if v == nil {
		return
	}
	l.out = outbox{}
	l.srv.handlerPanicked("event loop", c, nil, v)
	if c.askClose(CloseInternal); !c.closed {
		l.engine.close(c.wire)
	}
}

// guard runs a hook; a mistake in it is logged.
func (l *loop) guard(c *connection, name string, hook func()) {
	defer func() {
		if v := recover(); v != nil {
			l.srv.handlerPanicked(name, c, nil, v)
		}
	}()
	hook()
}

// beginBatch starts the clock of a callback, if it is to be timed.
func (l *loop) beginBatch(timed bool) {
	l.stats.Callbacks++
	l.batch = batch{
		timed:      timed || l.stats.Callbacks%callbackSampleEvery == 0,
		framesLeft: l.srv.o.batchFrames, bytesLeft: batchLargeBytes, outLeft: l.srv.o.batchOutBytes,
	}
	if l.batch.timed {
		l.batch.startNanos = l.srv.clock.nanos()
		raw := l.batch.startNanos / 1e6
		l.nowMillis = l.srv.clock.state.Load().At(raw)
		l.localMillis = l.clock.At(raw)
	}
}

func (l *loop) endBatch() {
	if cap(l.out.buf) > outKeepBytes {
		l.out.buf = nil
	}
	if l.batch.timed {
		l.stats.LongestNanos = max(l.stats.LongestNanos, l.srv.clock.nanos()-l.batch.startNanos)
	}
}

// flush writes the batch's answers. It must not be followed by anything that uses c when
// it reports false: the write failed and the connection is closed already.
func (l *loop) flush(c *connection) bool {
	if len(l.out.buf) == 0 {
		return !c.closed
	}
	if l.out.shares == 0 {
		out := l.out.buf
		l.out.buf = out[:0]
		return l.write(c, out)
	}
	pieces := l.out.pieces()
	l.out.reset()
	defer clear(pieces)
	return l.writev(c, pieces)
}

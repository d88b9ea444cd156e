package connwatch

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

const nanosInMillis = 1e6

// Watch is a server.Watcher. Make it before the server, and Start it with the server.
type Watch struct {
	o      Options
	box    *box
	srv    Server
	table  Table
	tracer atomic.Pointer[bpf.Tracer]
	broken atomic.Bool // the detector panicked, or is stopped: closes unregister, as in Java
	dials  dialer
	// stallTold is when a loop was last said to have stood still.
	stallTold atomic.Int64
	quit      context.CancelFunc
	done      sync.WaitGroup
	// For operators.
	kept    kept
	queries chan query
	traced  traced
	// resting: all is well, and notes that change nothing may wait for the next look.
	resting atomic.Bool

	// The watch goroutine's.
	det      *connhealth.Detector
	atMillis int64 // the detector's clock
	brokers  map[connhealth.ConnID]struct{}
	due      []connhealth.ConnID // whose sample is due, and not asked for yet
	dueList  []connhealth.ConnID // their memory
	ids      []routetable.ConnID // memory of those that a loop is asked for
	asked    bool                // some of them were
	timer    *time.Timer         // of the next look
	lookAt   time.Time           // when it fires
	tally    tally
}

// New returns a Watch that collects what it is told, and does nothing until it is started.
func New(o Options) *Watch {
	return &Watch{o: o, box: newBox(), brokers: map[connhealth.ConnID]struct{}{}, queries: make(chan query), tally: newTally()}
}

// Start begins to judge. It is called once.
func (w *Watch) Start(srv Server, table Table) {
	ctx, cancel := context.WithCancel(context.Background())
	w.srv, w.table, w.quit = srv, table, cancel
	w.dials.ctx = ctx
	w.det = connhealth.New(w.o.Params, func(key connhealth.BrokerKey) bool {
		return table.Snapshot().LastOfTopic(tableKey(key))
	})
	w.done.Go(func() { w.run(ctx) })
}

// Stop ends the watch; what is held or parked stays so until it expires.
func (w *Watch) Stop() {
	w.broken.Store(true) // nobody judges any more
	w.traced.forget()
	w.quit()
	w.done.Wait() // first: it dials
	w.dials.wait()
}

// now is milliseconds of CLOCK_MONOTONIC, which the kernel's events use, too.
func (w *Watch) now() int64 { return bpf.MonotonicNanos() / nanosInMillis }

// run owns the detector. A mistake in it must not cost a route: after a panic nothing is
// judged any more, and closes mean what they mean in Java.
func (w *Watch) run(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			w.broken.Store(true)
			w.o.Log.Error("the judgement of connections panicked and is off until the next start: a broker's close unregisters it at once, as in Java. Please report this",
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			w.discard(ctx)
		}
	}()
	w.timer = time.NewTimer(0)
	defer w.timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.timer.C:
			w.look()
		case <-w.box.wake:
			w.read()
			w.lookIn(w.wait())
		case q := <-w.queries:
			w.read()
			w.answer(q)
			w.lookIn(w.wait())
		}
		w.resting.Store(w.det.Calm())
	}
}

// look lets time pass for the detector, and has connections sampled.
func (w *Watch) look() {
	w.lookAt = time.Time{}
	w.read()
	now := w.at(w.now())
	if len(w.due) == 0 { // else they come first
		w.perform(w.det.Tick(now))
		w.dueList = w.det.AppendDue(w.dueList[:0], now)
		w.due, w.asked = w.dueList, false
	}
	if w.sample(now); len(w.due) > 0 {
		w.lookIn(samplesEvery)
	} else {
		w.lookIn(w.wait())
	}
}

// wait is how long the detector can do without being called.
func (w *Watch) wait() time.Duration { return millis(w.det.WaitMillis()) }

// lookIn has the next look come that soon, unless it comes sooner anyway.
func (w *Watch) lookIn(d time.Duration) {
	if at := time.Now().Add(d); w.lookAt.IsZero() || at.Before(w.lookAt) {
		w.lookAt = at
		w.timer.Reset(d)
	}
}

// discard empties the box for nobody, so that it does not grow.
func (w *Watch) discard(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.box.wake:
			w.box.take()
		}
	}
}

// at returns the time that the detector is told. Loops, lanes and the kernel's ring are a
// little out of step; the detector's clock never goes back.
func (w *Watch) at(millis int64) int64 {
	w.atMillis = max(w.atMillis, millis)
	return w.atMillis
}

// read brings the detector what was left in the box.
func (w *Watch) read() {
	for n := range w.box.take().all {
		w.perform(w.tell(n))
		w.tally.note(n)
	}
}

// tell hands one note over.
func (w *Watch) tell(n *note) []connhealth.Action {
	switch d, at := w.det, w.at(n.atMillis); n.kind {
	case noteOpened:
		return d.Opened(at, n.conn, n.peer, n.local, false)
	case noteRequested:
		return d.RequestsArrived(at, n.conn, n.request, int(n.count), n.lastMillis)
	case noteAnswered:
		d.RequestsAnswered(w.at(n.lastMillis), n.conn, int(n.count))
	case noteBound:
		if _, open := d.NextSampleMillis(n.conn); open {
			w.promote(n.conn)
		}
		return d.Bound(at, n.conn, n.broker, n.by)
	case noteClosed:
		delete(w.brokers, n.conn)
		return d.Closed(at, n.conn, n.how)
	case noteGone:
		if _, known := w.table.Snapshot().Registration(tableKey(n.key)); known {
			return nil // what went is an earlier registration of that broker
		}
		return d.Gone(at, n.key)
	case noteSample:
		return d.Sample(at, n.conn, &n.sample)
	case noteEvent:
		if e, ok := eventOf(&n.event); ok {
			return d.Event(at, &e)
		}
	case noteStalled:
		return d.LoopStalled(at, n.forMillis)
	case noteCalm:
		w.calm(n.conn)
	case noteTraced:
		w.remark()
	case noteDial:
		return d.DialResult(at, n.key, n.dialID, n.dial)
	}
	return nil
}

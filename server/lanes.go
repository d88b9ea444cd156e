package server

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/bits"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/pharosmq/pharos/routetable"
	"golang.org/x/sys/unix"
)

const (
	laneSlots        = 4096 // a power of two; brokers that share one only lose a shortcut
	laneNiceness     = 5
	laneSmallShare   = 8 // one part in so many is for small jobs only
	laneOtherShare   = 4 // one part in so many of the brokers' bytes is what each other lane has
	laneNicenessMost = 19
)

// The lanes that belong to no broker. Each has a worker and a budget of its own: a disk
// that hangs takes neither time nor room from registrations, nor from lists.
var (
	// AdminLane is the lane of requests that wait for a disk (100, 102, 318).
	AdminLane = routetable.BrokerKey{Cluster: "\x00", Addr: "admin"}
	// ListLane is the lane of answers that take long to make and wait for nothing: the
	// lists of a large table (106, 206, 224, 304, 311, 312, 313).
	ListLane = routetable.BrokerKey{Cluster: "\x00", Addr: "list"}
)

// Lanes run heavy work off the event loops: a few workers, each with a queue. What has
// the same key runs in the order it was submitted, on one worker, one job at a time. The
// key is the broker, so that its old and its new connection serialise.
//
// Workers sit on OS threads of lower priority: a loop that has a lookup to answer takes
// the processor from them. Not of the lowest: a collection of garbage waits for every
// thread that runs Go code to come to a stop, so one that the kernel leaves off the
// processor holds up all others. Jobs that compute for long should yield (runtime.Gosched)
// every 100 us or so, for the case that there are more goroutines than processors.
type Lanes struct {
	brokers laneGroup
	disk    laneGroup // AdminLane
	lists   laneGroup // ListLane
	seed    maphash.Seed
	log     *slog.Logger
	done    atomic.Uint64
	slots   [laneSlots]atomic.Int32 // jobs that wait or run, by hash of the key
	wg      sync.WaitGroup
}

// laneGroup is workers that share a budget.
type laneGroup struct {
	laneBudget
	workers []*laneWorker
}

type laneWorker struct {
	mu      sync.Mutex
	wake    sync.Cond
	queue   []laneJob
	head    int
	depth   atomic.Int64
	closing bool
}

type laneJob struct {
	run   func()
	bytes int
	of    *laneBudget
	slot  uint32
}

// newLanes starts n workers for brokers, which may hold bytesMax, and one for each other lane.
func newLanes(n int, bytesMax int64, log *slog.Logger) *Lanes {
	l := &Lanes{seed: maphash.MakeSeed(), log: log}
	l.start(&l.brokers, n, bytesMax)
	l.start(&l.disk, 1, bytesMax/laneOtherShare)
	l.start(&l.lists, 1, bytesMax/laneOtherShare)
	return l
}

func (l *Lanes) start(g *laneGroup, n int, bytesMax int64) {
	g.bytesMax = bytesMax
	for range n {
		w := &laneWorker{}
		w.wake.L = &w.mu
		g.workers = append(g.workers, w)
		l.wg.Add(1)
		go l.work(w)
	}
}

func (l *Lanes) groups() [3]*laneGroup { return [...]*laneGroup{&l.brokers, &l.disk, &l.lists} }

// group returns the group that runs the jobs of key.
func (l *Lanes) group(key routetable.BrokerKey) *laneGroup {
	switch key {
	case AdminLane:
		return &l.disk
	case ListLane:
		return &l.lists
	}
	return &l.brokers
}

// Submit queues job behind all that was submitted with key. bytes is what it keeps alive
// while it waits. It reports false, and does nothing, when the lanes of its kind hold as
// many bytes as they may.
func (l *Lanes) Submit(key routetable.BrokerKey, bytes int, job func()) bool {
	if !l.group(key).reserve(bytes) {
		return false
	}
	l.enqueue(key, bytes, job)
	return true
}

// SubmitAlways is Submit for what must never be refused: an unregistration, the closing
// of a connection.
func (l *Lanes) SubmitAlways(key routetable.BrokerKey, bytes int, job func()) {
	l.group(key).force(bytes)
	l.enqueue(key, bytes, job)
}

// Idle reports that no job of key waits or runs. It may say false for a key that is idle,
// when a broker that shares its slot is not; never the other way round.
func (l *Lanes) Idle(key routetable.BrokerKey) bool {
	return l.slots[l.hash(key)&(laneSlots-1)].Load() == 0
}

// enqueue queues a job whose bytes are accounted for. After stop it is forgotten: its
// request gets no answer, and its connection is about to close.
func (l *Lanes) enqueue(key routetable.BrokerKey, bytes int, job func()) {
	h := l.hash(key)
	slot := uint32(h & (laneSlots - 1))
	l.slots[slot].Add(1)
	g := l.group(key)
	// The high half of a 128-bit product: other bits of the hash than the slot's.
	i, _ := bits.Mul64(h, uint64(len(g.workers)))
	if !g.workers[i].put(laneJob{run: job, bytes: bytes, of: &g.laneBudget, slot: slot}) {
		l.slots[slot].Add(-1)
		g.giveBack(bytes)
	}
}

func (l *Lanes) hash(key routetable.BrokerKey) uint64 {
	return maphash.String(l.seed, key.Addr) ^ bits.RotateLeft64(maphash.String(l.seed, key.Cluster), 17)
}

// put queues a job. Once the worker is to end it refuses: brokers go on registering while
// the server stops, and the queue would never be empty.
func (w *laneWorker) put(j laneJob) bool {
	w.mu.Lock()
	if w.closing {
		w.mu.Unlock()
		return false
	}
	w.depth.Add(1)
	w.compact()
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	w.wake.Signal()
	return true
}

// compact makes use again of the room of jobs that were taken out, once they are more than
// those that wait: a queue that never runs dry would grow for ever. The caller holds mu.
func (w *laneWorker) compact() {
	if w.head <= len(w.queue)/2 {
		return
	}
	n := copy(w.queue, w.queue[w.head:])
	clear(w.queue[n:])
	w.queue, w.head = w.queue[:n], 0
}

// next waits for a job; ok is false when there are none and none will come.
func (w *laneWorker) next() (j laneJob, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.head == len(w.queue) {
		if w.closing {
			return laneJob{}, false
		}
		w.queue, w.head = w.queue[:0], 0
		w.wake.Wait()
	}
	j = w.queue[w.head]
	w.queue[w.head] = laneJob{}
	w.head++
	return j, true
}

func (l *Lanes) work(w *laneWorker) {
	defer l.wg.Done()
	// Never unlocked: the thread, with its lowered priority, ends with the goroutine.
	runtime.LockOSThread()
	lowerThreadPriority()
	for {
		j, ok := w.next()
		if !ok {
			return
		}
		l.runJob(j)
		j.of.giveBack(j.bytes)
		l.slots[j.slot].Add(-1)
		w.depth.Add(-1)
		l.done.Add(1)
	}
}

// runJob runs a job; one that panics ends alone. Requests answer their own panics, so
// this is for jobs of the housekeeping.
func (l *Lanes) runJob(j laneJob) {
	defer func() {
		if v := recover(); v != nil {
			l.log.Error("a job in a lane panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	j.run()
}

// lowerThreadPriority makes the calling thread nicer. Not being allowed to is no harm.
func lowerThreadPriority() {
	tid := unix.Gettid()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid) // the system call says 20 - nice
	if err != nil {
		return
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, tid, min(20-raw+laneNiceness, laneNicenessMost))
}

// Depth is how many jobs wait or run in all lanes.
func (l *Lanes) Depth() int64 {
	var n int64
	for _, g := range l.groups() {
		for _, w := range g.workers {
			n += w.depth.Load()
		}
	}
	return n
}

// Bytes is what waiting and running jobs keep alive, in all lanes.
func (l *Lanes) Bytes() int64 {
	var n int64
	for _, g := range l.groups() {
		n += g.bytes.Load()
	}
	return n
}

// stop lets the workers finish what is queued and end. It returns ctx's error, with the
// workers still busy, if that takes longer than ctx allows.
func (l *Lanes) stop(ctx context.Context) error {
	for _, g := range l.groups() {
		for _, w := range g.workers {
			w.mu.Lock()
			w.closing = true
			w.mu.Unlock()
			w.wake.Broadcast()
		}
	}
	done := make(chan struct{})
	go func() {
		l.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package server

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/bits"
	"runtime"
	"runtime/debug"
	"strconv"
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

// LaneKey says in which lane a job runs, and behind which others. What a peer sends can
// name any broker, group or topic there is, but never another kind of lane.
type LaneKey struct {
	kind laneKind
	name routetable.BrokerKey
}

type laneKind uint8

const (
	laneBroker laneKind = iota // name is the broker
	laneGroup                  // name.Addr is the broker group
	laneTopic                  // name.Addr is the topic
	laneConn                   // name.Addr is the connection's number
	laneDisk
	laneList
)

// The lanes that belong to no broker. Each has a worker and a budget of its own: a disk
// that hangs takes neither time nor room from registrations, nor from lists.
var (
	// AdminLane is the lane of requests that wait for a disk (100, 102, 318).
	AdminLane = LaneKey{kind: laneDisk}
	// ListLane is the lane of answers that take long to make and wait for nothing: the
	// lists of a large table (106, 206, 224, 304, 311, 312, 313).
	ListLane = LaneKey{kind: laneList}
)

// BrokerLane is the lane of one broker.
func BrokerLane(broker routetable.BrokerKey) LaneKey { return LaneKey{name: broker} }

// connLane is the lane of large frames that are no broker's.
func connLane(id routetable.ConnID) LaneKey {
	return LaneKey{kind: laneConn, name: routetable.BrokerKey{Addr: strconv.FormatUint(uint64(id), 10)}}
}

// GroupLane is the lane of what an operator does to a broker group (205, 327).
func GroupLane(brokerName string) LaneKey {
	return LaneKey{kind: laneGroup, name: routetable.BrokerKey{Addr: brokerName}}
}

// TopicLane is the lane of what is done to one topic (216, 217).
func TopicLane(topic string) LaneKey {
	return LaneKey{kind: laneTopic, name: routetable.BrokerKey{Addr: topic}}
}

// Lanes run heavy work off the event loops: a few workers, each with a queue. What has
// the same key runs in the order it was submitted, on one worker, one job at a time. The
// key is most often the broker, so that its old and its new connection serialise.
//
// Workers sit on OS threads of lower priority: a loop that has a lookup to answer takes
// the processor from them. Not of the lowest: a collection of garbage waits for every
// thread that runs Go code to come to a stop, so one that the kernel leaves off the
// processor holds up all others. Jobs that compute for long should yield (runtime.Gosched)
// every 200 us or so, for the case that there are more goroutines than processors.
type Lanes struct {
	brokers lanePool // all but the other two
	disk    lanePool // AdminLane
	lists   lanePool // ListLane
	seed    maphash.Seed
	of      *processors
	log     *slog.Logger
	done    atomic.Uint64
	slots   [laneSlots]atomic.Int32 // jobs that wait or run, by hash of the key
	wg      sync.WaitGroup
}

// lanePool is workers that share a budget.
type lanePool struct {
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
// While a job runs the process has all its processors of.
func newLanes(n int, bytesMax int64, of *processors, log *slog.Logger) *Lanes {
	l := &Lanes{seed: maphash.MakeSeed(), of: of, log: log}
	l.start(&l.brokers, n, bytesMax)
	l.start(&l.disk, 1, bytesMax/laneOtherShare)
	l.start(&l.lists, 1, bytesMax/laneOtherShare)
	return l
}

func (l *Lanes) start(g *lanePool, n int, bytesMax int64) {
	g.bytesMax = bytesMax
	for range n {
		w := &laneWorker{}
		w.wake.L = &w.mu
		g.workers = append(g.workers, w)
		l.wg.Add(1)
		go l.work(w)
	}
}

func (l *Lanes) pools() [3]*lanePool { return [...]*lanePool{&l.brokers, &l.disk, &l.lists} }

// pool returns the workers that run the jobs of key.
func (l *Lanes) pool(key LaneKey) *lanePool {
	switch key.kind {
	case laneDisk:
		return &l.disk
	case laneList:
		return &l.lists
	}
	return &l.brokers
}

// Submit queues job behind all that was submitted with key. bytes is what it keeps alive
// while it waits. It reports false, and does nothing, when the lanes of its kind hold as
// many bytes as they may.
func (l *Lanes) Submit(key LaneKey, bytes int, job func()) bool {
	if g := l.pool(key); !g.reserve(bytes) {
		g.rejected.Add(1)
		return false
	}
	l.enqueue(key, bytes, job)
	return true
}

// SubmitAlways is Submit for what must never be refused: an unregistration, the closing
// of a connection.
func (l *Lanes) SubmitAlways(key LaneKey, bytes int, job func()) {
	l.pool(key).force(bytes)
	l.enqueue(key, bytes, job)
}

// Idle reports that no job of key waits or runs. It may say false for a key that is idle,
// when a broker that shares its slot is not; never the other way round.
func (l *Lanes) Idle(key LaneKey) bool {
	return l.slots[l.hash(key)&(laneSlots-1)].Load() == 0
}

// enqueue queues a job whose bytes are accounted for. After stop it is forgotten: its
// request gets no answer, and its connection is about to close.
func (l *Lanes) enqueue(key LaneKey, bytes int, job func()) {
	h := l.hash(key)
	slot := uint32(h & (laneSlots - 1))
	l.slots[slot].Add(1)
	g := l.pool(key)
	// The high half of a 128-bit product: other bits of the hash than the slot's.
	i, _ := bits.Mul64(h, uint64(len(g.workers)))
	if !g.workers[i].put(laneJob{run: job, bytes: bytes, of: &g.laneBudget, slot: slot}) {
		l.slots[slot].Add(-1)
		g.giveBack(bytes)
	}
}

func (l *Lanes) hash(key LaneKey) uint64 {
	h := maphash.String(l.seed, key.name.Addr) ^ bits.RotateLeft64(maphash.String(l.seed, key.name.Cluster), 17)
	return h + uint64(key.kind)*0x9E3779B97F4A7C15 // other kinds lie elsewhere
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
		l.of.begin()
		l.runJob(j)
		l.of.end()
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
	for _, g := range l.pools() {
		for _, w := range g.workers {
			n += w.depth.Load()
		}
	}
	return n
}

// Bytes is what waiting and running jobs keep alive, in all lanes.
func (l *Lanes) Bytes() int64 {
	var n int64
	for _, g := range l.pools() {
		n += g.bytes.Load()
	}
	return n
}

// stop lets the workers finish what is queued and end. It returns ctx's error, with the
// workers still busy, if that takes longer than ctx allows.
func (l *Lanes) stop(ctx context.Context) error {
	for _, g := range l.pools() {
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

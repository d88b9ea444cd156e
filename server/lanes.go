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
	laneNicenessMost = 19
)

// AdminLane is the lane of requests that wait for a disk and belong to no broker (100,
// 102, 318): a worker of its own, so that they hold up no registration.
var AdminLane = routetable.BrokerKey{Cluster: "\x00", Addr: "admin"}

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
	workers  []*laneWorker // the last one is the admin lane's
	seed     maphash.Seed
	log      *slog.Logger
	bytesMax int64
	bytes    atomic.Int64 // of jobs that wait or run
	rejected atomic.Uint64
	done     atomic.Uint64
	slots    [laneSlots]atomic.Int32 // jobs that wait or run, by hash of the key
	wg       sync.WaitGroup
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
	slot  uint32
}

// newLanes starts n workers and one for the admin lane.
func newLanes(n int, bytesMax int64, log *slog.Logger) *Lanes {
	l := &Lanes{seed: maphash.MakeSeed(), log: log, bytesMax: bytesMax}
	for range n + 1 {
		w := &laneWorker{}
		w.wake.L = &w.mu
		l.workers = append(l.workers, w)
		l.wg.Add(1)
		go l.work(w)
	}
	return l
}

// Submit queues job behind all that was submitted with key. bytes is what it keeps alive
// while it waits. It reports false, and does nothing, when the lanes hold as many bytes
// as they may.
func (l *Lanes) Submit(key routetable.BrokerKey, bytes int, job func()) bool {
	if !l.reserve(bytes) {
		return false
	}
	l.enqueue(key, bytes, job)
	return true
}

// SubmitAlways is Submit for what must never be refused: an unregistration, the closing
// of a connection.
func (l *Lanes) SubmitAlways(key routetable.BrokerKey, bytes int, job func()) {
	l.force(bytes)
	l.enqueue(key, bytes, job)
}

// Idle reports that no job of key waits or runs. It may say false for a key that is idle,
// when a broker that shares its slot is not; never the other way round.
func (l *Lanes) Idle(key routetable.BrokerKey) bool {
	return l.slots[l.hash(key)&(laneSlots-1)].Load() == 0
}

// crowded reports that the lanes hold more than half of what they may.
func (l *Lanes) crowded() bool { return l.bytes.Load() > l.bytesMax/2 }

// reserve accounts for a job to come, if there is room. A part of the room is closed to
// large jobs: some dozen of them, which any peer can send, must not leave all brokers with
// small registrations outside.
func (l *Lanes) reserve(bytes int) bool {
	bytesMax := l.bytesMax
	if bytes > largeFrameBytes {
		bytesMax -= bytesMax / laneSmallShare
	}
	if l.bytes.Add(int64(bytes)) > bytesMax {
		l.bytes.Add(-int64(bytes))
		l.rejected.Add(1)
		return false
	}
	return true
}

// force accounts for a job to come, room or not.
func (l *Lanes) force(bytes int) { l.bytes.Add(int64(bytes)) }

// enqueue queues a job whose bytes are accounted for. After stop it is forgotten: its
// request gets no answer, and its connection is about to close.
func (l *Lanes) enqueue(key routetable.BrokerKey, bytes int, job func()) {
	h := l.hash(key)
	slot := uint32(h & (laneSlots - 1))
	l.slots[slot].Add(1)
	w := l.workers[len(l.workers)-1]
	if key != AdminLane {
		// The high half of a 128-bit product: other bits of the hash than the slot's.
		i, _ := bits.Mul64(h, uint64(len(l.workers)-1))
		w = l.workers[i]
	}
	if !w.put(laneJob{run: job, bytes: bytes, slot: slot}) {
		l.slots[slot].Add(-1)
		l.bytes.Add(-int64(bytes))
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
		l.bytes.Add(-int64(j.bytes))
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
	for _, w := range l.workers {
		n += w.depth.Load()
	}
	return n
}

// Bytes is what waiting and running jobs keep alive.
func (l *Lanes) Bytes() int64 { return l.bytes.Load() }

// stop lets the workers finish what is queued and end. It returns ctx's error, with the
// workers still busy, if that takes longer than ctx allows.
func (l *Lanes) stop(ctx context.Context) error {
	for _, w := range l.workers {
		w.mu.Lock()
		w.closing = true
		w.mu.Unlock()
		w.wake.Broadcast()
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

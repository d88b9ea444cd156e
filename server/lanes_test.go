package server

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/routetable"
)

func startLanes(t *testing.T, n int, bytesMax int64) *Lanes {
	t.Helper()
	l := newLanes(n, bytesMax, &processors{}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := l.stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return l
}

// Goal: jobs of a broker run in order, one at a time. Method: jobs of many brokers from
// one submitter; each broker's must see its own counter in order.
func TestLanesKeepTheOrderOfABroker(t *testing.T) {
	l := startLanes(t, 3, 1<<40)
	const brokers, jobs = 50, 200
	last := make([]int, brokers)
	running := make([]sync.Mutex, brokers)
	for j := range jobs {
		for b := range brokers {
			ok := l.Submit(BrokerLane(routetable.BrokerKey{Cluster: "c", Addr: strconv.Itoa(b)}), 1, func() {
				if !running[b].TryLock() {
					t.Errorf("two jobs of broker %d at once", b)
					return
				}
				defer running[b].Unlock()
				if last[b] != j {
					t.Errorf("broker %d: job %d ran after %d", b, j, last[b])
				}
				last[b]++
			})
			if !ok {
				t.Fatal("refused")
			}
		}
	}
	eventually(t, "all is done", func() bool { return l.Depth() == 0 })
	if l.done.Load() != brokers*jobs || l.Bytes() != 0 {
		t.Errorf("%d done, %d bytes left", l.done.Load(), l.Bytes())
	}
}

// A key whose job waits or runs is never idle.
func TestLanesIdle(t *testing.T) {
	l := startLanes(t, 1, 1<<20)
	a, b := BrokerLane(routetable.BrokerKey{Addr: "a"}), BrokerLane(routetable.BrokerKey{Addr: "b"})
	hold, started := make(chan struct{}), make(chan struct{})
	if !l.Idle(a) {
		t.Error("busy from the start")
	}
	l.Submit(a, 1, func() { close(started); <-hold })
	l.Submit(b, 1, func() {})
	<-started
	if l.Idle(a) {
		t.Error("idle while its job runs")
	}
	if l.Idle(b) {
		t.Error("idle while its job waits")
	}
	close(hold)
	eventually(t, "both are idle", func() bool { return l.Idle(a) && l.Idle(b) })
}

func TestLanesAreBoundedByBytes(t *testing.T) {
	l := startLanes(t, 1, 100)
	hold := make(chan struct{})
	job := func() { <-hold }
	key := BrokerLane(routetable.BrokerKey{Addr: "a"})
	if !l.Submit(key, 60, job) || !l.Submit(key, 40, job) {
		t.Fatal("refused with room left")
	}
	if l.Submit(key, 1, job) || l.brokers.rejected.Load() != 1 || l.Bytes() != 100 {
		t.Error("accepted, or counted, without room")
	}
	l.SubmitAlways(key, 1000, job) // an unregistration
	if l.Bytes() != 1100 {
		t.Errorf("%d bytes", l.Bytes())
	}
	close(hold)
	eventually(t, "there is room again", func() bool { return l.Submit(key, 100, func() {}) })
}

// A queue that never runs dry takes no more room than what waits in it, and keeps its order.
func TestLaneQueueIsReused(t *testing.T) {
	w := &laneWorker{}
	w.wake.L = &w.mu
	const jobs, waiting = 100_000, 3
	for i := range uint32(jobs) {
		if !w.put(laneJob{slot: i}) {
			t.Fatal("refused")
		}
		if i < waiting {
			continue
		}
		if j, ok := w.next(); !ok || j.slot != i-waiting {
			t.Fatalf("job %d came where %d was due", j.slot, i-waiting)
		}
	}
	if n := cap(w.queue); n > 64 {
		t.Errorf("room for %d jobs, %d wait", n, waiting)
	}
}

func TestLanesSurviveAPanic(t *testing.T) {
	l := startLanes(t, 1, 100)
	key := BrokerLane(routetable.BrokerKey{Addr: "a"})
	l.Submit(key, 1, func() { panic("on purpose") })
	ran := make(chan struct{})
	l.Submit(key, 1, func() { close(ran) })
	<-ran
}

// A disk that hangs in the admin lane holds up no broker.
func TestAdminLaneIsApart(t *testing.T) {
	l := startLanes(t, 1, 100)
	hold := make(chan struct{})
	l.Submit(AdminLane, 1, func() { <-hold })
	for b := range 20 {
		ran := make(chan struct{})
		l.Submit(BrokerLane(routetable.BrokerKey{Addr: strconv.Itoa(b)}), 1, func() { close(ran) })
		<-ran
	}
	close(hold)
}

func TestLanesFinishWhatIsQueuedBeforeTheyStop(t *testing.T) {
	l := newLanes(2, 1<<20, &processors{}, slog.New(slog.DiscardHandler))
	var mu sync.Mutex
	ran := 0
	for i := range 1000 {
		l.Submit(BrokerLane(routetable.BrokerKey{Addr: strconv.Itoa(i)}), 1, func() {
			mu.Lock()
			ran++
			mu.Unlock()
		})
	}
	if err := l.stop(context.Background()); err != nil || ran != 1000 {
		t.Errorf("%d jobs ran: %v", ran, err)
	}
}

// SYSTEM_BUSY is the answer when the lanes are full, for small frames and large ones.
func TestFullLanesAnswerBusy(t *testing.T) {
	hold := make(chan struct{})
	routes := append(testRoutes(), route{code: 100, name: "HOLD", serve: func(_ *handlers, rq *Request) {
		rq.OffloadAlways(AdminLane, func(*Pending) { <-hold })
	}})
	ts := startServer(t, Options{LaneBytesMax: 1000}, routes)
	defer close(hold)
	ts.dial().send(requestFlag(100, 1, 2, nil)) // never refused
	eventually(t, "it holds the lane", func() bool { return ts.lanes.Depth() == 1 })
	p := ts.dial()
	for _, body := range []int{10, 100_000} {
		for _, code := range []int32{testLane, testEcho, testStream} {
			if code == testEcho && body < largeFrameBytes {
				continue // answered on the loop
			}
			p.send(request(code, 2, pattern(body)))
			if a := p.answer(); a.Code != 2 || string(a.Remark) != "[OVERLOAD]system busy, start flow control for a while" {
				t.Errorf("code %d with %d bytes: code %d remark %q", code, body, a.Code, a.Remark)
			}
		}
	}
	eventually(t, "only the held job's bytes are left", func() bool { return ts.lanes.Depth() == 1 && ts.inbound.held.Load() == 0 })
}

// Goal: no name that a peer can send leads into a lane that is not its kind's. Method:
// brokers, groups and topics named as internals once were, or as each other, with the
// disk's and the lists' lane held.
func TestNoNameLeadsToAnotherKindOfLane(t *testing.T) {
	l := startLanes(t, 1, 1<<20)
	hold := make(chan struct{})
	defer close(hold)
	l.Submit(AdminLane, 1, func() { <-hold })
	l.Submit(ListLane, 1, func() { <-hold })
	var wg sync.WaitGroup
	for _, cluster := range []string{"", "\x00", "\x00conn", "\x00group", "\x00topic"} {
		for _, addr := range []string{"", "admin", "list", "1"} {
			for _, key := range []LaneKey{BrokerLane(routetable.BrokerKey{Cluster: cluster, Addr: addr}), GroupLane(addr), TopicLane(addr)} {
				if l.pool(key) != &l.brokers {
					t.Errorf("%+v is not among the brokers'", key)
				}
				wg.Add(1)
				l.Submit(key, 1, wg.Done)
			}
		}
	}
	wg.Wait() // while the two lanes are held
	different := map[uint64]LaneKey{}
	for _, key := range []LaneKey{AdminLane, ListLane, BrokerLane(routetable.BrokerKey{}), GroupLane(""), TopicLane(""), connLane(0)} {
		if other, ok := different[l.hash(key)]; ok {
			t.Errorf("%+v and %+v share a slot", key, other)
		}
		different[l.hash(key)] = key
	}
}

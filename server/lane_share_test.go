package server

import (
	"strconv"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// Goal: a peer that pipelines requests for the lanes, refusable or not, cannot fill their
// budget, loses none of them, and takes nobody else's place. Method: the lane is held up
// while one connection sends 5,000 of them, half of each kind; meanwhile another connection
// has one request served, and at the end all are answered.
func TestPipelinedLaneRequestsWaitInTheirConnection(t *testing.T) {
	hold := make(chan struct{})
	routes := append(testRoutes(),
		route{code: 1, name: "HOLD", serve: func(_ *handlers, rq *Request) {
			rq.Offload(AdminLane, func(p *Pending) { <-hold; p.Reply(codec.Success, "", nil) })
		}},
		route{code: 2, name: "HOLD_ALWAYS", serve: func(_ *handlers, rq *Request) {
			rq.OffloadAlways(AdminLane, func(p *Pending) { <-hold; p.Reply(codec.Success, "", nil) })
		}})
	ts := startServer(t, Options{LaneBytesMax: 8 << 20}, routes)
	const requests = 5000
	var all []byte
	for i := range int32(requests) {
		all = append(all, request(1+i%2, i, nil)...)
	}
	greedy, other := ts.dial(), ts.dial()
	go func() { _, _ = greedy.Write(all) }()
	eventually(t, "the share is used up", func() bool { return ts.lanes.Depth() == laneShareJobs })
	other.send(request(testLane, 7, []byte("x")))
	if a := other.answer(); a.Code != codec.Success || a.Opaque != 7 {
		t.Errorf("another connection: code %d %s", a.Code, a.Remark)
	}
	if depth := ts.lanes.Depth(); depth > laneShareJobs+1 || ts.lanes.disk.rejected.Load() != 0 {
		t.Errorf("%d jobs wait, %d were refused", depth, ts.lanes.disk.rejected.Load())
	}
	close(hold)
	for i := range int32(requests) {
		if a := greedy.answer(); a.Opaque != i || a.Code != codec.Success {
			t.Fatalf("answer %d: opaque %d code %d %s", i, a.Opaque, a.Code, a.Remark)
		}
	}
	eventually(t, "nothing is left", func() bool { return ts.lanes.Depth() == 0 && ts.lanes.Bytes() == 0 })
}

// Goal: a connection that waits for its lane is not taken for one that is stuck in a frame
// or does not read. Method: the lane works for longer than both are allowed to take.
func TestWaitingForALaneIsNoStall(t *testing.T) {
	routes := append(testRoutes(), route{code: 1, name: "SLOW", serve: func(_ *handlers, rq *Request) {
		rq.Offload(AdminLane, func(p *Pending) { time.Sleep(20 * time.Millisecond); p.ReplyBody(codec.Success, "", nil, p.Body()) })
	}})
	ts := startServer(t, Options{PartialFrameStallMillis: 300, OutboundStallMillis: 300}, routes)
	var all []byte
	const requests = laneShareJobs + 10
	for i := range int32(requests) {
		all = append(all, request(1, i, []byte(strconv.Itoa(int(i))))...)
	}
	p := ts.dial()
	p.send(all)
	for i := range int32(requests) {
		if a := p.answer(); a.Opaque != i || string(a.Body) != strconv.Itoa(int(i)) {
			t.Fatalf("answer %d: opaque %d body %q", i, a.Opaque, a.Body)
		}
	}
}

func TestLaneShare(t *testing.T) {
	l := startLanes(t, 1, 1<<20)
	b := &l.brokers.laneBudget
	s := laneShare{waitsFor: b}
	if s.used(b) || !s.free() {
		t.Error("an idle connection must wait")
	}
	s.take(laneShareBytes)
	if !s.used(b) || s.free() {
		t.Error("a large job leaves room for another")
	}
	s.giveBack(laneShareBytes)
	s.take(1)
	if s.used(b) || !s.free() {
		t.Error("a small job leaves no room")
	}
	hold := make(chan struct{})
	defer close(hold)
	l.SubmitAlways(BrokerLane(routetable.BrokerKey{}), 1<<20, func() { <-hold }) // full lanes
	if !s.used(b) || s.free() {
		t.Error("a second job, though the lanes are full")
	}
	s.giveBack(1)
	if s.used(b) || !s.free() {
		t.Error("no job at all, since the lanes are full")
	}
}

// Large jobs leave room for small ones.
func TestLargeJobsLeaveRoomForSmallOnes(t *testing.T) {
	l := startLanes(t, 1, 1<<20)
	hold := make(chan struct{})
	defer close(hold)
	for i := 0; l.Submit(BrokerLane(routetable.BrokerKey{}), largeFrameBytes+1, func() { <-hold }); i++ {
		if i > 100 {
			t.Fatal("never full")
		}
	}
	if !l.Submit(BrokerLane(routetable.BrokerKey{}), largeFrameBytes, func() {}) {
		t.Error("no room for a small job")
	}
}

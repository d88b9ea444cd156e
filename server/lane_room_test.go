package server

import (
	"context"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// fillLanes keeps the brokers' lanes full until the returned function is called.
func (ts *testServer) fillLanes() (empty func()) {
	hold := make(chan struct{})
	ts.lanes.SubmitAlways(BrokerLane(routetable.BrokerKey{Addr: "full"}), int(ts.o.LaneBytesMax), func() { <-hold })
	return func() { close(hold) }
}

// Goal: requests that lanes have no room for wait, small and large, and are served when there
// is room. Method: lanes are full while 200 connections ask.
func TestRequestsWaitForRoomInLanes(t *testing.T) {
	ts := startServer(t, Options{LaneBytesMax: 16 << 20}, testRoutes())
	empty := ts.fillLanes()
	small := pattern(2000)
	large := pattern(200_000)
	var peers []*peer
	for i := range int32(200) {
		p := ts.dial()
		p.send(append(request(testLane, 2*i, small), request(testEcho, 2*i+1, small)...))
		peers = append(peers, p)
	}
	last := ts.dial()
	last.send(request(testStream, 7, large))
	eventually(t, "they wait", func() bool { return ts.Stats(context.Background()).Loops.PausedConnections == 201 })
	if other := ts.dial(); !other.served() {
		t.Error("a lookup waits for lanes")
	}
	time.Sleep(200 * time.Millisecond)
	empty()
	for i, p := range peers {
		sum := int32(0)
		for range 2 {
			a := p.answer()
			if sum += a.Opaque; a.Code != codec.Success || len(a.Body) != len(small) {
				t.Fatalf("connection %d: opaque %d code %d %s", i, a.Opaque, a.Code, a.Remark)
			}
		}
		if sum != int32(4*i+1) {
			t.Fatalf("connection %d: answers to something else", i)
		}
	}
	if a := last.answer(); a.Code != codec.Success || len(a.Body) != len(large) {
		t.Errorf("the large one: code %d %s", a.Code, a.Remark)
	}
	if st := ts.Stats(context.Background()); st.Lanes.Rejected != 0 || st.Loops.FramesIn != 402 {
		t.Errorf("%d rejected, %d frames", st.Lanes.Rejected, st.Loops.FramesIn)
	}
}

// Who has waited for long is refused, and served again afterwards.
func TestRoomIsNotWaitedForForever(t *testing.T) {
	ts := startServer(t, Options{LaneBytesMax: 16 << 20}, testRoutes())
	empty := ts.fillLanes()
	p, q := ts.dial(), ts.dial()
	start := time.Now()
	p.send(request(testLane, 1, pattern(2000)))
	q.send(request(testStream, 1, pattern(200_000)))
	for _, p := range []*peer{p, q} {
		a := p.answer()
		if took := time.Since(start); a.Code != codec.SystemBusy || took < roomPatienceMillis*time.Millisecond/2 {
			t.Errorf("code %d after %v", a.Code, took)
		}
	}
	empty()
	for _, p := range []*peer{p, q} {
		p.send(request(testLane, 2, nil))
		if a := p.answer(); a.Code != codec.Success || a.Opaque != 2 {
			t.Errorf("code %d, opaque %d", a.Code, a.Opaque)
		}
	}
}

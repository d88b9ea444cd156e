package server

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// intakeConns are connections of a loop that is told nothing: what a test asks of an intake.
func intakeConns(t *testing.T, n int) []*connection {
	l, _, _ := fakeLoop(t)
	conns := make([]*connection, n)
	for i := range conns {
		conns[i] = l.srv.newConnection(l.srv.conns.nextID(), l, &fakeWire{}, "test")
	}
	return conns
}

// Who has least to come goes first, waiting counts, and who wasted its room comes last; one
// frame always has room.
func TestIntakeOrder(t *testing.T) {
	in := &intake{maxBytes: 1000_000}
	c := intakeConns(t, 6)
	f := func(conn *connection, bytes int, nowMillis int64, want bool) {
		t.Helper()
		if got := in.admit(conn, bytes, nowMillis); got != want {
			t.Fatalf("admitted %v, want %v", got, want)
		}
	}
	granted := func(want ...int) {
		t.Helper()
		for i := range c {
			is := false
			for _, w := range want {
				is = is || w == i
			}
			if in.holds(c[i]) != is {
				t.Fatalf("connection %d has room: %v, want %v", i, !is, is)
			}
		}
	}
	f(c[0], 5_000_000, 0, true) // more than there is, and alone
	f(c[1], 300_000, 0, false)
	f(c[2], 200_000, 0, false)
	f(c[3], 600_000, 0, false)
	f(c[4], 100_000, 300, false) // smaller than any, but later
	granted(0)
	if !in.demote(c[0], 4_000_000, 400) {
		t.Fatal("it keeps its room though others wait")
	}
	granted(2, 1, 4) // 200,000 and 300,000 and 100,000; 600,000 more do not fit
	if !in.wasted(c[0]) || in.wasted(c[3]) {
		t.Error("the wrong one wasted its room")
	}
	f(c[5], 50_000, 700, false) // would fit, but it is not its turn
	in.giveBack(in.handOver(c[2]))
	granted(1, 4, 3)
	in.forget(c[3])
	granted(1, 4, 5)
	in.giveBack(in.handOver(c[1]))
	in.giveBack(in.handOver(c[4]))
	granted(5)
	in.forget(c[5])
	granted(0)
	if in.demote(c[0], 1, 600) {
		t.Error("it lost its room, and nobody waits")
	}
	in.forget(c[0])
	if st := in.stats(); st.Bytes != 0 || st.Waiting != 0 || st.Demoted != 1 {
		t.Errorf("left over: %+v", st)
	}
}

// Goal: however many large frames come at once, all are served, none is refused, and what they
// take stays within their part of the budget. Method: 30 connections send 1 MB each, twice,
// against a budget for four of them.
func TestLargeFramesWaitTheirTurn(t *testing.T) {
	for _, loops := range []int{1, 2} {
		const budget, peers = 8 << 20, 30
		ts := startServer(t, Options{EventLoops: loops, PartialFrameBytesMax: budget, LaneBytesMax: budget}, testRoutes())
		body := pattern(1 << 20)
		var all []*peer
		for i := range int32(peers) {
			p := ts.dial()
			all = append(all, p)
			go func() { _, _ = p.Write(append(request(testStream, i, body), request(testStream, i, body)...)) }()
		}
		for i, p := range all {
			for range 2 {
				if a := p.answer(); a.Code != codec.Success || a.Opaque != int32(i) || !bytes.Equal(a.Body, body) {
					t.Fatalf("answer to %d: code %d opaque %d, %d bytes", i, a.Code, a.Opaque, len(a.Body))
				}
			}
		}
		st := ts.Stats(context.Background())
		// Beside the frames that have their turn, each connection may have begun one.
		if most := int64(budget/2 + peers*(defaultReadBuffer+2*blockBytes)); st.Inbound.PeakBytes > most || st.Inbound.Evicted != 0 || st.Lanes.Rejected != 0 {
			t.Errorf("peak %d bytes, want at most %d; %d evicted, %d rejected", st.Inbound.PeakBytes, most, st.Inbound.Evicted, st.Lanes.Rejected)
		}
		if st.Loops.PausedConnections == 0 {
			t.Error("nobody had to wait: this tested nothing")
		}
		eventually(t, "all room is given back", func() bool {
			in := ts.intake.stats()
			return in.Bytes == 0 && in.Waiting == 0 && ts.inbound.held.Load() == 0
		})
	}
}

// Goal: who has room for a large frame and does not send it holds up nobody for long, and is
// closed. Method: 6 connections announce 6 MB each, to a server that has room for one of
// them, and send a part; another's frame must get through, and lookups at once.
func TestStalledLargeFramesLoseTheirRoom(t *testing.T) {
	ts := startServer(t, Options{PartialFrameBytesMax: 16 << 20, LaneBytesMax: 16 << 20, intakeLookMillis: 200}, testRoutes())
	large := request(testStream, 1, pattern(6<<20))
	var stalled []*peer
	for range 6 {
		p := ts.dial()
		p.send(large[:100_000])
		stalled = append(stalled, p)
	}
	eventually(t, "they wait", func() bool { return ts.intake.stats().Waiting > 0 })
	honest := ts.dial()
	body := pattern(7 << 20)
	go func() { _, _ = honest.Write(request(testStream, 2, body)) }()
	small := ts.dial()
	for range 20 {
		if !small.served() {
			t.Fatal("a small request waits for large ones")
		}
	}
	if a := honest.answer(); a.Code != codec.Success || !bytes.Equal(a.Body, body) {
		t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
	}
	if st := ts.Stats(context.Background()); st.Intake.Demoted == 0 || st.Inbound.Evicted != 0 {
		t.Errorf("%+v, %d evicted", st.Intake, st.Inbound.Evicted)
	}
	for _, p := range stalled[:3] { // as long as they are in each other's way
		p.closedWithin(60 * time.Second)
	}
	if n := ts.closes(ClosePartialStalled); n < 3 {
		t.Errorf("%d closed as stalled", n)
	}
}

// Goal: who sends all the time, but slowly, holds up an honest sender no longer than others
// do. Method: 6 connections send frames at a rate at which each would take 12 s, to a server
// that has room for one of them; another's frame must get through before any of theirs.
func TestSlowLargeFramesLoseTheirRoom(t *testing.T) {
	ts := startServer(t, Options{PartialFrameBytesMax: 16 << 20, LaneBytesMax: 16 << 20, intakeLookMillis: 200}, testRoutes())
	large := request(testStream, 1, pattern(6<<20))
	slow := make(chan struct{}, 6)
	for range 6 {
		p := ts.dial()
		go func() {
			for rest := large; len(rest) > 0; time.Sleep(200 * time.Millisecond) {
				n := min(len(rest), 100_000)
				if _, err := p.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
			slow <- struct{}{}
		}()
	}
	eventually(t, "they wait", func() bool { return ts.intake.stats().Waiting > 0 })
	honest := ts.dial()
	body := pattern(7 << 20)
	go func() { _, _ = honest.Write(request(testStream, 2, body)) }()
	if a := honest.answer(); a.Code != codec.Success || !bytes.Equal(a.Body, body) {
		t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
	}
	if len(slow) > 0 || ts.intake.stats().Demoted == 0 {
		t.Errorf("%d slow ones came first, %+v", len(slow), ts.intake.stats())
	}
}

// A connection that waits, for its turn or for its lane, is not taken for a stalled or an idle
// one.
func TestWaitingForItsTurnIsNoStall(t *testing.T) {
	ts := startServer(t, Options{PartialFrameBytesMax: 4 << 20, LaneBytesMax: 8 << 20, PartialFrameStallMillis: 400, IdleSeconds: 1}, testRoutes())
	hold := make(chan struct{})
	ts.lanes.SubmitAlways(BrokerLane(routetable.BrokerKey{Addr: "stream"}), 0, func() { <-hold })
	frame := request(testStream, 1, pattern(1_500_000))
	first, second := ts.dial(), ts.dial()
	first.send(frame)
	eventually(t, "it has room", func() bool { return ts.intake.stats().Bytes > 0 })
	go func() { _, _ = second.Write(frame) }()
	eventually(t, "the other waits", func() bool { return ts.intake.stats().Waiting == 1 })
	time.Sleep(2500 * time.Millisecond)
	close(hold)
	for _, p := range []*peer{first, second} {
		if a := p.answer(); a.Code != codec.Success || len(a.Body) != 1_500_000 {
			t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
		}
	}
}

// Who waits and hangs up, or is there when the server stops, leaves nothing behind.
func TestHangingUpWhileWaiting(t *testing.T) {
	ts := startServer(t, Options{PartialFrameBytesMax: 4 << 20, LaneBytesMax: 4 << 20}, testRoutes())
	frame := request(testStream, 1, pattern(2<<20))
	first := ts.dial()
	first.send(frame[:1<<20])
	eventually(t, "it has room", func() bool { return ts.intake.stats().Bytes > 0 })
	var rest []*peer
	for range 10 {
		p := ts.dial()
		p.send(frame[:70_000])
		rest = append(rest, p)
	}
	eventually(t, "they wait", func() bool { return ts.intake.stats().Waiting == 10 })
	for _, p := range rest[:5] {
		_ = p.Conn.(*net.TCPConn).SetLinger(0) // a reset is noticed though nobody reads
		_ = p.Close()
	}
	eventually(t, "resets are noticed", func() bool { return ts.intake.stats().Waiting == 5 })
	if n := ts.closes(CloseBroken); n != 5 {
		t.Errorf("%d closed as broken, want 5", n)
	}
	for _, p := range rest[5:8] {
		_ = p.Close()
	}
	_ = first.Close()
	eventually(t, "ends of input are noticed in their turn", func() bool { return ts.closes(ClosePeer)+ts.closes(CloseBroken) == 9 })
}

package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

func (ts *testServer) closes(reason CloseReason) uint64 {
	return ts.Stats(context.Background()).Loops.Closes[reason]
}

// smallBuffers makes the kernel hold little for a reader that does not read.
func smallBuffers(p *peer) *peer {
	_ = p.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	return p
}

// Goal: a peer that asks and does not read is closed, with a reason; one that reads
// slowly is not, however long it takes. Method: both ask for 200 answers of 100 kB, with
// small socket buffers; one reads nothing, the other 4 times what it needs not to stall.
func TestOnlyWhoDoesNotReadIsClosed(t *testing.T) {
	ts := startServer(t, Options{OutboundStallMillis: 1000, SocketSendBufferBytes: 32 << 10}, testRoutes())
	const requests, size = 60, 100_000
	var all []byte
	for range requests {
		all = append(all, request(testBlob, size, nil)...)
	}
	deaf, slow := smallBuffers(ts.dial()), smallBuffers(ts.dial())
	deaf.send(all)
	slow.send(all)

	start := time.Now()
	got, buf := 0, make([]byte, 64<<10)
	for got < requests*size/2 || time.Since(start) < 4*time.Second {
		time.Sleep(50 * time.Millisecond)
		_ = slow.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := slow.Read(buf)
		if err != nil {
			t.Fatalf("the slow reader was closed after %v and %d bytes: %v", time.Since(start), got, err)
		}
		got += n
	}
	if n := ts.closes(CloseOutboundStalled); n != 1 {
		t.Errorf("%d connections closed as stalled, want the deaf one", n)
	}
	if !ts.logged("its peer does not read its replies") {
		t.Error("no line says so")
	}
	// And the slow one gets all there is to get.
	_ = slow.SetReadDeadline(time.Now().Add(10 * time.Second))
	if rest, err := io.Copy(io.Discard, io.LimitReader(slow, int64(requests*size-got))); err != nil {
		t.Fatalf("after %d bytes more: %v", rest, err)
	}
}

// Goal: what waits for one peer is bounded while it does not read, and its requests are
// answered once it does.
func TestUnreadRepliesPauseTheirConnection(t *testing.T) {
	const pause = 256 << 10
	ts := startServer(t, Options{OutboundPauseBytes: pause, SocketSendBufferBytes: 32 << 10}, testRoutes())
	p := smallBuffers(ts.dial())
	const requests, size = 400, 50_000
	var all []byte
	for range requests {
		all = append(all, request(testBlob, size, nil)...)
	}
	p.send(all)
	eventually(t, "the connection is paused", func() bool {
		return ts.Stats(context.Background()).Loops.PausedConnections > 0
	})
	time.Sleep(300 * time.Millisecond)
	st := ts.Stats(context.Background())
	if most := int64(pause + flushBytes + 2*size); st.Outbound.PeakBytes > most {
		t.Errorf("%d bytes were queued for one peer, want at most %d", st.Outbound.PeakBytes, most)
	}
	for i := range requests {
		if a := p.answer(); len(a.Body) != size {
			t.Fatalf("answer %d: %d bytes", i, len(a.Body))
		}
	}
}

// A peer that neither reads nor stops asking is not read from, and closed since it does not
// read: what it asked stays with it.
func TestWhoFillsBothDirectionsIsClosed(t *testing.T) {
	ts := startServer(t, Options{SocketSendBufferBytes: 32 << 10, OutboundStallMillis: 1500}, testRoutes())
	p := smallBuffers(ts.dial())
	some := bytes.Repeat(request(testBlob, 100_000, nil), 1000)
	_ = p.SetWriteDeadline(time.Now().Add(20 * time.Second))
	var err error
	for sent := 0; err == nil && sent < 256<<20; sent += len(some) {
		_, err = p.Write(some)
	}
	if err == nil || isTimeout(err) {
		t.Fatalf("the connection was not closed: %v", err)
	}
	if n := ts.closes(CloseOutboundStalled); n != 1 {
		t.Errorf("%d closes for unread replies, want 1", n)
	}
	if st := ts.Stats(context.Background()); st.Inbound.PeakBytes > 1<<20 {
		t.Errorf("%d bytes of its requests were taken in", st.Inbound.PeakBytes)
	}
}

// Half headers and half frames, below and above the size that is received in blocks: all
// are closed when nothing comes any more, and none while something does.
func TestStalledPartialFramesAreClosed(t *testing.T) {
	ts := startServer(t, Options{PartialFrameStallMillis: 500}, testRoutes())
	frame := request(testEcho, 1, pattern(200_000))
	small := request(testEcho, 1, pattern(100))
	var stalled []*peer
	for _, part := range [][]byte{small[:3], small[:7], small[:20], small[:len(small)-1], frame[:11], frame[:1000], frame[:100_000]} {
		p := ts.dial()
		p.send(part)
		stalled = append(stalled, p)
	}
	slow, quiet := ts.dial(), ts.dial()
	start := time.Now()
	for rest := small; len(rest) > 1; rest = rest[1:] {
		slow.send(rest[:1])
		time.Sleep(20 * time.Millisecond)
		if time.Since(start) > 3*time.Second {
			slow.send(rest[1:])
			break
		}
	}
	for _, p := range stalled {
		p.closedWithin(5 * time.Second)
	}
	if n := ts.closes(ClosePartialStalled); n != uint64(len(stalled)) {
		t.Errorf("%d closes, want %d", n, len(stalled))
	}
	if !quiet.served() {
		t.Error("a connection that sent nothing was closed")
	}
	eventually(t, "all is given back", func() bool { return ts.inbound.held.Load() == 0 })
}

// Goal: the budget for unfinished frames is taken from those who make no progress.
// Method: stalled requests fill twice the budget, each below the size that has to wait for its
// turn; one upload goes on all the while.
func TestStalestPartialFramesGoFirst(t *testing.T) {
	const budget = 8 << 20
	ts := startServer(t, Options{PartialFrameBytesMax: budget}, testRoutes())
	body := pattern(4 << 20)
	frame := request(testEcho, 1, body)
	honest := ts.dial()
	finished := make(chan bool)
	go func() {
		defer close(finished)
		for rest := frame; len(rest) > 0; {
			n := min(len(rest), 32<<10)
			if _, err := honest.Write(rest[:n]); err != nil {
				t.Errorf("the upload that goes on was closed: %v", err)
				return
			}
			rest = rest[n:]
			time.Sleep(5 * time.Millisecond)
		}
	}()
	small := request(testEcho, 1, pattern(60_000))
	for range 2 * budget / len(small) {
		p := ts.dial()
		_, _ = p.Write(small[:len(small)-1]) // a victim may be closed while it sends
		time.Sleep(2 * time.Millisecond)
	}
	<-finished
	if a := honest.answer(); !bytes.Equal(a.Body, body) {
		t.Error("the upload that went on was answered wrongly")
	}
	st := ts.Stats(context.Background())
	if st.Inbound.Evicted == 0 || st.Inbound.PeakBytes > 2*budget {
		t.Errorf("%d evicted, peak %d bytes with a budget of %d", st.Inbound.Evicted, st.Inbound.PeakBytes, budget)
	}
	if !ts.logged("too much of what was received waits") {
		t.Error("no line says so")
	}
}

// The budget for unsent answers is taken from those to whom most is owed.
func TestBiggestUnreadRepliesGoFirst(t *testing.T) {
	ts := startServer(t, Options{OutboundBytesMax: 2 << 20, SocketSendBufferBytes: 32 << 10}, testRoutes())
	little := smallBuffers(ts.dial())
	little.send(request(testBlob, 200_000, nil))
	for range 10 {
		p := smallBuffers(ts.dial())
		p.send(bytes.Repeat(request(testBlob, 100_000, nil), 100))
	}
	eventually(t, "somebody is closed", func() bool { return ts.closes(CloseOutboundMemory) > 0 })
	eventually(t, "the budget holds", func() bool { return ts.outbound.held.Load() <= 2<<20 })
	if a := little.answer(); len(a.Body) != 200_000 {
		t.Errorf("the peer with little to read got %d bytes", len(a.Body))
	}
}

// Goal: a connection that floods does not hold up the others. Method: one connection
// keeps 1,000 requests for 20 kB outstanding; another's requests are timed. Who starves does
// so every time; that others had the processor does not happen three times.
func TestFloodingConnectionStarvesNobody(t *testing.T) {
	for range 3 {
		if besideFlood(t) {
			return
		}
	}
	t.Error("requests beside a flood take too long")
}

// besideFlood reports whether at most one request in a hundred took longer than 100 ms.
func besideFlood(t *testing.T) bool {
	ts := startServer(t, Options{}, testRoutes())
	flood, calm := ts.dial(), ts.dial()
	hundred := bytes.Repeat(request(testBlob, 20_000, nil), 100)
	flood.send(bytes.Repeat(hundred, 10))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for answers := 1; ; answers++ {
			if _, err := flood.tryFrame(10 * time.Second); err != nil {
				return
			}
			if answers%100 == 0 {
				_, _ = flood.Write(hundred)
			}
		}
	}()
	const requests, slowMillis = 300, 100
	slow, slowest := 0, time.Duration(0)
	for range requests {
		start := time.Now()
		if !calm.served() {
			t.Fatal("not served")
		}
		took := time.Since(start)
		slowest = max(slowest, took)
		if took > slowMillis*time.Millisecond {
			slow++
		}
		time.Sleep(time.Millisecond)
	}
	_ = flood.Close()
	<-ended
	st := ts.Stats(context.Background())
	if st.Loops.BoundedCallbacks == 0 {
		t.Error("no callback stopped at its bound: this tested nothing")
	}
	t.Logf("%d of %d requests beside a flood took longer than %d ms, the slowest %v; longest callback %v",
		slow, requests, slowMillis, slowest, time.Duration(st.Loops.LongestNanos))
	return slow <= requests/100
}

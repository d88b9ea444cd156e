package server

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Goal: a body is the same whether its pieces are copied or read to where they lie, in any mixture.
// Method: every step in turn by the one way and the other, as many bytes as each takes.
func TestLargeFrameIsReadInPlace(t *testing.T) {
	body := pattern(3*blockBytes + 17)
	frame := request(103, 9, body)
	for _, step := range []int{1, 7, 100, blockBytes - 1, blockBytes, blockBytes + 1} {
		lf := newLargeFrame(frame[:codec.FramePrefixBytes], len(frame))
		lf.takeHead(frame)
		inPlace := false
		for rest := frame[lf.headBytes:]; len(rest) > 0; inPlace = !inPlace {
			n := min(step, len(rest))
			if inPlace {
				n = copy(lf.room(), rest[:n])
				lf.took(n)
			} else {
				lf.takeBody(rest[:n])
			}
			rest = rest[n:]
		}
		if !lf.complete() {
			t.Fatalf("step %d: not complete", step)
		}
		if len(lf.body) != 4 {
			t.Errorf("step %d: %d blocks", step, len(lf.body))
		}
		if got := lf.join(nil); !bytes.Equal(got, body) {
			t.Errorf("step %d: the body differs", step)
		}
	}
}

// Goal: there is never room for more than belongs to the frame. Method: the last bytes.
func TestRoomEndsWithTheFrame(t *testing.T) {
	frame := request(103, 9, pattern(2*blockBytes+5))
	lf := newLargeFrame(frame[:codec.FramePrefixBytes], len(frame))
	lf.takeHead(frame)
	for _, want := range []int{blockBytes, blockBytes, 5} {
		if n := len(lf.room()); n != want {
			t.Fatalf("room for %d bytes, want %d", n, want)
		}
		lf.took(want)
	}
	if !lf.complete() {
		t.Error("not complete")
	}
}

// Goal: a body is read in pieces of up to 64 KiB, not of gnet's buffer. Method: the callbacks that
// a body of 3 MB takes.
func TestLargeFramesTakeFewCallbacks(t *testing.T) {
	const bytesMany, attempts = 3 << 20, 5
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	most := uint64(bytesMany / defaultReadBuffer * 3 / 4)
	for range attempts { // a sender that is slower than the loop leaves it little to read at a time
		if n := callbacksFor(t, ts, p, bytesMany); n <= most {
			return
		}
	}
	t.Errorf("never fewer than %d callbacks for %d bytes", most, bytesMany)
}

// callbacksFor sends a body and tells how many callbacks it took.
func callbacksFor(t *testing.T, ts *testServer, p *peer, bytesMany int) uint64 {
	t.Helper()
	before := ts.Stats(t.Context()).Loops
	go func() { _, _ = p.Write(request(testStream, 1, pattern(bytesMany))) }()
	if a := p.answer(); a.Code != codec.Success || !bytes.Equal(a.Body, pattern(bytesMany)) {
		t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
	}
	after := ts.Stats(t.Context()).Loops
	if n := int(after.BytesIn - before.BytesIn); n < bytesMany || n > bytesMany+1000 {
		t.Errorf("%d bytes are counted", n)
	}
	t.Logf("%d callbacks", after.Callbacks-before.Callbacks)
	return after.Callbacks - before.Callbacks
}

// drippingEngine's wires always have one byte more.
type drippingEngine struct {
	fakeEngine
	reads *int
}

func (drippingEngine) unread(wire) int { return 1 }
func (e drippingEngine) readInto(_ wire, into []byte) int {
	*e.reads++
	return len(into)
}

// Goal: who sends a byte at a time has the loop no longer than others. Method: a wire that never
// runs dry for longer than a byte takes; reads in one callback.
func TestReadingInPlaceEndsWhenDry(t *testing.T) {
	l, c, _ := fakeLoop(t)
	reads := 0
	l.engine = drippingEngine{reads: &reads}
	frame := request(103, 9, nil)
	c.large = newLargeFrame(frame[:codec.FramePrefixBytes], 1<<20)
	c.large.takeHead(frame)
	for callback := 1; callback <= 3; callback++ {
		if l.beginBatch(true); l.feedLarge(c) {
			t.Fatal("complete")
		}
		if reads != callback {
			t.Errorf("%d reads in %d callbacks", reads, callback)
		}
	}
}

// fullEngine's wires always have more.
type fullEngine struct{ fakeEngine }

func (fullEngine) unread(wire) int                  { return 1 << 20 }
func (fullEngine) readInto(_ wire, into []byte) int { return len(into) }

// Goal: who sends a lot is not read in large portions. Method: a wire that always has more, until
// no more of it is read in place; so many ticks later it is again, unless more came meanwhile.
func TestReadingInPlaceIsForQuietLoops(t *testing.T) {
	l, c, _ := fakeLoop(t)
	l.engine = fullEngine{}
	frame := request(103, 9, nil)
	lf := newLargeFrame(frame[:codec.FramePrefixBytes], 8*largeBytesQuiet)
	lf.takeHead(frame)
	taken := func() (n int) {
		for before := lf.gotBytes; ; n = lf.gotBytes - before {
			if l.beginBatch(true); !l.readLarge(c, lf) {
				return n
			}
			if left := l.batch.bytesLeft; left < 0 {
				t.Fatalf("a callback read %d bytes more than it may", -left)
			}
		}
	}
	for round := range 2 {
		if n := taken(); n <= largeBytesQuiet || n > largeBytesQuiet+batchLargeBytes {
			t.Errorf("round %d: %d bytes were read in place, want %d", round, n, largeBytesQuiet)
		}
		l.tick()
		l.largeRate.bytes = 2 * largeBytesQuiet // read by gnet
		l.tick()
		for tick := range largeRestTicks {
			if n := taken(); n > 0 {
				t.Errorf("round %d: %d bytes were read in place after %d ticks", round, n, tick)
			}
			l.tick()
		}
	}
	l.incoming = make([]*connection, largeFramesQuiet+1)
	if n := taken(); n > 0 {
		t.Errorf("%d bytes were read in place beside %d others", n, largeFramesQuiet)
	}
}

// Goal: how a connection ends in the middle of a large frame is told as it is. Method: half of a
// frame, then a reset, or the end of input; at once and a moment later.
func TestEndInALargeFrame(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	frame := request(testStream, 1, pattern(2<<20))
	const each = 10
	for i := range each {
		for _, reset := range []bool{true, false} {
			p := ts.dial()
			p.send(frame[:1<<20])
			time.Sleep(time.Duration(i%3) * 10 * time.Millisecond)
			if reset {
				_ = p.Conn.(*net.TCPConn).SetLinger(0)
			}
			_ = p.Close()
		}
	}
	eventually(t, "all have ended", func() bool { return ts.closes(CloseBroken)+ts.closes(ClosePeer) == 2*each })
	if broken, ended := ts.closes(CloseBroken), ts.closes(ClosePeer); broken != each || ended != each {
		t.Errorf("%d broken and %d ended, want %d of each", broken, ended, each)
	}
	eventually(t, "nothing is held any more", func() bool { return ts.inbound.held.Load() == 0 })
}

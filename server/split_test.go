package server

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// keepWire keeps what was written.
type keepWire struct {
	fakeWire
	out []byte
}

func (w *keepWire) Writev(pieces [][]byte) (int, error) { return writeEach(w, pieces) }

func (w *keepWire) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// Goal: however the bytes of requests are cut up on their way, each is answered once, in
// order and rightly. Method: random frames, small and large, in random pieces, against
// bounds on a callback's work so low that it stops everywhere.
func TestRandomPieces(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		l, _, _ := fakeLoop(t)
		l.srv.lanes = startLanes(t, 1, 8<<20)
		l.srv.o.batchFrames, l.srv.o.batchOutBytes = 1+r.IntN(3), 1+r.IntN(100_000)
		w := &keepWire{}
		c := l.srv.newConnection(l.srv.conns.nextID(), l, w, "test")
		l.opened(c)
		var all []byte
		var bodies [][]byte
		for i := range int32(20) {
			body := pattern(r.IntN(300))
			if r.IntN(5) == 0 {
				body = pattern(r.IntN(400_000))
			}
			bodies = append(bodies, body)
			code := testEcho
			if len(body) > 60_000 {
				code = testHere
			}
			all = append(all, request(code, i, body)...)
		}
		for rest := all; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(1+r.IntN(100_000)))
			w.in = append(w.in, rest[:n]...)
			rest = rest[n:]
			l.traffic(c)
		}
		for len(l.again) > 0 {
			l.pumpNow()
		}
		for i, body := range bodies {
			n := 4 + int(binary.BigEndian.Uint32(w.out))
			a := decode(t, w.out[:n])
			w.out = w.out[n:]
			if a.Opaque != int32(i) || !bytes.Equal(a.Body, body) {
				t.Fatalf("seed %d: answer %d has opaque %d and %d bytes, want %d", seed, i, a.Opaque, len(a.Body), len(body))
			}
		}
		if len(w.out) != 0 || len(w.in) != 0 || c.Closed() || l.srv.inbound.held.Load() != 0 {
			t.Fatalf("seed %d: %d bytes out and %d in are left over, closed %v", seed, len(w.out), len(w.in), c.Closed())
		}
	}
}

// testHere answers a large frame on the loop: its sink keeps the body.
const testHere int32 = 1500

type keepSink struct{ body []byte }

func (k *keepSink) FeedBody(chunk []byte) { k.body = append(k.body, chunk...) }

func hereRoute() route {
	return route{
		code: testHere, name: "HERE",
		begin: func(*handlers, *Request) BodySink { return &keepSink{} },
		serve: func(_ *handlers, rq *Request) {
			body := rq.Cmd.Body
			if k, ok := rq.Sink().(*keepSink); ok {
				body = k.body
			}
			if rq.BodyBytes() != len(body) {
				rq.Reply(codec.SystemError, "BodyBytes is wrong", nil)
				return
			}
			rq.ReplyBody(codec.Success, "", nil, body)
		},
	}
}

// No bytes whatever make the engine do anything but answer and close.
func FuzzTraffic(f *testing.F) {
	good := request(testEcho, 1, []byte("x"))
	f.Add(good)
	f.Add(append(bytes.Repeat([]byte{0}, 64), good...))
	f.Add(append(good, 0, 0, 0, 4, 0, 0, 0, 0))
	f.Add(append(good, good[:len(good)-1]...))
	f.Add([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00"))
	f.Add(append([]byte{0, 2, 0, 0, 0, 0, 0, 0}, make([]byte, 70_000)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, c, w := fakeLoop(t)
		l.srv.lanes = startLanes(t, 1, 1<<20)
		for half := range 2 {
			w.in = append(w.in, data[half*len(data)/2:(half+1)*len(data)/2]...)
			l.traffic(c)
		}
		for len(l.again) > 0 {
			l.pumpNow()
		}
		if held := l.srv.inbound.held.Load(); held > int64(len(data))+2*blockBytes {
			t.Fatalf("%d bytes are held for an input of %d", held, len(data))
		}
		if c.Closed() && c.reason() != CloseBadFrame && c.reason() != CloseUnsupported {
			t.Fatalf("closed as %v", c.reason())
		}
		l.ended(c, ClosePeer, 0)
		if l.srv.inbound.held.Load() != 0 {
			t.Fatal("a closed connection holds memory")
		}
	})
}

// Bound work must not strand what a big read left behind.
func TestLargeReadsOfLargeFrames(t *testing.T) {
	ts := startServer(t, Options{ReadBufferBytes: 1 << 20}, testRoutes())
	p := ts.dial()
	body := pattern(3 << 20)
	for range 3 {
		var all []byte
		for i := range int32(3) {
			all = append(all, request(testStream, i, body)...)
		}
		go func() { _, _ = p.Write(all) }()
		for range 3 {
			if a := p.answer(); !bytes.Equal(a.Body, body) {
				t.Fatalf("%d bytes came back", len(a.Body))
			}
		}
	}
	if !ts.lanes.Idle(BrokerLane(routetable.BrokerKey{Addr: "nobody"})) {
		t.Error("the lanes are not idle")
	}
}

package server

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// onLoop runs f on the loop of the only connection, with it.
func (ts *testServer) onLoop(f func(l *loop, c *connection)) {
	ts.t.Helper()
	var conns []*connection
	ts.conns.each(func(c *connection) { conns = append(conns, c) })
	if len(conns) != 1 {
		ts.t.Fatalf("%d connections", len(conns))
	}
	done := make(chan struct{})
	conns[0].loop.post(mail{kind: mailRun, run: func() {
		f(conns[0].loop, conns[0])
		close(done)
	}})
	<-done
}

// Goal: what read_interest.go relies on of gnet holds. Method: a connection that is not to be
// read from sends megabytes, of which the server takes nothing, not even when it writes to
// that connection more than the kernel takes; read from again, it has all its answers.
func TestReadInterest(t *testing.T) {
	ts := startServer(t, Options{SocketSendBufferBytes: 32 << 10}, testRoutes())
	p := smallBuffers(ts.dial())
	if !p.served() {
		t.Fatal("not served")
	}
	ts.onLoop(func(l *loop, c *connection) {
		if g := l.engine.(*gnetLoop); g.epoll < 0 {
			t.Error("gnet is not what it was: the descriptor of its epoll set is not where it was")
		}
		l.block(c, stopIntake)
	})
	before := ts.Stats(context.Background()).Loops
	const requests, size = 40, 100_000
	var all []byte
	for i := range int32(requests) {
		all = append(all, request(testEcho, i, pattern(size))...)
	}
	go func() { _, _ = p.Write(all) }()
	time.Sleep(100 * time.Millisecond)
	callbacks := func() uint64 { return ts.Stats(context.Background()).Loops.Callbacks - before.Callbacks }
	if n := callbacks(); n != 0 {
		t.Errorf("%d callbacks for a connection that is not to be read from", n)
	}
	// Output that waits has gnet set the interest anew: it may read once each time.
	blob := make([]byte, 300_000)
	ts.onLoop(func(l *loop, c *connection) {
		if !l.write(c, blob) || c.wire.OutboundBuffered() == 0 {
			t.Error("the kernel took it all: this tested nothing")
		}
	})
	for got := 0; got < len(blob); {
		n, err := p.Read(make([]byte, len(blob)-got))
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	time.Sleep(100 * time.Millisecond)
	ts.onLoop(func(_ *loop, c *connection) {
		if n := c.wire.InboundBuffered(); n > 4*defaultReadBuffer {
			t.Errorf("%d bytes were read", n)
		}
	})
	ts.onLoop(func(l *loop, c *connection) {
		c.stops = 0
		if !l.unblock(c) {
			t.Error("still blocked")
		}
		l.traffic(c)
	})
	for i := range int32(requests) {
		if a := p.answer(); a.Opaque != i || a.Code != codec.Success || !bytes.Equal(a.Body, pattern(size)) {
			t.Fatalf("answer %d: opaque %d code %d, %d bytes", i, a.Opaque, a.Code, len(a.Body))
		}
	}
}

package server

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Goal: what a peer asked before it ended its output is done, even where the work of one callback
// is bounded, and answered if the peer still reads. Method: requests in one write, and the end at
// once; answers that are too large for one callback, and requests that are too many for it.
func TestRequestsBeforeTheEndOfInput(t *testing.T) {
	var served atomic.Int64
	routes := append(testRoutes(), route{code: 100, name: "COUNTED", serve: func(_ *handlers, rq *Request) {
		served.Add(1)
		dst := rq.Begin(codec.Success, "", nil)
		rq.End(append(dst, make([]byte, 45_000)...))
	}})
	f := func(o Options, requests, flag int32, end func(*net.TCPConn) error) *peer {
		t.Helper()
		served.Store(0)
		ts := startServer(t, o, routes)
		var all []byte
		for i := range requests {
			all = append(all, requestFlag(100, i, flag, nil)...)
		}
		p := ts.dial()
		p.send(all)
		if err := end(p.Conn.(*net.TCPConn)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all requests are served", func() bool { return served.Load() == int64(requests) })
		return p
	}
	f(Options{batchFrames: 7}, 40, codec.FlagOneway, (*net.TCPConn).Close)
	p := f(Options{}, 10, 0, (*net.TCPConn).CloseWrite)
	for i := range int32(10) {
		if a := p.answer(); a.Opaque != i || len(a.Body) != 45_000 {
			t.Fatalf("answer %d: opaque %d, %d bytes", i, a.Opaque, len(a.Body))
		}
	}
	p.closedWithin(5 * time.Second)
}

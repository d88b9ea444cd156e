package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// lineBuffer collects log lines.
type lineBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lineBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lineBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// testServer is a Server on a free port of 127.0.0.1 that answers testRoutes.
type testServer struct {
	*Server
	t    *testing.T
	logs *lineBuffer
}

func startServer(t *testing.T, o Options, routes []route) *testServer {
	t.Helper()
	return startServerHooks(t, o, routes, noHooks{})
}

func startServerHooks(t *testing.T, o Options, routes []route, h hooks) *testServer {
	t.Helper()
	ts := &testServer{t: t, logs: &lineBuffer{}}
	if o.BindAddress == "" {
		o.BindAddress = "127.0.0.1"
	}
	if o.EventLoops == 0 {
		o.EventLoops = 1
	}
	s, err := newServer(o, Deps{Log: slog.New(slog.NewTextHandler(ts.logs, nil))}, routes)
	if err != nil {
		t.Fatal(err)
	}
	s.hooks = h
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ts.Server = s
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", ts.logs)
		}
	})
	return ts
}

// peer is a raw client.
type peer struct {
	net.Conn
	t *testing.T
}

func (ts *testServer) dial() *peer {
	ts.t.Helper()
	c, err := net.Dial("tcp", ts.Addr().String())
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.t.Cleanup(func() { _ = c.Close() })
	return &peer{c, ts.t}
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// tryFrame reads one frame, or says why not.
func (p *peer) tryFrame(within time.Duration) ([]byte, error) {
	_ = p.SetReadDeadline(time.Now().Add(within))
	var head [4]byte
	if _, err := io.ReadFull(p, head[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(head[:]))
	copy(frame, head[:])
	_, err := io.ReadFull(p, frame[4:])
	return frame, err
}

// reply is a decoded answer that owns its bytes.
type answer struct {
	codec.Command
}

func (p *peer) answer() *answer {
	p.t.Helper()
	frame, err := p.tryFrame(10 * time.Second)
	if err != nil {
		p.t.Fatalf("read an answer: %v", err)
	}
	return decode(p.t, frame)
}

func decode(t testing.TB, frame []byte) *answer {
	t.Helper()
	lim := codec.DefaultLimits()
	lim.FrameBytesMax *= 4
	a := &answer{}
	if err := a.Decode(frame, &lim); err != nil {
		t.Fatalf("decode an answer: %v", err)
	}
	return a
}

// closedWithin fails unless the server closes the connection, without another frame.
func (p *peer) closedWithin(d time.Duration) {
	p.t.Helper()
	if frame, err := p.tryFrame(d); err == nil {
		p.t.Fatalf("got a frame instead of a close: %q", frame)
	} else if isTimeout(err) {
		p.t.Fatalf("still open after %v", d)
	}
}

// openFor fails unless the connection stays open, and silent, for d.
func (p *peer) openFor(d time.Duration) {
	p.t.Helper()
	if frame, err := p.tryFrame(d); err == nil {
		p.t.Fatalf("got a frame: %q", frame)
	} else if !isTimeout(err) {
		p.t.Fatalf("closed: %v", err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// request is a request frame with a JSON header.
func request(code, opaque int32, body []byte) []byte {
	return requestFlag(code, opaque, 0, body)
}

func requestFlag(code, opaque, flag int32, body []byte) []byte {
	h := codec.Header{Code: code, Opaque: opaque, Flag: flag, Version: codec.Version5_5_0, Language: codec.LanguageJava}
	return codec.AppendCommand(nil, codec.SerializeJSON, &h, body)
}

// eventually waits for what happens on another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (ts *testServer) logged(line string) bool { return strings.Contains(ts.logs.String(), line) }

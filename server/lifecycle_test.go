package server

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

func TestBusyPortIsAnError(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	f := func(bind string) {
		t.Helper()
		other, err := newServer(Options{BindAddress: bind, Port: int(ts.Addr().Port()), EventLoops: 1}, Deps{}, testRoutes())
		if err != nil {
			t.Fatal(err)
		}
		err = other.Start()
		if err == nil {
			_ = other.Stop(context.Background())
			t.Fatal("a second server started on a busy port")
		}
		if want := net.JoinHostPort(bind, portOf(ts)); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "address already in use") {
			t.Errorf("the error does not say what and where (%s): %v", want, err)
		}
	}
	f("127.0.0.1")
	f("0.0.0.0")
}

func portOf(ts *testServer) string {
	_, port, _ := net.SplitHostPort(ts.Addr().String())
	return port
}

func TestForeignAddressIsAnError(t *testing.T) {
	s, err := newServer(Options{BindAddress: "192.0.2.1", EventLoops: 1}, Deps{}, testRoutes())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), "192.0.2.1:0") || !strings.Contains(err.Error(), "bindAddress") {
		t.Errorf("got %v", err)
	}
}

func ipv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		if _, noIPv6 := os.Stat("/proc/net/if_inet6"); noIPv6 == nil {
			t.Fatalf("this host has IPv6, but: %v", err)
		}
		t.Skip("this host has no IPv6")
	}
	_ = l.Close()
}

func TestAddresses(t *testing.T) {
	ipv6(t)
	f := func(bind string, reachable, unreachable []string) {
		t.Helper()
		ts := startServer(t, Options{BindAddress: bind}, testRoutes())
		for _, host := range reachable {
			c, err := net.Dial("tcp", net.JoinHostPort(host, portOf(ts)))
			if err != nil {
				t.Errorf("bind %q: %s is not reachable: %v", bind, host, err)
				continue
			}
			if !(&peer{c, t}).served() {
				t.Errorf("bind %q: %s is not served", bind, host)
			}
			_ = c.Close()
		}
		for _, host := range unreachable {
			if c, err := net.Dial("tcp", net.JoinHostPort(host, portOf(ts))); err == nil {
				_ = c.Close()
				t.Errorf("bind %q: %s is reachable", bind, host)
			}
		}
	}
	f("0.0.0.0", []string{"127.0.0.1", "::1"}, nil)
	f("::", []string{"127.0.0.1", "::1"}, nil)
	f("::1", []string{"::1"}, []string{"127.0.0.1"})
	f("[::1]", []string{"::1"}, []string{"127.0.0.1"})
	f("127.0.0.1", []string{"127.0.0.1"}, []string{"::1", "127.0.0.2"})
	f("localhost", []string{"127.0.0.1"}, nil)
}

// Goal: a stop loses nothing that a lane is working on, and takes no time otherwise.
func TestStopAnswersWhatIsInLanes(t *testing.T) {
	working := make(chan struct{})
	routes := []route{{code: 1, name: "SLOW", serve: func(_ *handlers, rq *Request) {
		rq.Offload(BrokerLane(routetable.BrokerKey{}), func(p *Pending) {
			close(working)
			time.Sleep(300 * time.Millisecond)
			p.Reply(codec.Success, "done", nil)
		})
	}}}
	ts := startServer(t, Options{}, routes)
	p := ts.dial()
	p.send(request(1, 4, nil))
	<-working
	start := time.Now()
	if err := ts.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if a := p.answer(); a.Opaque != 4 || string(a.Remark) != "done" {
		t.Errorf("opaque %d remark %q", a.Opaque, a.Remark)
	}
	p.closedWithin(5 * time.Second)
	if _, err := net.Dial("tcp", ts.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
}

// A lane that hangs delays a stop by seconds, not for ever.
func TestStopDoesNotWaitForEver(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	working := make(chan struct{})
	routes := []route{{code: 1, name: "HANG", serve: func(_ *handlers, rq *Request) {
		rq.Offload(BrokerLane(routetable.BrokerKey{}), func(*Pending) {
			close(working)
			<-hang
		})
	}}}
	s, err := newServer(Options{BindAddress: "127.0.0.1", EventLoops: 1}, Deps{}, routes)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = c.Write(request(1, 1, nil))
	<-working
	start := time.Now()
	if err := s.Stop(context.Background()); err == nil || !strings.Contains(err.Error(), "1 jobs") {
		t.Errorf("Stop says %v", err)
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// While it goes away the server answers new clients with 1500 and serves old ones.
func TestGoAway(t *testing.T) {
	ts := startServer(t, Options{ShutdownGracefully: true, ShutdownWaitSeconds: 1}, testRoutes())
	p := ts.dial()
	stopped := make(chan error)
	go func() { stopped <- ts.Stop(context.Background()) }()
	eventually(t, "it goes away", ts.goingAway.Load)
	old := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: testEcho, Opaque: 2, Version: codec.Version5_3_1}, []byte("x"))
	p.send(append(request(testEcho, 1, []byte("x")), old...))
	if a := p.answer(); a.Opaque != 1 || a.Code != codec.GoAway || string(a.Remark) != "please go away" || a.Body != nil {
		t.Errorf("a new client got code %d remark %q", a.Code, a.Remark)
	}
	if a := p.answer(); a.Opaque != 2 || a.Code != codec.Success || string(a.Body) != "x" {
		t.Errorf("an old client got code %d", a.Code)
	}
	late := ts.dial() // new connections too
	late.send(request(testEcho, 3, nil))
	if a := late.answer(); a.Code != codec.GoAway {
		t.Errorf("a new connection got code %d", a.Code)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	p.closedWithin(time.Second)
}

// hookLog writes down what the hooks are told.
type hookLog struct {
	noHooks
	closed chan CloseReason
}

func (h hookLog) connClosed(_ Conn, reason CloseReason) { h.closed <- reason }

func TestCloseReasonsTellWhoClosed(t *testing.T) {
	h := hookLog{closed: make(chan CloseReason, 16)}
	s, err := newServer(Options{BindAddress: "127.0.0.1", EventLoops: 1}, Deps{}, testRoutes())
	if err != nil {
		t.Fatal(err)
	}
	s.hooks = h
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	dial := func() *net.TCPConn {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c.(*net.TCPConn)
	}
	want := func(reason CloseReason) {
		t.Helper()
		select {
		case got := <-h.closed:
			if got != reason {
				t.Errorf("closed as %v, want %v", got, reason)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("no close is reported, want %v", reason)
		}
	}
	c := dial()
	_ = c.Close()
	want(ClosePeer)

	c = dial()
	_ = c.SetLinger(0) // RST
	_ = c.Close()
	want(CloseBroken)

	c = dial()
	eventually(t, "the connection is listed", func() bool {
		_, ok := s.Conn(routetable.ConnID(s.conns.last.Load()))
		return ok && s.conns.last.Load() == 3
	})
	conn, _ := s.Conn(3)
	conn.Close(CloseExpired)
	conn.Close(ClosePeer) // too late to change it
	want(CloseExpired)
	_ = c.Close()

	c = dial()
	eventually(t, "the connection is open", func() bool { return s.conns.open.Load() == 1 })
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	want(CloseShutdown)
	_ = c.Close()
	conn.Close(CloseExpired) // after the engine's end: nothing happens
}

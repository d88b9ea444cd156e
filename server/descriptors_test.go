package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"golang.org/x/sys/unix"
)

// childEnv tells the test binary to be a server with few descriptors instead.
const childEnv = "PHAROS_SERVER_TEST_CHILD"

func TestPlanDescriptors(t *testing.T) {
	f := func(limit, open, backlogMax, connectionsMax, loops int, want descriptorPlan) {
		t.Helper()
		got := planDescriptors(limit, open, backlogMax, connectionsMax, loops)
		if got != want {
			t.Errorf("planDescriptors(%d, %d, %d, %d, %d) = %+v, want %+v", limit, open, backlogMax, connectionsMax, loops, got, want)
		}
		if reserve := limit - got.connections; reserve <= got.backlog && got.connections > 1 {
			t.Errorf("limit %d: the reserve of %d is not larger than the backlog of %d", limit, reserve, got.backlog)
		}
	}
	f(256, 12, 1024, 0, 1, descriptorPlan{256, 32, 16, 132})
	f(1024, 12, 1024, 0, 1, descriptorPlan{1024, 128, 16, 804})
	f(20000, 12, 1024, 0, 1, descriptorPlan{20000, 1024, 16, 18884})
	f(20000, 12, 1024, 500, 1, descriptorPlan{20000, 1024, 16, 500})
	f(20000, 12, 50, 0, 1, descriptorPlan{20000, 50, 16, 19858})
	f(20000, 12, 1024, 0, 8, descriptorPlan{20000, 1024, 128, 18660})
	f(20000, 12, 1024, 0, 64, descriptorPlan{20000, 1024, 256, 18404})
	f(20, 12, 1024, 0, 1, descriptorPlan{20, 2, 1, 1})
}

const childFiles = 256

// runChild serves testRoutes with childFiles descriptors until its input ends. Request
// 100 takes all descriptors that are left for half a second, 102 ends the listening socket.
func runChild(mode string) int {
	switch mode {
	case childIsolated:
		return runIsolated()
	case childRoutes:
		return runWithRoutes()
	}
	if addr, ok := strings.CutPrefix(mode, childFeed); ok {
		return runFeed(addr)
	}
	options := Options{BindAddress: "127.0.0.1", EventLoops: 1}
	_, _ = fmt.Sscanf(mode, childIdle, &options.IdleSeconds)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: childFiles, Max: childFiles}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	hoard := make(chan *os.File, childFiles)
	var s *Server
	routes := append(testRoutes(),
		route{code: 102, name: "DEAF", serve: func(_ *handlers, rq *Request) { deafen(s) }},
		route{code: 100, name: "HOARD", serve: func(_ *handlers, rq *Request) {
			for {
				f, err := os.Open("/dev/null")
				if err != nil {
					break
				}
				hoard <- f
			}
			rq.Reply(codec.Success, "", nil)
			time.AfterFunc(500*time.Millisecond, func() {
				for len(hoard) > 0 {
					_ = (<-hoard).Close()
				}
			})
		}})
	var err error
	s, err = newServer(options, Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}, routes)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println(s.Stats(context.Background()).EngineRestarts)
	if err := s.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child is the test binary serving with childFiles descriptors.
type child struct {
	t    *testing.T
	addr string
	errs bytes.Buffer
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
}

func startChild(t *testing.T) *child { return startChildMode(t, "serve") }

func startChildMode(t *testing.T, mode string) *child {
	t.Helper()
	ch := &child{t: t, cmd: exec.Command(os.Args[0])}
	ch.cmd.Env = append(os.Environ(), childEnv+"="+mode)
	ch.cmd.Stderr = &ch.errs
	in, err := ch.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := ch.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ch.in, ch.out = in, out
	if err := ch.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = ch.cmd.Wait() // again, if the test did
	})
	if _, err := fmt.Fscanln(out, &ch.addr); err != nil {
		t.Fatalf("the child did not start: %v\n%s", err, &ch.errs)
	}
	return ch
}

func (ch *child) dial() *peer {
	ch.t.Helper()
	c, err := net.DialTimeout("tcp", ch.addr, 5*time.Second)
	if err != nil {
		ch.t.Fatalf("dial: %v", err)
	}
	ch.t.Cleanup(func() { _ = c.Close() })
	return &peer{c, ch.t}
}

// deafen ends the server's listening socket, so that accepting fails for good.
func deafen(s *Server) {
	raw, err := s.engine.acceptor.listener.SyscallConn()
	if err == nil {
		err = control(raw, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_RDWR) })
	}
	if err != nil {
		panic(err)
	}
}

// served reports whether a request on p is answered.
func (p *peer) served() bool {
	if _, err := p.Write(request(testEcho, 1, nil)); err != nil {
		return false
	}
	_, err := p.tryFrame(2 * time.Second)
	return err == nil
}

// stop ends the child and returns how often its engine was restarted.
func (ch *child) stop() (restarts int) {
	ch.t.Helper()
	_ = ch.in.Close()
	if _, err := fmt.Fscanln(ch.out, &restarts); err != nil {
		ch.t.Errorf("the child's last line: %v", err)
	}
	if err := ch.cmd.Wait(); err != nil {
		ch.t.Errorf("the child ended with %v\n%s", err, &ch.errs)
	}
	return restarts
}

// Goal: more connections than descriptors hurt nobody who is there. Method: a process
// with 256 files, 300 connections: it stays up without its engine being restarted, the
// old ones are served, and new ones are when there is room again.
func TestMoreConnectionsThanDescriptors(t *testing.T) {
	ch := startChild(t)
	old := ch.dial()
	if !old.served() {
		t.Fatal("not served at all")
	}
	var served []*peer
	for range 300 {
		if p := ch.dial(); p.served() {
			served = append(served, p)
		}
	}
	if n := len(served); n < 64 || n > childFiles {
		t.Errorf("%d of 300 were served", n)
	}
	if !old.served() {
		t.Error("the old connection is not served any more")
	}
	for _, p := range served {
		if !p.served() {
			t.Fatal("a connection that was served is not any more")
		}
		_ = p.Close()
	}
	eventually(t, "new ones are served again", func() bool { return ch.dial().served() })
	if restarts := ch.stop(); restarts != 0 {
		t.Errorf("the engine was restarted %d times", restarts)
	}
	if n := bytes.Count(ch.errs.Bytes(), []byte("too many are open")); n == 0 || n > 2*logBurst {
		t.Errorf("%d lines about it:\n%s", n, &ch.errs)
	}
}

// childIdle is the mode of a child with an idle time of its own.
const childIdle = "idle%d"

// Goal: a pause of ours costs nobody his connection. Method: an idle time of 3 s; the
// process is stopped for 5 s, and continued.
func TestPauseClosesNoIdleConnection(t *testing.T) {
	ch := startChildMode(t, fmt.Sprintf(childIdle, 3))
	p := ch.dial()
	if !p.served() {
		t.Fatal("not served")
	}
	if err := ch.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	if err := ch.cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.openFor(500 * time.Millisecond)
	if !p.served() {
		t.Error("the connection was closed for the time the server stood still")
	}
	start := time.Now()
	p.closedWithin(10 * time.Second) // but it is, for time of its own
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("closed after %v", took)
	}
	ch.stop()
	if !bytes.Contains(ch.errs.Bytes(), []byte("this process stood still")) {
		t.Errorf("no line about the pause:\n%s", &ch.errs)
	}
}

// Goal: without a descriptor nobody can be accepted, and nothing else happens. Method: every
// descriptor is taken for half a second. Who is there is served; who connects then is served
// as soon as there are some again.
func TestShortageOfDescriptors(t *testing.T) {
	ch := startChild(t)
	p, other := ch.dial(), ch.dial()
	if !p.served() || !other.served() {
		t.Fatal("not served at all")
	}
	time.Sleep(100 * time.Millisecond) // a connection has a second descriptor until its loop has it
	p.send(request(100, 1, nil))
	p.answer()
	late := make(chan bool)
	go func() {
		c, err := net.Dial("tcp", ch.addr) // the kernel's queue takes it
		if err != nil {
			late <- false
			return
		}
		defer c.Close()
		late <- (&peer{c, t}).served()
	}()
	if !p.served() || !other.served() {
		t.Error("who was there is not served during the shortage")
	}
	if !<-late {
		t.Error("who connected during the shortage is not served")
	}
	if restarts := ch.stop(); restarts != 0 {
		t.Errorf("the engine was restarted %d times", restarts)
	}
	if !bytes.Contains(ch.errs.Bytes(), []byte("no connection can be accepted for now")) {
		t.Errorf("no line about it:\n%s", &ch.errs)
	}
}

// Goal: the engine's end is not the server's. Method: its listening socket is shut down, so
// that accepting fails for good and it gives up; it is started anew and serves again.
func TestEngineIsRestarted(t *testing.T) {
	ch := startChild(t)
	p := ch.dial()
	p.send(request(102, 1, nil))
	p.answer()
	p.closedWithin(5 * time.Second)
	eventually(t, "served again", func() bool {
		c, err := net.Dial("tcp", ch.addr)
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		return (&peer{c, t}).served()
	})
	if restarts := ch.stop(); restarts != 1 {
		t.Errorf("the engine was restarted %d times", restarts)
	}
}

package bpf

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/internal/testkit/netns"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	if !privileged() {
		fmt.Println("bpf: NOT TESTED here: everything that loads programs into the kernel. It wants root and " +
			"PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	goleak.VerifyTestMain(m)
}

func privileged() bool { return os.Getenv("PHAROS_PRIVILEGED") != "" && os.Geteuid() == 0 }

// needsKernel skips a test that loads programs where nobody asked for it. Where somebody did,
// only what the kernel lacks may be skipped, by name.
func needsKernel(t *testing.T) {
	t.Helper()
	if !privileged() {
		t.Skip("NOT TESTED: loading programs wants root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("NOT TESTED: this kernel has no BTF: ", err)
	}
}

// needsHook skips a test whose tracepoint this kernel does not have.
func needsHook(t *testing.T, tracepoint string) {
	t.Helper()
	needsKernel(t)
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parameters(kernel, tracepoint); err != nil {
		t.Skip("NOT TESTED: ", err)
	}
}

// lab is one server socket's view of a star of namespaces, traced.
type lab struct {
	*netns.Star
	t      *testing.T
	tracer *Tracer

	mu     sync.Mutex
	events []Event
	wake   chan struct{}
}

// newLab makes the namespaces and opens a tracer in the server's. change edits the options.
func newLab(t *testing.T, change func(*Options)) *lab {
	t.Helper()
	var o Options
	if change != nil {
		change(&o)
	}
	return newLabOf(t, o, loadTcphealth)
}

// newLabOf takes the compiled programs from objects.
func newLabOf(t *testing.T, o Options, objects func() (*ebpf.CollectionSpec, error)) *lab {
	t.Helper()
	needsKernel(t)
	star, err := netns.NewStar(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { star.Close() })
	l := &lab{Star: star, t: t, wake: make(chan struct{}, 1)}
	l.must(o.check())
	l.in(star.Server, func() (err error) { l.tracer, err = open(o, objects); return err })
	l.follow()
	return l
}

// follow reads events until the test ends.
func (l *lab) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- l.tracer.Read(ctx, func(e *Event) {
			l.mu.Lock()
			l.events = append(l.events, *e)
			l.mu.Unlock()
			select {
			case l.wake <- struct{}{}:
			default:
			}
		})
	}()
	l.t.Cleanup(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			l.t.Errorf("Read ended with %v", err)
		}
		if err := l.tracer.Close(); err != nil {
			l.t.Errorf("close: %v", err)
		}
	})
}

func (l *lab) in(ns *netns.NS, f func() error) {
	l.t.Helper()
	if err := ns.Do(f); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// listen opens a listener in ns that lives until the test ends.
func (l *lab) listen(ns *netns.NS, address string) *net.TCPListener {
	l.t.Helper()
	var listener net.Listener
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // package net's default; its sockets are not TCP's
	l.in(ns, func() (err error) { listener, err = lc.Listen(l.t.Context(), "tcp", address); return err })
	l.t.Cleanup(func() { listener.Close() })
	return listener.(*net.TCPListener)
}

// dial connects from ns. It returns an error where a fault may be in the way.
func (l *lab) dial(ns *netns.NS, address string, patience time.Duration) (c *net.TCPConn, err error) {
	err = ns.Do(func() error {
		conn, err := net.DialTimeout("tcp", address, patience)
		if err == nil {
			c = conn.(*net.TCPConn)
		}
		return err
	})
	return c, err
}

// pair is a connection between the server and its first peer.
type pair struct {
	server, peer *net.TCPConn
	listener     *net.TCPListener
}

// connect makes a connection and marks the server's end, unless role is RoleNone.
func (l *lab) connect(ip netip.Addr, connID uint64, role Role) pair {
	l.t.Helper()
	p := pair{listener: l.listen(l.Server, netip.AddrPortFrom(ip, 0).String())}
	var err error
	p.peer, err = l.dial(l.Peers[0], p.listener.Addr().String(), 5*time.Second)
	l.must(err)
	l.t.Cleanup(func() { p.peer.Close() })
	p.server, err = p.listener.AcceptTCP()
	l.must(err)
	l.t.Cleanup(func() { p.server.Close() })
	if role != RoleNone {
		control(l.t, p.server, func(fd int) error { return l.tracer.MarkSocket(fd, connID, role) })
	}
	return p
}

// control runs f with the descriptor of a connection or listener.
func control(t *testing.T, c syscall.Conn, f func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if inner != nil {
		t.Fatal(inner)
	}
}

// seen returns the events so far that match.
func (l *lab) seen(match func(*Event) bool) (found []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.events {
		if match(&l.events[i]) {
			found = append(found, l.events[i])
		}
	}
	return found
}

// await waits until n events match, and fails the test after patience.
func (l *lab) await(what string, n int, patience time.Duration, match func(*Event) bool) []Event {
	l.t.Helper()
	deadline := time.After(patience)
	for {
		if found := l.seen(match); len(found) >= n {
			return found
		}
		select {
		case <-l.wake:
		case <-deadline:
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := range l.events {
				l.t.Logf("had: %+v", l.events[i])
			}
			l.kernelSays()
			l.t.Fatalf("waited %v for %d times: %s", patience, n, what)
		}
	}
}

// kernelSays logs what the programs counted: a record that never came was not made, did not fit,
// or is of another class.
func (l *lab) kernelSays() {
	if counted, err := l.tracer.Counters(); err == nil {
		l.t.Logf("counted: %+v", counted)
	}
	if programs, err := l.tracer.ProgramStats(); err == nil {
		l.t.Logf("programs: %+v", programs)
	}
}

// drain reads everything that arrives.
func drain(c net.Conn) {
	go func() { _, _ = io.Copy(io.Discard, c) }()
}

// hasArguments reports whether a tracepoint of this kernel has n of them or more.
func hasArguments(t *testing.T, tracepoint string, n int) bool {
	t.Helper()
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	has, err := parameters(kernel, tracepoint)
	if err != nil {
		t.Fatal(err)
	}
	return has >= n
}

// enableStats turns the kernel's BPF statistics on until the returned function is called.
func enableStats(t *testing.T) (disable func()) {
	t.Helper()
	c, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		t.Fatal(err)
	}
	return func() { c.Close() }
}

func stats(t *testing.T, tracer *Tracer) map[string]ProgramStats {
	t.Helper()
	all, err := tracer.ProgramStats()
	if err != nil {
		t.Fatal(err)
	}
	byHook := map[string]ProgramStats{}
	for _, s := range all {
		byHook[s.Hook] = s
	}
	return byHook
}

func kindIs(k Kind) func(*Event) bool { return func(e *Event) bool { return e.Kind == k } }

func classIs(c Class) func(*Event) bool {
	return func(e *Event) bool { return e.Kind == KindRetransmit && e.Class == c }
}

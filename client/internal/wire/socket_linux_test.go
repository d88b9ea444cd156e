package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen accepts on a loopback port until the test ends, and hands each connection to serve.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serve(nc)
			nc.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

func option(t *testing.T, c *Conn, level, name int) int {
	t.Helper()
	raw, err := c.nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	value := -1
	if err := raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Goal: the kernel is told to watch the connection, as it was said or by default.
func TestSocketOptions(t *testing.T) {
	addr := listen(t, func(nc net.Conn) { io.Copy(io.Discard, nc) })
	f := func(d *Dialer, alive, idle, interval, user int) {
		t.Helper()
		c, err := d.Dial(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)
		check := func(name string, level, opt, want int) {
			if got := option(t, c, level, opt); got != want {
				t.Errorf("%s is %d, want %d", name, got, want)
			}
		}
		check("SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, alive)
		if alive == 1 {
			check("TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, idle)
			check("TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, interval)
		}
		check("TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, user)
		check("TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	f(&Dialer{}, 1, 10, 3, 10_000)
	f(&Dialer{KeepAliveIdle: 20 * time.Second, KeepAliveInterval: 5 * time.Second, UserTimeout: 7 * time.Second}, 1, 20, 5, 7000)
	f(&Dialer{KeepAliveIdle: -1, UserTimeout: -1}, 0, 0, 0, 0)
	custom := &Dialer{DialFunc: (&net.Dialer{}).DialContext}
	f(custom, 1, 10, 3, 10_000)
}

// Goal: a server that goes away is noticed without asking it anything, and both goroutines
// end.
func TestServerGoesAway(t *testing.T) {
	accepted := make(chan net.Conn)
	release := make(chan struct{})
	addr := listen(t, func(nc net.Conn) { accepted <- nc; <-release })
	f := func(end func(*net.TCPConn)) {
		t.Helper()
		c, err := (&Dialer{}).Dial(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		end((<-accepted).(*net.TCPConn))
		release <- struct{}{}
		select {
		case <-c.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("not noticed in 10 s")
		}
		if !errors.Is(c.Err(), ErrClosed) || c.Addr() != addr {
			t.Errorf("%v of %s", c.Err(), c.Addr())
		}
		c.Close(nil)
	}
	f(func(nc *net.TCPConn) { nc.Close() })
	f(func(nc *net.TCPConn) { nc.SetLinger(0); nc.Close() })
}

// deadPort is a loopback port that is taken until the test ends, and on which nobody listens.
func deadPort(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)
}

func TestConnectingFails(t *testing.T) {
	if _, err := (&Dialer{}).Dial(t.Context(), deadPort(t)); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	bubble(t, func(t *testing.T) {
		stuck := &Dialer{DialFunc: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		began := time.Now()
		if _, err := stuck.Dial(t.Context(), "ns:9876"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != DefaultTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

package connwatch

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/connhealth"
)

// Goal: the kernel itself ends a dead connection soon where it may, and as late as ever where
// the watch only observes.
func TestSocketOptionsOfTheModes(t *testing.T) {
	for mode, want := range map[Mode][2]int{Evict: {30_000, 25_000}, Observe: {900_000, 900_000}} {
		w := New(Options{Mode: mode, Params: connhealth.DefaultParams()})
		fd := someSocket(t)
		for i, broker := range []bool{false, true} {
			w.dress(fd, broker)
			got := func(level, name int) int {
				v, err := unix.GetsockoptInt(fd, level, name)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if ms := got(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); ms != want[i] {
				t.Errorf("%s, broker %v: user timeout %d ms, want %d", mode, broker, ms, want[i])
			}
			idle := 15
			if broker {
				idle = 1
			}
			if s := got(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE); s != idle || got(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 {
				t.Errorf("%s, broker %v: keepalive after %d s, want %d", mode, broker, s, idle)
			}
		}
	}
}

// someSocket returns the descriptor of a connection.
func someSocket(t *testing.T) (fd int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(d uintptr) { fd = int(d) }); err != nil {
		t.Fatal(err)
	}
	return fd
}

package tcpinfo

import (
	"errors"
	"net"
	"reflect"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLayout compares with the struct that x/sys generates from the kernel's headers.
func TestLayout(t *testing.T) {
	ours, theirs := reflect.TypeFor[Info](), reflect.TypeFor[unix.TCPInfo]()
	at := map[uintptr]reflect.StructField{}
	for i := range theirs.NumField() {
		at[theirs.Field(i).Offset] = theirs.Field(i)
	}
	for i := 1; i < ours.NumField(); i++ {
		f := ours.Field(i)
		if f.Offset >= uintptr(LenTotalRTO) {
			break // younger than some versions of x/sys
		}
		// x/sys turns C bitfields into padding.
		if other, ok := at[f.Offset]; !ok || other.Type.Size() != f.Type.Size() && other.Name != "_" {
			if f.Name != "WindowScales" && f.Name != "Flags" {
				t.Errorf("%s at %d (%d bytes): the kernel has %s there (%v)", f.Name, f.Offset, f.Type.Size(), other.Name, ok)
			}
		}
	}
	for name, want := range map[uintptr]uintptr{
		unsafe.Offsetof(Info{}.LastAckRecvMs): unsafe.Offsetof(unix.TCPInfo{}.Last_ack_recv),
		unsafe.Offsetof(Info{}.RTTMicros):     unsafe.Offsetof(unix.TCPInfo{}.Rtt),
		unsafe.Offsetof(Info{}.NotSentBytes):  unsafe.Offsetof(unix.TCPInfo{}.Notsent_bytes),
		unsafe.Offsetof(Info{}.DataSegsOut):   unsafe.Offsetof(unix.TCPInfo{}.Data_segs_out),
		unsafe.Offsetof(Info{}.SndWnd):        unsafe.Offsetof(unix.TCPInfo{}.Snd_wnd),
		unsafe.Offsetof(Info{}.RcvWnd):        unsafe.Offsetof(unix.TCPInfo{}.Rcv_wnd),
		unsafe.Offsetof(Info{}.TotalRTO):      unsafe.Offsetof(unix.TCPInfo{}.Total_rto),
		unsafe.Offsetof(Info{}.TotalRTOMs):    unsafe.Offsetof(unix.TCPInfo{}.Total_rto_time),
	} {
		if name != want {
			t.Errorf("offset %d, the kernel has %d", name, want)
		}
	}
	if size := unsafe.Sizeof(Info{}); size != 280 {
		t.Errorf("%d bytes, Linux 6.18 has 280", size)
	}
}

func control(t testing.TB, c syscall.Conn, f func(fd int) error) {
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

// connect returns a connection whose listener was prepared by prepare.
func connect(t testing.TB, prepare func(fd int) error) (server, client *net.TCPConn) {
	t.Helper()
	l := listen(t)
	control(t, l.(*net.TCPListener), prepare)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// listen makes a plain TCP listener: by default package net makes a multipath one, which knows
// fewer options.
func listen(t testing.TB) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func nothing(int) error { return nil }

func TestRead(t *testing.T) {
	server, client := connect(t, nothing)
	if _, err := client.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	var info Info
	var n int
	control(t, client, func(fd int) (err error) { n, err = Read(fd, &info); return err })
	if info.State != 1 || info.BytesSent != 1000 || info.DataSegsOut != 1 {
		t.Errorf("state %d, %d bytes in %d segments sent; want 1, 1000, 1", info.State, info.BytesSent, info.DataSegsOut)
	}
	if n >= LenSndWnd && info.SndWnd < 1000 {
		t.Errorf("a send window of %d", info.SndWnd)
	}
	if info.LastAckRecvMs > 60_000 || info.RTTMicros == 0 || info.RTOMicros < 1000 {
		t.Errorf("implausible: ack %d ms ago, rtt %d us, rto %d us", info.LastAckRecvMs, info.RTTMicros, info.RTOMicros)
	}
	control(t, server, func(fd int) (err error) { n, err = Read(fd, &info); return err })
	if info.BytesReceived != 1000 || info.BytesSent != 0 {
		t.Errorf("the server received %d bytes and sent %d; want 1000 and 0", info.BytesReceived, info.BytesSent)
	}
	if n >= LenRcvWnd && info.RcvWnd == 0 {
		t.Error("no receive window")
	}
}

func TestReadOfNoSocket(t *testing.T) {
	var info Info
	if _, err := Read(-1, &info); !errors.Is(err, unix.EBADF) {
		t.Errorf("descriptor -1: %v", err)
	}
	if _, err := Cookie(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("descriptor -1: %v", err)
	}
}

func TestCookie(t *testing.T) {
	server, client := connect(t, nothing)
	var a, b, again uint64
	control(t, server, func(fd int) (err error) { a, err = Cookie(fd); return err })
	control(t, client, func(fd int) (err error) { b, err = Cookie(fd); return err })
	control(t, server, func(fd int) (err error) { again, err = Cookie(fd); return err })
	if a == 0 || b == 0 || a == b || a != again {
		t.Errorf("cookies %d, %d and again %d", a, b, again)
	}
}

// TestInherited shows that what is set on a listener holds for what it accepts.
func TestInherited(t *testing.T) {
	rtoMax := true
	server, _ := connect(t, func(fd int) error {
		if err := SetRTOMax(fd, time.Second); errors.Is(err, errors.ErrUnsupported) {
			rtoMax = false
			t.Log("NOT TESTED, the kernel is too old: ", err)
		} else if err != nil {
			return err
		}
		return SetUserTimeout(fd, 25*time.Second)
	})
	want := map[int]int{unix.TCP_USER_TIMEOUT: 25_000}
	if rtoMax {
		want[unix.TCP_RTO_MAX_MS] = 1000
	}
	control(t, server, func(fd int) error {
		for option, value := range want {
			if got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option); err != nil || got != value {
				t.Errorf("option %d: %d, %v; want %d", option, got, err, value)
			}
		}
		return nil
	})
}

// TestKeepalive sets it on a connection and on a listener, whose child is accepted by the bare
// system call: package net would set its own.
func TestKeepalive(t *testing.T) {
	check := func(fd int) {
		t.Helper()
		for option, value := range map[int]int{unix.TCP_KEEPIDLE: 1, unix.TCP_KEEPINTVL: 2, unix.TCP_KEEPCNT: 25} {
			if got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option); err != nil || got != value {
				t.Errorf("option %d: %d, %v; want %d", option, got, err, value)
			}
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); err != nil || on != 1 {
			t.Errorf("SO_KEEPALIVE: %d, %v", on, err)
		}
	}
	set := func(fd int) error { return SetKeepalive(fd, time.Second, 2*time.Second, 25) }
	server, _ := connect(t, nothing)
	control(t, server, set)
	control(t, server, func(fd int) error { check(fd); return nil })

	l := listen(t)
	control(t, l.(*net.TCPListener), set)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	control(t, l.(*net.TCPListener), func(fd int) error {
		child, _, err := unix.Accept(fd)
		if err != nil {
			return err
		}
		defer unix.Close(child)
		check(child)
		return nil
	})
}

func TestLimits(t *testing.T) {
	for _, d := range []time.Duration{0, 999 * time.Millisecond, 121 * time.Second} {
		if err := SetRTOMax(-1, d); err == nil || errors.Is(err, unix.EBADF) {
			t.Errorf("RTO limit %v: %v", d, err)
		}
	}
	for _, d := range []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond, 32768 * time.Second} {
		if err := SetKeepalive(-1, d, time.Second, 1); err == nil || errors.Is(err, unix.EBADF) {
			t.Errorf("keepalive %v: %v", d, err)
		}
	}
	if err := SetKeepalive(-1, time.Second, time.Second, 128); err == nil || errors.Is(err, unix.EBADF) {
		t.Errorf("128 probes: %v", err)
	}
	if err := SetUserTimeout(-1, -1); err == nil || errors.Is(err, unix.EBADF) {
		t.Errorf("negative user timeout: %v", err)
	}
	for _, err := range []error{SetRTOMax(-1, time.Second), SetKeepalive(-1, time.Second, time.Second, 1), SetUserTimeout(-1, time.Second)} {
		if !errors.Is(err, unix.EBADF) {
			t.Errorf("descriptor -1: %v", err)
		}
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	server, _ := connect(t, nothing)
	control(t, server, func(fd int) error {
		var info Info
		if n := testing.AllocsPerRun(100, func() {
			if _, err := Read(fd, &info); err != nil {
				t.Error(err)
			}
			if _, err := Cookie(fd); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
		return nil
	})
}

func BenchmarkRead(b *testing.B) {
	server, _ := connect(b, nothing)
	control(b, server, func(fd int) error {
		var info Info
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Read(fd, &info); err != nil {
				b.Fatal(err)
			}
		}
		return nil
	})
}

package netns

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// device is a TUN device in memory: packets in, and what came out with its time.
type device struct {
	in  chan []byte
	out chan waiting
}

func newDevice() *device {
	return &device{in: make(chan []byte, 2*linePackets), out: make(chan waiting, 2*linePackets)}
}

func (d *device) Read(buf []byte) (int, error) {
	packet, ok := <-d.in
	if !ok {
		return 0, io.EOF
	}
	return copy(buf, packet), nil
}

func (d *device) Write(packet []byte) (int, error) {
	d.out <- waiting{time.Now(), append([]byte(nil), packet...)}
	return len(packet), nil
}

func TestPipe(t *testing.T) {
	const delay = 30 * time.Millisecond
	d := newDevice()
	p := newPipe(delay, func(packet []byte) bool { return packet[0] == 'x' })
	ended := make(chan struct{})
	go func() { p.run(d, d); close(ended) }()
	begin := time.Now()
	d.in <- []byte("a")
	d.in <- []byte("b")
	d.in <- []byte("x")
	for i, want := range []string{"x", "a", "b"} {
		got := <-d.out
		if string(got.packet) != want {
			t.Errorf("packet %d is %q, not %q: exempt ones pass, others keep their order", i, got.packet, want)
		}
		if i > 0 && got.due.Sub(begin) < delay {
			t.Errorf("%q was delivered after %v, before its %v", got.packet, got.due.Sub(begin), delay)
		}
	}
	(&Line{to: p, from: newPipe(0, nil)}).SetRTT(4 * delay)
	begin = time.Now()
	d.in <- []byte("c")
	if got := <-d.out; got.due.Sub(begin) < 2*delay {
		t.Errorf("%q was delivered after %v, before the %v that it takes now", got.packet, got.due.Sub(begin), 2*delay)
	}
	close(d.in)
	<-ended
}

// TestPipeBound fills a line whose delay never ends.
func TestPipeBound(t *testing.T) {
	d := newDevice()
	p := newPipe(time.Hour, nil)
	ended := make(chan struct{})
	go func() { p.run(d, d); close(ended) }()
	const more = 100
	for range linePackets + more {
		d.in <- []byte("a")
	}
	close(d.in) // ends the line although packets are on their way
	<-ended
	if n := p.dropped.Load(); n < more-1 || n > more { // the deliverer may hold one of them
		t.Errorf("%d packets were dropped, want %d or %d", n, more-1, more)
	}
	if len(d.out) != 0 {
		t.Errorf("%d packets were delivered too soon", len(d.out))
	}
}

func TestEnds(t *testing.T) {
	four := make([]byte, 20)
	four[0] = 0x45
	copy(four[12:], []byte{10, 77, 1, 2, 10, 77, 0, 2})
	six := make([]byte, 40)
	six[0] = 0x60
	from, to := netip.MustParseAddr("fd77:1::2"), netip.MustParseAddr("fd77::2")
	copy(six[8:], from.AsSlice())
	copy(six[24:], to.AsSlice())
	for _, test := range []struct {
		packet   []byte
		from, to netip.Addr
	}{
		{four, netip.MustParseAddr("10.77.1.2"), netip.MustParseAddr("10.77.0.2")},
		{six, from, to},
		{four[:19], netip.Addr{}, netip.Addr{}},
		{six[:39], netip.Addr{}, netip.Addr{}},
		{nil, netip.Addr{}, netip.Addr{}},
	} {
		if from, to := ends(test.packet); from != test.from || to != test.to {
			t.Errorf("%x: from %v to %v, want %v and %v", test.packet, from, to, test.from, test.to)
		}
	}
}

// TestPrivilegedLine measures round trips over a delay line, by both protocols. The least of
// some tells the line's own error: the others waited for a busy machine, too.
func TestPrivilegedLine(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	const rtt = 50 * time.Millisecond
	s, err := NewDelayedStar(2, rtt, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, ip := range []netip.Addr{s.ServerIP(), s.ServerIP6()} {
		echo := s.echo(t, ip)
		if least := s.roundTrip(t, 0, echo); least < rtt || least > rtt+10*time.Millisecond {
			t.Errorf("a round trip to %v takes %v, want %v", ip, least, rtt)
		}
		if least := s.roundTrip(t, 1, echo); least > rtt/2 {
			t.Errorf("a round trip of the exempt peer to %v takes %v", ip, least)
		}
	}
	if n := s.Line.Dropped(); n != 0 {
		t.Errorf("%d packets were dropped", n)
	}
	t.Logf("worst lateness of a packet: %v", s.Line.Late())
}

// echo starts an echo server in the server's namespace and returns its address.
func (s *Star) echo(t *testing.T, ip netip.Addr) string {
	t.Helper()
	var l net.Listener
	if err := s.Server.Do(func() (err error) {
		l, err = net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// roundTrip is the least of ten round trips.
func (s *Star) roundTrip(t *testing.T, peer int, addr string) time.Duration {
	t.Helper()
	least := time.Hour
	err := s.Peers[peer].Do(func() error {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		for range 10 {
			begin := time.Now()
			if _, err := fmt.Fprint(c, "x"); err != nil {
				return err
			}
			if _, err := c.Read(make([]byte, 1)); err != nil {
				return err
			}
			least = min(least, time.Since(begin))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("peer %d: %v", peer, err)
	}
	return least
}

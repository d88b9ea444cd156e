package tcpsim

import (
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRecordedTrace compares the model with what a real kernel (6.18, HZ=250) did with data
// in flight when a router dropped everything: seconds after the first transmission.
func TestRecordedTrace(t *testing.T) {
	f := func(name string, rtt, rtoMax int64, delayedAcks bool, want []float64) {
		t.Helper()
		n := NewNet(1, netip.MustParseAddr("10.0.0.1"))
		n.Server.Options = Options{RTOMax: rtoMax}
		h := n.NewHost(netip.MustParseAddr("10.0.0.2"), rtt)
		var server *Socket
		n.Server.Accept = func(s *Socket) {
			server = s
			s.OnData = func(any) { s.Send(nil, 100) }
		}
		c := h.Connect(n.Server)
		c.OnEstablished = func() {}
		n.RunUntil(Second)
		for range 20 { // requests and answers, so that the round trip is known
			c.Send(nil, 100)
			if !delayedAcks {
				// The next request acknowledges the answer before the timer does.
				n.RunUntil(n.Now() + rtt + 2*Millisecond)
				continue
			}
			n.RunUntil(n.Now() + Second)
		}
		var got []float64
		var start int64
		server.Retransmitted = func(int, int64) { got = append(got, float64(n.Now()-start)/float64(Second)) }
		n.RunUntil(n.Now() + Second)
		h.ToServer.Down, h.FromSrv.Down = true, true
		start = n.Now()
		server.Send(nil, 100)
		n.RunUntil(n.Now() + 12*Second)
		for i, w := range want {
			if i >= len(got) || math.Abs(got[i]-w) > 0.1*w {
				t.Errorf("%s: retransmission %d: %v, want about %v", name, i, got, want)
				return
			}
		}
	}
	f("no cap", 200, 120*Second, false, []float64{0.23, 0.46, 0.91, 1.84, 3.66, 7.3})
	paths, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(paths) < 4 {
		t.Fatalf("traces %q, %v; want four at least", paths, err)
	}
	for _, path := range paths {
		rtt, rtoMax, want := readTrace(t, path)
		f(path, rtt, rtoMax, false, want)
	}
}

// readTrace reads what was recorded from a kernel: its round trip and limit in the model's
// microseconds, and seconds from the first transmission to the others.
func readTrace(t *testing.T, path string) (rtt, rtoMax int64, want []float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		key, values, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, value := range strings.Fields(values) {
			ms, err := strconv.ParseInt(value, 10, 64)
			switch {
			case key == "#":
			case err != nil:
				t.Fatal(path, err)
			case key == "rtt_ms":
				rtt = max(ms*Millisecond, 200) // without a delay line
			case key == "rto_max_ms" && ms == 0:
				rtoMax = 120 * Second
			case key == "rto_max_ms":
				rtoMax = ms * Millisecond
			case key == "retransmitted_ms":
				want = append(want, float64(ms)/1000)
			}
		}
	}
	if len(want) < 4 {
		t.Fatalf("%s has %d retransmissions", path, len(want))
	}
	return rtt, rtoMax, want
}

// TestKeepalive: an idle connection is probed every second, and a dead one ends at the user
// timeout.
func TestKeepalive(t *testing.T) {
	n := NewNet(1, netip.MustParseAddr("10.0.0.1"))
	n.Server.Options = Options{KeepIdle: Second, KeepInterval: Second, UserTimeout: 25 * Second, RTOMax: Second}
	h := n.NewHost(netip.MustParseAddr("10.0.0.2"), 200)
	var server *Socket
	n.Server.Accept = func(s *Socket) { server = s }
	c := h.Connect(n.Server)
	n.RunUntil(30 * Second)
	if in := server.Info().SegsIn; in < 25 || in > 31 {
		t.Errorf("%d packets in 30 s", in)
	}
	ended := int64(0)
	server.OnEnd = func(e End) {
		if e != EndTimeout {
			t.Errorf("ended by %d", e)
		}
		ended = n.Now()
	}
	h.Vanish()
	n.RunUntil(33500 * Millisecond)
	if p := server.Info().Probes; p < 2 || p > 4 {
		t.Errorf("%d probes unanswered after 3.5 s", p)
	}
	n.RunUntil(90 * Second)
	if ended < 54*Second || ended > 57*Second {
		t.Errorf("ended after %d us", ended)
	}
	_ = c
}

// TestGoodBye: a FIN, a reset of who is not there, and a refused connection.
func TestGoodBye(t *testing.T) {
	n := NewNet(1, netip.MustParseAddr("10.0.0.1"))
	h := n.NewHost(netip.MustParseAddr("10.0.0.2"), 10*Millisecond)
	var server *Socket
	n.Server.Accept = func(s *Socket) { server = s }
	c := h.Connect(n.Server)
	n.RunUntil(Second)
	fin := false
	server.OnFIN = func() { fin = true; server.Close() }
	c.Close()
	n.RunUntil(2 * Second)
	if !fin || server.Open() || c.Open() {
		t.Errorf("FIN seen %v, server open %v, client open %v", fin, server.Open(), c.Open())
	}
	h.Connect(n.Server)
	n.RunUntil(3 * Second)
	var end End = 99
	server.OnEnd = func(e End) { end = e }
	h.Boot()
	server.Send(nil, 10)
	n.RunUntil(4 * Second)
	if end != EndReset {
		t.Errorf("after a reboot: %d", end)
	}
	d := n.Server.Connect(h)
	d.OnEnd = func(e End) { end = e + 10 }
	n.RunUntil(5 * Second)
	if end != EndReset+10 {
		t.Errorf("dial-back without a listener: %d", end)
	}
}

// TestLossRecovers: at 20 % loss everything arrives, in order, some of it late. The model has no
// selective acknowledgments, so what is sent is a request from time to time, as brokers do.
func TestLossRecovers(t *testing.T) {
	n := NewNet(7, netip.MustParseAddr("10.0.0.1"))
	n.Server.Options = Options{RTOMax: Second}
	h := n.NewHost(netip.MustParseAddr("10.0.0.2"), 10*Millisecond)
	h.ToServer.Loss, h.FromSrv.Loss = 0.2, 0.2
	next := 0
	n.Server.Accept = func(s *Socket) {
		s.OnData = func(p any) {
			if p.(int) != next {
				t.Errorf("%v arrived, want %d", p, next)
			}
			next++
		}
	}
	c := h.Connect(n.Server)
	c.OnEstablished = func() {
		for i := range 200 {
			n.After(int64(i)*2*Second, func() { c.Send(i, 100) })
		}
	}
	n.RunUntil(600 * Second)
	if next != 200 {
		t.Errorf("%d of 200 arrived", next)
	}
	if c.Info().TotalRetrans == 0 {
		t.Error("nothing was lost")
	}
}

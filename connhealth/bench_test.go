package connhealth

import (
	"fmt"
	"net/netip"
	"testing"
)

// healthyBrokers returns a detector with n brokers that were sampled for a while, and the time.
func healthyBrokers(n int) (*Detector, int64, *Sample) {
	d := New(DefaultParams(), nil)
	now := int64(1_000_000)
	local := netip.MustParseAddrPort("10.0.0.1:9876")
	for i := range n {
		addr := netip.AddrFrom4([4]byte{10, 1, byte(i / 250), byte(i%250 + 1)})
		id := ConnID(i + 1)
		d.Opened(now, id, netip.AddrPortFrom(addr, 1000), local, false)
		d.Bound(now, id, Broker{Cluster: "c", Name: fmt.Sprint(i), Addr: fmt.Sprintf("%v:10911", addr)}, NamedByRegister)
	}
	s := &Sample{State: 1, SndWndBytes: 65535, RTTMicros: 300, MinRTTMicros: 200, RTOMicros: 200_000, SegsIn: 1}
	for range 4 {
		now += 500
		s.SegsIn++
		d.Tick(now)
		for id := range n {
			d.Sample(now, ConnID(id+1), s)
		}
	}
	return d, now, s
}

func BenchmarkSample(b *testing.B) {
	const n = 1000
	d, now, s := healthyBrokers(n)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i > n {
			i = 1
			now += 500
			s.SegsIn++
			d.Tick(now)
		}
		d.Sample(now, ConnID(i), s)
	}
}

func BenchmarkTick1000Brokers(b *testing.B) {
	d, now, _ := healthyBrokers(1000)
	d.p.DialBack = false
	b.ReportAllocs()
	for b.Loop() {
		d.Tick(now)
	}
}

func BenchmarkAppendDue1000Brokers(b *testing.B) {
	d, now, _ := healthyBrokers(1000)
	var due []ConnID
	b.ReportAllocs()
	for b.Loop() {
		due = d.AppendDue(due[:0], now)
	}
}

// TestHealthyAllocatesNothing: samples and ticks while all is well.
func TestHealthyAllocatesNothing(t *testing.T) {
	d, now, s := healthyBrokers(100)
	d.p.DialBack = false
	var due []ConnID
	due = d.AppendDue(due, now+10_000)
	if n := testing.AllocsPerRun(200, func() {
		now += 100
		s.SegsIn++
		d.Tick(now)
		due = d.AppendDue(due[:0], now)
		for _, id := range due {
			if len(d.Sample(now, id, s)) != 0 {
				t.Error("an action about a healthy connection")
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

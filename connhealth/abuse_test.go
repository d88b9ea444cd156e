package connhealth

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// check returns what is inconsistent in a detector.
func (d *Detector) check() error {
	for id, c := range d.conns {
		if c.id != id || d.hosts[c.host.addr] != c.host {
			return fmt.Errorf("conn %d is filed wrongly", id)
		}
		if l := *d.schedule.list(c.fast); int(c.index) >= len(l) || l[c.index] != c {
			return fmt.Errorf("conn %d is scheduled wrongly", id)
		}
		for _, b := range c.brokers {
			if b.conn != c || d.brokers[b.Key()] != b {
				return fmt.Errorf("conn %d carries %s, which is on another", id, b.Addr)
			}
		}
	}
	if n := len(d.schedule.fast) + len(d.schedule.slow); n != len(d.conns) {
		return fmt.Errorf("%d scheduled, %d connections", n, len(d.conns))
	}
	if len(d.list) != len(d.brokers) {
		return fmt.Errorf("%d listed, %d brokers", len(d.list), len(d.brokers))
	}
	for _, b := range d.list {
		if b.conn != nil && d.conns[b.conn.id] != b.conn {
			return fmt.Errorf("%s is on a connection that is gone", b.Addr)
		}
		if b.state == stateHeld && b.conn != nil {
			return fmt.Errorf("%s is held although it is connected", b.Addr)
		}
	}
	if err := d.checkWait(); err != nil {
		return err
	}
	conns := make(map[*host]int)
	for _, c := range d.conns {
		conns[c.host]++
	}
	for _, h := range d.hosts {
		if h.conns != conns[h] {
			return fmt.Errorf("host %v counts %d of %d connections", h.addr, h.conns, conns[h])
		}
	}
	return nil
}

// checkWait returns what would be slept over.
func (d *Detector) checkWait() error {
	wait := d.WaitMillis()
	for id, c := range d.conns {
		if c.overdue && wait > d.p.UrgentTickMillis {
			return fmt.Errorf("an answer of conn %d is overdue, and %d ms are waited", id, wait)
		}
	}
	for _, b := range d.list {
		switch {
		case b.state == stateHeld && wait > d.p.UrgentTickMillis, (b.state == stateParked || b.basis != basisNamed || b.conn == nil) && wait > d.p.TickMillis:
			return fmt.Errorf("%s is not decided, and %d ms are waited", b.Addr, wait)
		}
	}
	if wait > d.p.TickMillis && (d.suspects > 0 || len(d.nudges) > 0 || d.freeze.level != FreezeNone || d.settleTicks > 0) {
		return fmt.Errorf("%d suspects, %d nudges, freeze %v, %d ticks to settle, and %d ms are waited", d.suspects, len(d.nudges), d.freeze.level,
			d.settleTicks, wait)
	}
	return nil
}

// TestAnyOrderOfCalls: whatever the owner calls, in whatever order, with actions done or not,
// nothing breaks, and what is gone is forgotten.
func TestAnyOrderOfCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(DefaultParams(), func(k BrokerKey) bool { return len(k.Addr)%2 == 0 })
		now := int64(1)
		next := ConnID(1)
		conn := func() ConnID { return ConnID(rapid.Uint64Range(1, 12).Draw(t, "conn")) }
		broker := func() Broker {
			return Broker{Cluster: "c", Addr: fmt.Sprintf("10.0.0.%d:1", rapid.IntRange(1, 5).Draw(t, "broker")), ActingMaster: rapid.Bool().Draw(t, "acting")}
		}
		local := netip.MustParseAddrPort("10.0.0.200:1")
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 5).Draw(t, "host"))})
				d.Opened(now, next, netip.AddrPortFrom(addr, 9), local, rapid.Bool().Draw(t, "proxied"))
				next++
			},
			"bound":    func(t *rapid.T) { d.Bound(now, conn(), broker(), Naming(rapid.IntRange(0, 1).Draw(t, "by"))) },
			"request":  func(t *rapid.T) { d.RequestArrived(now, conn(), RequestKind(rapid.IntRange(0, 2).Draw(t, "kind"))) },
			"answered": func(t *rapid.T) { d.RequestAnswered(now, conn()) },
			"closed":   func(t *rapid.T) { d.Closed(now, conn(), CloseHow(rapid.IntRange(0, 3).Draw(t, "how"))) },
			"gone":     func(t *rapid.T) { b := broker(); d.Gone(now, b.Key()) },
			"dial": func(t *rapid.T) {
				b := broker()
				d.DialResult(now, b.Key(), d.dialID, DialOutcome(rapid.IntRange(0, 4).Draw(t, "outcome")))
			},
			"event": func(t *rapid.T) {
				d.Event(now, &Event{Kind: EventKind(rapid.IntRange(0, 4).Draw(t, "kind")), Class: Retransmission(rapid.IntRange(0, 4).Draw(t, "class")), AtMillis: now - rapid.Int64Range(0, 3000).Draw(t, "late"), Conn: conn(), RTOMillis: 200,
					Peer: netip.AddrFrom4([4]byte{10, 0, 0, 1})})
			},
			"samples": func(t *rapid.T) {
				s := Sample{State: 1, Probes: uint8(rapid.IntRange(0, 9).Draw(t, "probes")), UnackedSegs: uint32(rapid.IntRange(0, 2).Draw(t, "unacked")),
					SegsIn: uint32(rapid.IntRange(0, 1000).Draw(t, "segs in")), DataSegsOut: uint32(now / 1000), TotalRetrans: uint32(now / 1500),
					LastAckRecvMillis: uint32(rapid.IntRange(0, 20_000).Draw(t, "ack age")), LastDataSentMillis: uint32(rapid.IntRange(0, 3000).Draw(t, "sent"))}
				for _, id := range d.AppendDue(nil, now) {
					d.Sample(now, id, &s)
				}
			},
			"wait":    func(t *rapid.T) { now += rapid.Int64Range(1, 3000).Draw(t, "wait"); d.Tick(now) },
			"stalled": func(t *rapid.T) { d.Stalled(now, rapid.Int64Range(1, 9000).Draw(t, "stall")) },
			"": func(t *rapid.T) {
				if err := d.check(); err != nil {
					t.Fatal(err)
				}
				if x, ok := d.Conn(now, conn()); ok && len(x.Why.Timeline) > timelineLen {
					t.Fatal("the time line grows")
				}
				d.Brokers(now)
			},
		})
		for id := range next {
			d.Closed(now, id, CloseFIN)
		}
		for range 6000 {
			now += 500
			d.Tick(now)
		}
		if len(d.conns)+len(d.brokers)+len(d.hosts)+len(d.nudges) != 0 {
			t.Fatalf("left: %d connections, %d brokers, %d hosts, %d nudges", len(d.conns), len(d.brokers), len(d.hosts), len(d.nudges))
		}
	})
}

// TestMemory: a silent client costs 192 bytes, one that asks less than 1 kB, a broker a few.
func TestMemory(t *testing.T) {
	if n := unsafe.Sizeof(conn{}); n > 192 {
		t.Errorf("a silent client takes %d bytes", n)
	}
	client := unsafe.Sizeof(conn{}) + unsafe.Sizeof(dealings{}) + unsafe.Sizeof(host{})
	if client > 900 {
		t.Errorf("a client takes %d bytes", client)
	}
	if n := client + unsafe.Sizeof(history{}) + unsafe.Sizeof(broker{}); n > 3000 {
		t.Errorf("a broker takes %d bytes", n)
	}
	t.Logf("conn %d, dealings %d, host %d, history %d, broker %d bytes", unsafe.Sizeof(conn{}), unsafe.Sizeof(dealings{}), unsafe.Sizeof(host{}), unsafe.Sizeof(history{}), unsafe.Sizeof(broker{}))
}

// Goal: a connection on which nothing happens takes no more than its conn. Method: sampled for
// a minute, while its peer answers the kernel's probes, it still has noDealings; after the first
// request it has its own, and others have not.
func TestSilentConnectionsHaveNoDealings(t *testing.T) {
	d := New(DefaultParams(), nil)
	local, now := netip.MustParseAddrPort("10.0.0.1:9876"), int64(1000)
	for id := ConnID(1); id <= 2; id++ {
		d.Opened(now, id, netip.MustParseAddrPort("10.0.0.2:40000"), local, false)
	}
	s := Sample{State: 1, SndWndBytes: 65535, RTTMicros: 300, MinRTTMicros: 200, RTOMicros: 200_000, SegsIn: 1}
	for range 12 {
		now += 5000
		s.SegsIn++
		for id := ConnID(1); id <= 2; id++ {
			d.Sample(now, id, &s)
		}
		d.Tick(now)
	}
	d.LoopStalled(now, 3000)
	if d.conns[1].dealings != noDealings || d.conns[2].dealings != noDealings {
		t.Error("a silent connection has dealings")
	}
	d.RequestArrived(now, 1, RequestClient)
	if d.conns[1].requests != 1 || d.conns[2].dealings != noDealings {
		t.Error("a request did not make dealings for its connection alone")
	}
}

// Goal: actions say whom a connection is with, as it was opened. Method: connections from all kinds
// of addresses are silent with data outstanding until they are suspect.
func TestActionsSayThePeer(t *testing.T) {
	for peer, want := range map[string]string{
		"10.0.0.2:40000": "10.0.0.2:40000", "[::ffff:10.0.0.2]:40000": "10.0.0.2:40000",
		"[2001:db8::2]:65535": "[2001:db8::2]:65535", "[fe80::2%eth0]:1": "[fe80::2%eth0]:1",
	} {
		d, now := New(DefaultParams(), nil), int64(1000)
		d.Opened(now, 1, netip.MustParseAddrPort(peer), netip.MustParseAddrPort("10.0.0.1:9876"), false)
		s := Sample{State: 1, SndWndBytes: 65535, RTTMicros: 300, MinRTTMicros: 200, RTOMicros: 200_000, SegsIn: 1}
		var got string
		for i := range 60 {
			if i > 0 {
				s.UnackedSegs, s.DataSegsOut, s.TotalRetrans, s.Retransmits = 1, uint32(i), uint32(i-1), uint8(i-1)
			}
			d.Tick(now)
			for _, a := range d.Sample(now, 1, &s) {
				if a.Kind == ActSuspect {
					got = a.Peer.String()
				}
			}
			now += 500
		}
		if got != want {
			t.Errorf("of %s: %q, want %q", peer, got, want)
		}
	}
}

// All connections share noDealings: whatever tests have done, nothing may have been written there.
func TestMain(m *testing.M) {
	code := m.Run()
	if !reflect.DeepEqual(noDealings, newDealings()) {
		fmt.Println("noDealings were written to:", *noDealings)
		code = 1
	}
	os.Exit(code)
}

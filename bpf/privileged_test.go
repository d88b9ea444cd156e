package bpf

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf/tcpinfo"
)

// TestPrivilegedTimeline is a broker's path that goes silent with data in flight: each
// transmission is a record, and each field of it is checked.
func TestPrivilegedTimeline(t *testing.T) {
	for name, ip := range map[string]func(*lab) netip.Addr{
		"IPv4": func(l *lab) netip.Addr { return l.ServerIP() },
		"IPv6": func(l *lab) netip.Addr { return l.ServerIP6() },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil)
			for _, m := range l.tracer.Missing() {
				needsHook(t, m.Hook) // names what the kernel lacks; anything else is a fault of ours
				t.Errorf("missing: %v", m)
			}
			timeline(l, ip(l))
		})
	}
}

func timeline(l *lab, ip netip.Addr) {
	t, connID := l.t, uint64(1)<<40+uint64(ip.BitLen())
	p := l.connect(ip, connID, RoleBroker)
	cookie := uint64(0)
	control(t, p.server, func(fd int) (err error) { cookie, err = tcpinfo.Cookie(fd); return err })
	l.must(l.Fault("drop"))
	began := MonotonicNanos()
	if _, err := p.server.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	for i, e := range l.await("time-outs", 4, 10*time.Second, classIs(ClassTimeout)) {
		if e.Retransmits != uint8(i+1) || e.CAState != CALoss || e.Pending != 0 {
			t.Errorf("time-out %d: retransmits %d, %v, timer %d", i+1, e.Retransmits, e.CAState, e.Pending)
		}
		if rto := uint32(200 << i); e.RTOMillis < rto || e.RTOMillis > rto+rto/2 {
			t.Errorf("time-out %d: an RTO of %d ms, about %d expected", i+1, e.RTOMillis, rto)
		}
	}
	events := l.seen(kindIs(KindRetransmit))
	for i, e := range events {
		now := MonotonicNanos()
		if e.TimeNanos < began || e.TimeNanos > now || i > 0 && e.TimeNanos <= events[i-1].TimeNanos {
			t.Errorf("event %d at %d, not within %d to %d or out of order", i, e.TimeNanos, began, now)
		}
		if ms := uint32((e.TimeNanos - began) / 1e6); e.AckAgeMillis+20 < ms || e.AckAgeMillis > ms+2000 {
			t.Errorf("event %d: last acknowledgement %d ms ago, %d ms after the write", i, e.AckAgeMillis, ms)
		}
		got := fmt.Sprint(e.ConnID == connID, e.Cookie == cookie, e.Role, e.State, e.Local, e.Remote, e.EndSeq-e.Seq, e.Seq == e.SndUna,
			e.SndNxt-e.SndUna, e.WriteSeq-e.SndNxt, e.PacketsOut, e.TCPFlags, e.Err, e.SoftErr, e.SndWnd > 0)
		want := fmt.Sprint(true, true, RoleBroker, StateEstablished, p.server.LocalAddr(), p.server.RemoteAddr(), 5, true,
			5, 0, 1, 24, 0, 0, true)
		if got != want {
			t.Errorf("event %d: %s\nwant %s", i, got, want)
		}
		if e.TotalRetrans != events[0].TotalRetrans+uint32(i) || e.SRTTMicros == 0 {
			t.Errorf("event %d: %d retransmitted in all, rtt %d us", i, e.TotalRetrans, e.SRTTMicros)
		}
	}
	if first := events[0]; first.Class != ClassTailLossProbe || first.Pending != 5 {
		t.Errorf("the first is %v with timer %d, a tail loss probe was expected", first.Class, first.Pending)
	}
}

// TestPrivilegedFast drops one full segment in the middle of many.
func TestPrivilegedFast(t *testing.T) {
	l := newLab(t, nil)
	l.must(l.Server.IP("link set eth0 gso_max_segs 1\n"))
	p := l.connect(l.ServerIP(), 1, RoleBroker)
	drain(p.peer)
	l.must(l.Fault("ip saddr " + l.ServerIP().String() + " meta length > 1000 numgen inc mod 1000000 == 20 drop"))
	if _, err := p.server.Write(make([]byte, 200_000)); err != nil {
		t.Fatal(err)
	}
	e := l.await("fast retransmission", 1, 5*time.Second, classIs(ClassFast))[0]
	if e.CAState != CARecovery || e.Retransmits != 0 || e.Seq != e.SndUna {
		t.Errorf("%v, %d time-outs, segment %d with %d the first not acknowledged", e.CAState, e.Retransmits, e.Seq, e.SndUna)
	}
	// A busy machine brings segments out of order too, and those are sent again as well.
	var info tcpinfo.Info
	control(t, p.server, func(fd int) (err error) { _, err = tcpinfo.Read(fd, &info); return err })
	if all := l.await("retransmissions", int(info.TotalRetrans), 5*time.Second, kindIs(KindRetransmit)); len(all) > 1 {
		t.Logf("%d retransmissions of one lost segment", len(all))
	}
}

// TestPrivilegedLocalFailure refuses the segments on the server's own host: a client's record
// too, since it is never the peer's fault. A segment must be in flight before: one that never
// got out is not sent again but waits behind a window probe.
func TestPrivilegedLocalFailure(t *testing.T) {
	l := newLab(t, nil)
	if !hasArguments(t, hookRetransmit, 3) {
		t.Skip("NOT TESTED: this kernel's tcp_retransmit_skb has no err argument (Linux 6.17)")
	}
	p := l.connect(l.ServerIP(), 7, RoleClient)
	l.must(l.Fault("drop"))
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	l.must(l.Server.Nft("table inet own {\n chain output { type filter hook output priority 0; tcp sport " +
		fmt.Sprint(p.listener.Addr().(*net.TCPAddr).Port) + " drop; }\n}"))
	e := l.await("local failure", 1, 5*time.Second, classIs(ClassLocalFailure))[0]
	if e.Err != int32(syscall.EPERM) || e.ConnID != 7 || e.Role != RoleClient {
		t.Errorf("errno %d of connection %d (%v)", e.Err, e.ConnID, e.Role)
	}
}

// TestPrivilegedLocalFailureOfTheFirst: a segment that our own host never let out is not in
// flight. The kernel probes for it as if for a window, without records; that it is our own doing
// shows by the window, which is open.
func TestPrivilegedLocalFailureOfTheFirst(t *testing.T) {
	l := newLab(t, nil)
	p := l.connect(l.ServerIP(), 7, RoleBroker)
	l.must(l.Server.Nft("table inet own {\n chain output { type filter hook output priority 0; tcp sport " +
		fmt.Sprint(p.listener.Addr().(*net.TCPAddr).Port) + " drop; }\n}"))
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	var info tcpinfo.Info
	control(t, p.server, func(fd int) (err error) { _, err = tcpinfo.Read(fd, &info); return err })
	if info.Unacked != 0 || info.NotSentBytes != 1 || info.Probes == 0 || info.SndWnd == 0 {
		t.Errorf("%d in flight, %d bytes not sent, %d probes, window %d", info.Unacked, info.NotSentBytes, info.Probes, info.SndWnd)
	}
	if n := len(l.seen(kindIs(KindRetransmit))); n > 0 {
		t.Errorf("%d records", n)
	}
}

// TestPrivilegedWindow closes the window while data is in flight: the router eats the data and
// rewrites what the peer says about its window.
func TestPrivilegedWindow(t *testing.T) {
	l := newLab(t, nil)
	p := l.connect(l.ServerIP(), 1, RoleBroker)
	l.must(l.Fault("ip saddr " + l.ServerIP().String() + " meta length > 100 drop"))
	l.must(l.Fault("ip saddr " + l.PeerIP(0).String() + " tcp window set 0"))
	if _, err := p.server.Write(make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	e := l.await("window", 1, 5*time.Second, classIs(ClassWindow))[0]
	if e.SndWnd != 0 || e.PacketsOut != 1 {
		t.Errorf("window %d with %d in flight", e.SndWnd, e.PacketsOut)
	}
}

// TestPrivilegedResets are resets in both directions, with the order of states around them.
func TestPrivilegedResets(t *testing.T) {
	needsHook(t, "inet_sk_error_report")
	l := newLab(t, nil)
	in, out := l.connect(l.ServerIP(), 1, RoleBroker), l.connect(l.ServerIP(), 2, RoleClient)
	l.must(in.peer.SetLinger(0))
	l.must(in.peer.Close())
	e := l.await("reset by the peer", 1, 5*time.Second, kindIs(KindResetReceived))[0]
	if e.ConnID != 1 || e.State != StateEstablished {
		t.Errorf("connection %d in %v", e.ConnID, e.State)
	}
	closed := l.await("close", 1, 5*time.Second, func(e *Event) bool { return e.Kind == KindState && e.State == StateClose })[0]
	if closed.ConnID != 1 || closed.OldState != StateEstablished || closed.TimeNanos < e.TimeNanos {
		t.Errorf("connection %d from %v at %d, reset at %d", closed.ConnID, closed.OldState, closed.TimeNanos, e.TimeNanos)
	}
	if closed.Local.String() != in.server.LocalAddr().String() {
		t.Errorf("closed at %v, not %v", closed.Local, in.server.LocalAddr())
	}
	l.must(out.server.SetLinger(0))
	l.must(out.server.Close())
	e = l.await("reset by us", 1, 5*time.Second, kindIs(KindResetSent))[0]
	if e.ConnID != 2 || hasArguments(t, hookSendReset, 3) != (e.ResetReason != 0) {
		t.Errorf("connection %d, reason %d", e.ConnID, e.ResetReason)
	}
	// A reset of ours is an error on our own socket too.
	failed := l.seen(kindIs(KindError))
	if len(failed) != 2 || failed[0].ConnID != 1 || failed[1].ConnID != 2 ||
		failed[0].Err != int32(syscall.ECONNRESET) || failed[1].Err != failed[0].Err {
		t.Errorf("errors: %+v", failed)
	}
}

// TestPrivilegedOrder is a broker that closes in order.
func TestPrivilegedOrder(t *testing.T) {
	l := newLab(t, nil)
	p := l.connect(l.ServerIP(), 3, RoleBroker)
	l.must(p.peer.Close())
	l.await("FIN", 1, 5*time.Second, func(e *Event) bool { return e.Kind == KindState && e.State == StateCloseWait })
	l.must(p.server.Close())
	l.await("close", 1, 5*time.Second, func(e *Event) bool { return e.Kind == KindState && e.State == StateClose })
	var order []State
	for _, e := range l.seen(kindIs(KindState)) {
		order = append(order, e.OldState, e.State)
		if e.ConnID != 3 || e.Local.Port() == 0 {
			t.Errorf("connection %d at %v", e.ConnID, e.Local)
		}
	}
	if got, want := fmt.Sprint(order), "[established close_wait close_wait last_ack last_ack close]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestPrivilegedSynAck lets connection requests in but no answer out.
func TestPrivilegedSynAck(t *testing.T) {
	l := newLab(t, nil)
	listener := l.listen(l.Server, netip.AddrPortFrom(l.ServerIP(), 0).String())
	control(t, listener, func(fd int) error { return l.tracer.MarkSocket(fd, 9, RoleListener) })
	l.must(l.Fault("ip saddr " + l.ServerIP().String() + " drop"))
	if _, err := l.dial(l.Peers[0], listener.Addr().String(), 2500*time.Millisecond); err == nil {
		t.Fatal("connected through a dead path")
	}
	events := l.await("SYN-ACK", 2, 5*time.Second, kindIs(KindSynAck))
	for i, e := range events[:2] {
		if e.Remote.Addr() != l.PeerIP(0) || e.Local.String() != listener.Addr().String() || e.Remote.Port() != events[0].Remote.Port() {
			t.Errorf("SYN-ACK from %v to %v", e.Local, e.Remote)
		}
		if e.Retransmits == 0 || e.ConnID != 9 || e.Role != RoleListener || e.State != StateSynRecv {
			t.Errorf("SYN-ACK %d: sent again %d times, connection %d, %v, %v", i, e.Retransmits, e.ConnID, e.Role, e.State)
		}
	}
	t.Logf("%d SYN-ACKs, counted %d and %d", len(events), events[0].Retransmits, events[1].Retransmits)
}

// TestPrivilegedGivesUp is the kernel's own end of a silent connection.
func TestPrivilegedGivesUp(t *testing.T) {
	needsHook(t, "inet_sk_error_report")
	l := newLab(t, nil)
	p := l.connect(l.ServerIP(), 5, RoleClient)
	control(t, p.server, func(fd int) error { return tcpinfo.SetUserTimeout(fd, 1500*time.Millisecond) })
	l.must(l.Fault("drop"))
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	e := l.await("error", 1, 10*time.Second, kindIs(KindError))[0]
	if e.ConnID != 5 || e.Err != int32(syscall.ETIMEDOUT) {
		t.Errorf("connection %d, errno %d", e.ConnID, e.Err)
	}
	// A client's first time-out and its probe are only counted.
	for _, e := range l.seen(kindIs(KindRetransmit)) {
		if e.Class != ClassTimeout || e.Retransmits < 2 {
			t.Errorf("a record of a client's %v %d", e.Class, e.Retransmits)
		}
	}
	c, err := l.tracer.Counters()
	l.must(err)
	if got := c.Retransmits[RoleClient]; got[ClassTailLossProbe] != 1 || got[ClassTimeout] < 3 || c.Errors != 1 {
		t.Errorf("counters: %+v", c)
	}
}

// TestPrivilegedUnreachable is a router that says so: the soft error is in the records, and the
// time-outs that the message brings forward are told apart all the same. A message that comes
// late, as after a failed neighbour discovery, makes the kernel retransmit from the message's
// handler with its timer still set.
func TestPrivilegedUnreachable(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		l := newLab(t, nil)
		p := l.connect(l.ServerIP(), 5, RoleBroker)
		l.must(l.Fault("ip daddr " + l.PeerIP(0).String() + " reject with icmp type host-unreachable"))
		unreachable(l, p, 4, func(e *Event) bool { return e.Pending == 0 })
	})
	t.Run("late", func(t *testing.T) {
		l := newLab(t, nil)
		p := l.connect(l.ServerIP(), 5, RoleBroker)
		l.must(l.Peers[0].IP("link set eth0 arp off\n"))
		l.must(l.Router.IP("neigh flush dev eth1\n"))
		unreachable(l, p, 5, func(e *Event) bool { return e.Pending != 0 })
	})
}

// unreachable waits for n time-outs, of which at least one looks like typical.
func unreachable(l *lab, p pair, n int, typical func(*Event) bool) {
	t := l.t
	before, err := l.Server.Counters()
	l.must(err)
	began := MonotonicNanos()
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	events := l.await("time-outs", n, 20*time.Second, classIs(ClassTimeout))
	if last := events[len(events)-1]; last.SoftErr != int32(syscall.EHOSTUNREACH) {
		t.Errorf("soft error %d", last.SoftErr)
	}
	for _, e := range l.seen(kindIs(KindRetransmit)) {
		t.Logf("%+5d ms %v, %d in a row, back-off %d, timer %d, soft error %d", (e.TimeNanos-began)/1e6, e.Class, e.Retransmits, e.Backoff, e.Pending, e.SoftErr)
	}
	if len(l.seen(func(e *Event) bool { return e.Class == ClassTimeout && typical(e) })) == 0 {
		t.Error("none of the time-outs came the way that this is about")
	}
	// Read the kernel's counters until none of its time-outs falls between the two readings.
	for range 10 {
		after, err := l.Server.Counters()
		l.must(err)
		c := l.counters()
		got, want := c.RetransmitsByClass(), after["TcpExt.TCPTimeouts"]-before["TcpExt.TCPTimeouts"]
		if int64(got[ClassTimeout]) == want {
			return
		}
		t.Logf("%d time-outs, the kernel counts %d; %v", got[ClassTimeout], want, got)
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the kernel counts other time-outs")
}

// TestPrivilegedOthersProduceNothing retransmits on a socket that is not ours, and shows that
// the program ran and left no trace.
func TestPrivilegedOthersProduceNothing(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Ports = []uint16{1} })
	defer enableStats(t)()
	p := l.connect(l.ServerIP(), 0, RoleNone)
	l.must(l.Fault("drop"))
	if _, err := p.server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for runs := uint64(0); runs < 3; {
		if time.Now().After(deadline) {
			t.Fatalf("the program ran %d times", runs)
		}
		time.Sleep(50 * time.Millisecond)
		runs = stats(t, l.tracer)[hookRetransmit].Runs
	}
	l.must(p.server.SetLinger(0))
	l.must(p.server.Close())
	time.Sleep(50 * time.Millisecond)
	c, err := l.tracer.Counters()
	l.must(err)
	if c != (Counters{}) {
		t.Errorf("counted: %+v", c)
	}
	if e := l.seen(func(*Event) bool { return true }); len(e) > 0 {
		t.Errorf("records: %+v", e)
	}
	dumped := 0
	l.in(l.Server, func() error { return l.tracer.DumpSockets(func(*Socket) error { dumped++; return nil }) })
	if dumped > 0 {
		t.Errorf("%d sockets in the dump", dumped)
	}
}

// TestPrivilegedMarks: a child inherits its listener's mark, becomes a broker's, and goes back.
func TestPrivilegedMarks(t *testing.T) {
	l := newLab(t, nil)
	listener := l.listen(l.Server, netip.AddrPortFrom(l.ServerIP(), 0).String())
	control(t, listener, func(fd int) error { return l.tracer.MarkSocket(fd, 9, RoleListener) })
	peer, err := l.dial(l.Peers[0], listener.Addr().String(), 5*time.Second)
	l.must(err)
	defer peer.Close()
	server, err := listener.AcceptTCP()
	l.must(err)
	defer server.Close()

	look := func() (id uint64, role Role) {
		t.Helper()
		l.in(l.Server, func() error {
			return l.tracer.DumpSockets(func(s *Socket) error {
				if s.State == StateEstablished {
					id, role = s.ConnID, s.Role
				}
				return nil
			})
		})
		return id, role
	}
	if id, role := look(); id != 0 || role != RoleClient {
		t.Errorf("inherited: %d, %v", id, role)
	}
	for _, want := range []struct {
		id   uint64
		role Role
	}{{1 << 60, RoleBroker}, {12, RoleClient}} {
		control(t, server, func(fd int) error { return l.tracer.MarkSocket(fd, want.id, want.role) })
		if id, role := look(); id != want.id || role != want.role {
			t.Errorf("marked as %d, %v: %d, %v", want.id, want.role, id, role)
		}
	}
	if err := l.tracer.MarkSocket(-1, 1, RoleBroker); !errors.Is(err, syscall.EBADF) {
		t.Errorf("descriptor -1: %v", err)
	}
}

// TestPrivilegedDump sees listener, live and orphaned sockets with what is in them.
func TestPrivilegedDump(t *testing.T) {
	l := newLab(t, nil)
	live, orphan := l.connect(l.ServerIP(), 1, RoleBroker), l.connect(l.ServerIP(), 2, RoleClient)
	control(t, live.listener, func(fd int) error { return l.tracer.MarkSocket(fd, 3, RoleListener) })
	if _, err := live.peer.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	l.must(l.Fault("drop"))
	if _, err := orphan.server.Write([]byte("seven..")); err != nil {
		t.Fatal(err)
	}
	l.must(orphan.server.Close())
	time.Sleep(300 * time.Millisecond)
	got := map[uint64]Socket{}
	l.in(l.Server, func() error {
		return l.tracer.DumpSockets(func(s *Socket) error { got[s.ConnID] = *s; return nil })
	})
	if len(got) != 3 {
		t.Errorf("%d sockets: %+v", len(got), got)
	}
	if s := got[1]; s.State != StateEstablished || s.Unread() != 4 || s.BytesReceived != 4 || s.Orphan || s.RcvWnd == 0 || s.MSS != 1448 && s.MSS != 1460 {
		t.Errorf("live: %+v, unread %d", s, s.Unread())
	}
	if s := got[2]; s.State != StateFinWait1 || !s.Orphan || s.SndNxt-s.SndUna+s.Unsent() != 8 || s.Role != RoleClient {
		t.Errorf("orphan: %+v", s)
	}
	if s := got[3]; s.State != StateListen || s.AcceptMax == 0 || s.AcceptQueue != 0 || s.Unread() != 0 {
		t.Errorf("listener: %+v", s)
	}
	stop := errors.New("enough")
	l.in(l.Server, func() error {
		if err := l.tracer.DumpSockets(func(*Socket) error { return stop }); err != stop {
			return fmt.Errorf("ended with %v", err)
		}
		return nil
	})
}

package connwatch

import (
	"log/slog"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// resting is a Watch that runs, and would sleep for an hour while all is well: whatever it is
// to do by itself within the time of a test it must have been woken up for.
func resting(t *testing.T, srv *fakeServer) *Watch {
	t.Helper()
	p := connhealth.DefaultParams()
	p.DialBack, p.HoldMillis, p.CalmTickMillis, p.StallMillis = false, 300, 3_600_000, 7_200_000
	w := New(Options{Mode: Evict, Params: p, Log: slog.New(discard)})
	srv.conns = map[routetable.ConnID]server.ConnectionInfo{}
	w.Start(srv, routetable.New(routetable.Options{}))
	t.Cleanup(w.Stop)
	eventually(t, "the watch rests", w.resting.Load)
	return w
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func (w *Watch) opens(id routetable.ConnID, peer string) {
	w.Opened(id, netip.MustParseAddrPort(peer), netip.MustParseAddrPort("10.9.9.9:9876"), -1)
}

func (w *Watch) registers(id routetable.ConnID, addr string) {
	b := server.BoundBroker{TimeoutMillis: 120_000}
	b.Conn, b.Name, b.Broker, b.Generation = id, "broker-a", routetable.BrokerKey{Cluster: "c1", Addr: addr}, 1
	w.Bound(b, true)
}

// Goal: the end of a hold is not slept over.
func TestHoldEndsWhileAllElseIsWell(t *testing.T) {
	w := resting(t, &fakeServer{})
	w.opens(1, "10.0.0.1:4001")
	w.registers(1, "10.0.0.1:10911")
	w.Closed(1, server.CloseBroken, syscall.EHOSTUNREACH)
	eventually(t, "held, and then parked", func() bool {
		page := w.Evidence(0)
		return slices.Equal(actionsOf(&page), []string{"hold doubtful_close", "park hold_over"})
	})
}

// Goal: what the kernel reports has its connection sampled soon.
func TestEventEndsTheRest(t *testing.T) {
	srv := &fakeServer{asked: make(chan routetable.ConnID, 100)}
	w := resting(t, srv)
	w.opens(7, "10.0.0.1:4001")
	w.registers(7, "10.0.0.1:10911")
	w.box.put(&note{kind: noteSample, atMillis: w.now(), conn: 7, sample: connhealth.Sample{State: 1, RTTMicros: 300, MinRTTMicros: 200, SndWndBytes: 64_000}})
	if promoted := <-srv.asked; promoted != 7 {
		t.Fatalf("connection %d was promoted", promoted)
	}
	time.Sleep(5 * time.Millisecond) // the event is later than the sample
	w.box.put(&note{kind: noteEvent, atMillis: w.now(), event: bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassTimeout, ConnID: 7,
		TimeNanos: bpf.MonotonicNanos(), RTOMillis: 200, State: bpf.StateEstablished}})
	select {
	case id := <-srv.asked:
		if id != 7 {
			t.Errorf("connection %d is sampled", id)
		}
	case <-time.After(20 * time.Second):
		t.Error("nobody is sampled")
	}
}

// Goal: while all is well nobody is woken up for what changes nothing, but whoever asks is told
// of it.
func TestRequestsDoNotEndTheRest(t *testing.T) {
	w := resting(t, &fakeServer{})
	w.opens(1, "10.0.0.1:4001")
	w.registers(1, "10.0.0.1:10911")
	for range 50 {
		w.Requested(1, server.RequestOther)
		w.Answered(1)
	}
	unread := func() int {
		w.box.mu.Lock()
		defer w.box.mu.Unlock()
		return len(w.box.pile.slips)
	}
	if n := unread(); n != 4 || len(w.box.wake) > 0 {
		t.Errorf("%d notes are unread, want 4; the watch is woken: %v", n, len(w.box.wake) > 0)
	}
	if list, err := w.Brokers(t.Context()); err != nil || len(list) != 1 || unread() != 0 {
		t.Errorf("%d brokers are known, want 1; %d notes unread, %v", len(list), unread(), err)
	}
}

// Goal: of those whose sample is due a loop gets no more at a time than it can take in between
// others' requests; and nobody is left out.
func TestSamplesComeInParts(t *testing.T) {
	soon := server.VisitsPerSecond * int(connhealth.DefaultParams().CalmTickMillis) / 1000
	n := soon + samplesAtOnce*3/2
	srv := &fakeServer{asked: make(chan routetable.ConnID, 2*n)}
	r := newRig(t, discard)
	r.Watch.srv = srv
	for id := range n {
		r.due = append(r.due, connhealth.ConnID(id+1))
	}
	seen := map[routetable.ConnID]bool{}
	for _, want := range []int{soon, samplesAtOnce, samplesAtOnce / 2, 0} {
		r.sample(r.now())
		if got := len(srv.asked); got != want {
			t.Errorf("%d are asked for, want %d", got, want)
		}
		for range len(srv.asked) {
			seen[<-srv.asked] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d were asked for", len(seen), n)
	}
}

// Goal: while all is well a sample is read with the next look, unless it shows something that
// is not answered. Method: a real connection, whose peer then does not read.
func TestSampleOfTroubleEndsTheRest(t *testing.T) {
	_, conn := dialled(t)
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	srv := &fakeServer{}
	r := newRig(t, discard)
	r.Watch.srv = srv
	look := func() (read bool) {
		r.box.take()
		r.due = []connhealth.ConnID{1}
		err := raw.Control(func(fd uintptr) {
			srv.fd = int(fd)
			r.sample(r.now())
		})
		if list := kinds(r.box.take()); err != nil || len(list) != 1 || list[0] != noteSample {
			t.Fatalf("left %v, %v; want a sample", list, err)
		}
		return len(r.box.wake) > 0
	}
	if look() {
		t.Error("woken for an idle connection")
	}
	_ = conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	for buf := make([]byte, 1<<20); err == nil; {
		_, err = conn.Write(buf)
	}
	if !look() {
		t.Error("not woken for a peer that does not read")
	}
}

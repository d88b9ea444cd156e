package bpf

import (
	"io"
	"math"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// What one run may cost, in nanoseconds by the kernel's own statistics, on an idle machine.
const (
	countedNanosMax = 300
	recordNanosMax  = 1000
)

// strict makes the figures of this file a condition (`make measure`): on a busy machine they
// say more about the others.
func strict() bool { return os.Getenv("PHAROS_MEASURE") != "" }

// TestPrivilegedCost runs lossy bulk traffic on sockets of others, of clients and of brokers.
func TestPrivilegedCost(t *testing.T) {
	l := newLab(t, nil)
	defer enableStats(t)()
	l.must(l.Server.IP("link set eth0 gso_max_segs 1\n"))
	for _, c := range []struct {
		what    string
		role    Role
		perRun  uint64 // nanoseconds allowed
		records bool
	}{
		{"not ours", RoleNone, countedNanosMax, false},
		{"counted", RoleClient, countedNanosMax, false},
		{"recorded", RoleBroker, recordNanosMax, true},
	} {
		before, records := stats(t, l.tracer), l.records()
		lossyBulk(l, c.role)
		after := stats(t, l.tracer)
		runs := after[hookRetransmit].Runs - before[hookRetransmit].Runs
		nanos := after[hookRetransmit].Nanos - before[hookRetransmit].Nanos
		made := l.records() - records
		if runs < 200 {
			t.Fatalf("%s: only %d runs", c.what, runs)
		}
		t.Logf("%s: %d ns a retransmission (%d runs, %d records)", c.what, nanos/runs, runs, made)
		if c.records && made < runs/2 || !c.records && made > runs/10 {
			t.Errorf("%s: %d records of %d retransmissions", c.what, made, runs)
		}
		if strict() && nanos/runs > c.perRun {
			t.Errorf("%s: %d ns a retransmission, at most %d are allowed", c.what, nanos/runs, c.perRun)
		}
	}
}

func (l *lab) records() uint64 {
	l.t.Helper()
	c, err := l.tracer.Counters()
	l.must(err)
	return c.Records
}

// lossyBulk sends for some seconds on eight connections that lose a twelfth of their segments.
func lossyBulk(l *lab, role Role) {
	l.t.Helper()
	var pairs []pair
	for i := range 8 {
		p := l.connect(l.ServerIP(), uint64(i+1), role)
		drain(p.peer)
		pairs = append(pairs, p)
	}
	l.must(l.Fault("ip saddr " + l.ServerIP().String() + " numgen random mod 100 < 8 drop"))
	var wg sync.WaitGroup
	for _, p := range pairs {
		wg.Go(func() {
			for began := time.Now(); time.Since(began) < 4*time.Second; {
				if _, err := p.server.Write(make([]byte, 30_000)); err != nil {
					l.t.Errorf("load: %v", err)
					return
				}
			}
			p.peer.Close()
			p.server.Close()
		})
	}
	wg.Wait()
	l.must(l.Heal())
	time.Sleep(time.Second)
}

// TestPrivilegedCostOfStates opens and closes connections of others, of clients and of brokers.
func TestPrivilegedCostOfStates(t *testing.T) {
	inNamespace(t, func() error {
		tracer, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		defer tracer.Close()
		defer enableStats(t)()
		for _, c := range []struct {
			what string
			run  func() error
		}{
			{"not ours", func() error { return plainConnections(2000) }},
			{"counted (client)", func() error { return resetConnections(tracer, 1000, RoleClient) }},
			{"recorded (broker)", func() error { return resetConnections(tracer, 1000, RoleBroker) }},
		} {
			before := stats(t, tracer)
			if err := c.run(); err != nil {
				return err
			}
			for hook, after := range stats(t, tracer) {
				if runs := after.Runs - before[hook].Runs; runs > 0 {
					nanos := (after.Nanos - before[hook].Nanos) / runs
					t.Logf("%s: %s %d ns (%d runs)", c.what, hook, nanos, runs)
					if strict() && nanos > recordNanosMax {
						t.Errorf("%s: %s takes %d ns, at most %d are allowed", c.what, hook, nanos, recordNanosMax)
					}
				}
			}
		}
		return nil
	})
}

func plainConnections(n int) error {
	for range n {
		s, c, err := childPair()
		if err != nil {
			return err
		}
		c.Close()
		s.Close()
	}
	return nil
}

// TestPrivilegedCostOfMarks marks fresh sockets, marks them again, and dumps them.
func TestPrivilegedCostOfMarks(t *testing.T) {
	const n = 1000
	inNamespace(t, func() error {
		tracer, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		defer tracer.Close()
		var fds []int
		for range n {
			s, c, err := childPair()
			if err != nil {
				return err
			}
			defer s.Close()
			defer c.Close()
			control(t, s, func(fd int) error { fds = append(fds, fd); return nil })
		}
		for _, what := range []string{"first", "again"} {
			began := time.Now()
			for i, fd := range fds {
				if err := tracer.MarkSocket(fd, uint64(i+1), RoleBroker); err != nil {
					return err
				}
			}
			t.Logf("mark %s: %d ns a socket", what, time.Since(began).Nanoseconds()/n)
		}
		if allocations := testing.AllocsPerRun(100, func() { _ = tracer.MarkSocket(fds[0], 1, RoleBroker) }); allocations > 2 {
			t.Errorf("%v allocations a mark", allocations)
		} else {
			t.Logf("%v allocations a mark", allocations)
		}
		rows, began := 0, time.Now()
		if err := tracer.DumpSockets(func(*Socket) error { rows++; return nil }); err != nil {
			return err
		}
		t.Logf("dump: %d sockets of %d in %v", rows, 2*n, time.Since(began))
		if rows != n {
			t.Errorf("%d sockets in the dump, %d are marked", rows, n)
		}
		return nil
	})
}

// TestPrivilegedHealthyTrafficRunsNothing: requests and answers on a broker's connection leave
// every counter where it was.
func TestPrivilegedHealthyTrafficRunsNothing(t *testing.T) {
	l := newLab(t, nil)
	defer enableStats(t)()
	p := l.connect(l.ServerIP(), 1, RoleBroker)
	go func() { _, _ = io.Copy(p.peer, p.peer) }()
	counted := l.counters()
	const requests = 4000
	least := uint64(math.MaxUint64)
	for range 5 { // other processes of the machine run them too, not all the time
		before, runs := stats(t, l.tracer), uint64(0)
		exchange(t, p.server, requests)
		for hook, s := range stats(t, l.tracer) {
			runs += s.Runs - before[hook].Runs
		}
		least = min(least, runs)
	}
	if now := l.counters(); now != counted {
		t.Errorf("counted: %+v, before %+v", now, counted)
	}
	if t.Logf("at least %d runs of all programs during %d requests", least, requests); least > requests/10 {
		t.Errorf("%d runs during %d requests", least, requests)
	}
}

func (l *lab) counters() Counters {
	l.t.Helper()
	c, err := l.tracer.Counters()
	l.must(err)
	return c
}

func exchange(t *testing.T, c net.Conn, n int) {
	t.Helper()
	buf := make([]byte, 128)
	for range n {
		if _, err := c.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
	}
}

package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/routetable"
)

func millisToDuration(millis int64) time.Duration { return time.Duration(millis) * time.Millisecond }

// What ends a connection decides whether its broker goes with it.
func TestCloseReasons(t *testing.T) {
	for reason := range CloseReason(closeReasons) {
		t.Run(reason.String(), func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial()
			b := newBroker("b1", 0, "T1", "T2")
			c.mustRegister(b)
			c.close(reason)
			r.settle()
			want := map[CloseReason]bool{ClosePeer: true, CloseBroken: true, CloseIdle: true, CloseBadFrame: true, CloseUnsupported: true}[reason]
			if gone := !r.live(b); gone != want {
				t.Errorf("the broker is gone: %v, want %v", gone, want)
			}
			if want && (r.HandlerStats().Removals[routetable.RemoveConnClosed] != 1 || !r.logged("broker removed: its connection closed")) {
				t.Errorf("not counted, or not logged:\n%s", r.logs)
			}
		})
	}
}

// All brokers of a connection go with it (a broker container has many), and no others;
// also one whose registration still waits in its lane when the connection closes.
func TestCloseOfContainer(t *testing.T) {
	r := newRig(t, nil)
	c, other := r.dial(), r.dial()
	var brokers []broker
	for i := range 5 {
		b := newBroker(fmt.Sprintf("b%d", i), 0, "T1", "T2")
		b.addr = fmt.Sprintf("10.0.0.%d:10911", i)
		brokers = append(brokers, b)
		if i < 4 {
			c.mustRegister(b)
		}
	}
	bystander := newBroker("bystander", 0, "T1", "T2")
	bystander.addr = "10.9.9.9:1"
	other.mustRegister(bystander)
	release := make(chan struct{})
	r.lanes.SubmitAlways(BrokerLane(brokers[4].key()), 0, func() { <-release })
	body := brokers[4].body(c.version)
	c.push(c.frame(codec.CodeRegisterBroker, body, brokers[4].ext(body)...))
	c.hangUp()
	close(release)
	r.settle()
	for _, b := range brokers {
		if r.live(b) {
			t.Errorf("%s outlived its connection", b.name)
		}
	}
	if !r.live(bystander) {
		t.Error("a broker of another connection went too")
	}
}

// A broker that registers again on a new connection is not touched by the close of the
// old one, whichever of the two is handled first.
func TestCloseAndRegisterAgain(t *testing.T) {
	for _, closeFirst := range []bool{true, false} {
		r := newRig(t, nil)
		old, next := r.dial(), r.dial()
		b := newBroker("b1", 0, "T1", "T2")
		old.mustRegister(b)
		release := make(chan struct{})
		r.lanes.SubmitAlways(BrokerLane(b.key()), 0, func() { <-release })
		body := b.body(next.version)
		again := next.frame(codec.CodeRegisterBroker, body, b.ext(body)...)
		if closeFirst {
			old.hangUp()
			next.push(again)
		} else {
			next.push(again)
			old.hangUp()
		}
		close(release)
		next.answer().want(t, codec.Success, "", "")
		r.settle()
		if !r.live(b) {
			t.Errorf("close first %v: the broker is gone", closeFirst)
		}
		if info, _ := r.handlers.table.Snapshot().Live(b.key()); info.Conn != next.conn.id {
			t.Errorf("close first %v: bound to %d, want %d", closeFirst, info.Conn, next.conn.id)
		}
	}
}

// The same address in two clusters, and in two groups of one cluster: a connection takes
// with it exactly what it registered.
func TestCloseSameAddress(t *testing.T) {
	r := newRig(t, nil)
	c1, c2 := r.dial(), r.dial()
	a, b := newBroker("b1", 0, "T1", "T2"), newBroker("b2", 0, "T1", "T2")
	b.cluster = "c2" // and the same address
	c1.mustRegister(a)
	c2.mustRegister(b)
	c1.hangUp()
	r.settle()
	if r.live(a) || !r.live(b) {
		t.Errorf("after c1's close: a %v, b %v", r.live(a), r.live(b))
	}
	if route, _ := r.route("T1"); len(route.BrokerDatas) != 1 || route.BrokerDatas[0].BrokerName != "b2" {
		t.Errorf("route: %+v", route)
	}
}

func TestExpiry(t *testing.T) {
	r := newRig(t, nil)
	slow, fast, idle := newBroker("slow", 0, "T1", "T2"), newBroker("fast", 0, "T1", "T2"), newBroker("idle", 0, "T1", "T2")
	fast.addr, idle.addr = "f:1", "i:1"
	fast.extra = []string{"heartbeatTimeoutMillis", "10000"}
	cs, cf, ci := r.dial(), r.dial(), r.dial()
	cs.mustRegister(slow)
	cf.mustRegister(fast)
	ci.mustRegister(idle)
	f := func(wantSlow, wantFast, wantIdle bool) {
		t.Helper()
		r.scan(t)
		if r.live(slow) != wantSlow || r.live(fast) != wantFast || r.live(idle) != wantIdle {
			t.Fatalf("slow %v fast %v idle %v, want %v %v %v", r.live(slow), r.live(fast), r.live(idle), wantSlow, wantFast, wantIdle)
		}
	}
	f(true, true, true)
	r.advance(10_001)
	f(true, false, true)
	if !cf.conn.Closed() || cf.conn.reason() != CloseExpired || cs.conn.Closed() {
		t.Errorf("closed: fast %v, slow %v", cf.conn.Closed(), cs.conn.Closed())
	}
	r.advance(60_000)
	cs.call(codec.CodeBrokerHeartbeat, nil, "clusterName", slow.cluster, "brokerAddr", slow.addr)
	r.advance(60_000)
	f(true, false, false)
	r.advance(60_001)
	f(false, false, false)
	if n := r.HandlerStats().Removals[routetable.RemoveExpired]; n != 3 {
		t.Errorf("%d expired, want 3", n)
	}
	if !r.logged("broker removed: not heard of within its heartbeat timeout") {
		t.Errorf("not logged:\n%s", r.logs)
	}
	if s := r.handlers.table.Snapshot().Stats(); s.Topics != 0 || s.Groups != 0 || s.Clusters != 0 {
		t.Errorf("left: %+v", s)
	}
}

// scan runs the expiry scan, as the timer does, with this goroutine as the loop.
func (r *rig) scan(t *testing.T) {
	t.Helper()
	r.engine = &engine{ended: make(chan struct{})}
	r.loops = []*loop{r.loop}
	defer func() { r.engine, r.loops = nil, nil }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.handlers.scanNotActive(10*time.Second, nil)
	}()
	for {
		select {
		case f := <-r.tasks:
			f()
			continue
		case <-done:
		}
		break
	}
	r.settle()
}

// Other brokers on the connection of one that expired are not removed: they were heard of.
func TestExpiryOfContainer(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	silent, living := newBroker("silent", 0, "T1", "T2"), newBroker("living", 0, "T1", "T2")
	living.addr = "l:1"
	c.mustRegister(silent)
	c.mustRegister(living)
	r.advance(60_000)
	c.call(codec.CodeBrokerHeartbeat, nil, "clusterName", living.cluster, "brokerAddr", living.addr)
	r.advance(60_001)
	r.scan(t)
	if r.live(silent) || !r.live(living) {
		t.Errorf("silent %v, living %v", r.live(silent), r.live(living))
	}
	if !c.conn.Closed() {
		t.Error("the connection is still open")
	}
}

// Expiry goes behind what waits in the broker's lane: a registration that waits keeps its
// broker.
func TestExpiryBehindRegistration(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	r.advance(120_001)
	release := make(chan struct{})
	r.lanes.SubmitAlways(BrokerLane(b.key()), 0, func() { <-release })
	body := b.body(c.version)
	c.push(c.frame(codec.CodeRegisterBroker, body, b.ext(body)...))
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	r.scan(t)
	if !r.live(b) || c.conn.Closed() {
		t.Errorf("live %v, connection closed %v", r.live(b), c.conn.Closed())
	}
}

// While a loop does not come round, silence says nothing: what brokers sent lies unread.
func TestExpiryLoopStuck(t *testing.T) {
	r := newRig(t, nil)
	b := newBroker("b1", 0, "T1", "T2")
	r.dial().mustRegister(b)
	r.advance(120_001)
	r.engine, r.loops = &engine{ended: make(chan struct{})}, []*loop{r.loop}
	r.handlers.scanNotActive(20*time.Millisecond, nil) // and nobody runs the loop
	r.settle()
	if !r.live(b) {
		t.Error("removed while the event loop was stuck")
	}
	close(r.engine.ended) // between two engines nobody reads either
	r.handlers.scanNotActive(20*time.Millisecond, nil)
	r.settle()
	if !r.live(b) {
		t.Error("removed while no engine was running")
	}
	if n := r.HandlerStats().ScansDelayed; n != 2 {
		t.Errorf("%d scans put off, want 2", n)
	}
	r.engine, r.loops = &engine{ended: make(chan struct{})}, nil // a new engine without any connection
	r.handlers.scanNotActive(20*time.Millisecond, nil)
	r.settle()
	if r.live(b) {
		t.Error("not removed though there is nothing unread")
	}
	r.engine = nil
}

// SIGSTOP for 130 s: the server's clock stands still, the scan is late and waits, and what
// the broker sent meanwhile is read first. Nobody whose connection lives is removed.
func TestExpiryAfterPause(t *testing.T) {
	for _, pauseMillis := range []int64{10_000, 130_000} {
		r := newRig(t, nil)
		c := r.dial()
		b := newBroker("b1", 0, "T1", "T2")
		c.mustRegister(b)
		due := r.clock.RawMillis() + 5000
		pacer := scanPacer{intervalMillis: 5000, dueMillis: due}
		r.pause(pauseMillis)
		if stall := r.clock.tick(); stall < pauseMillis-2000 {
			t.Errorf("a pause of %d ms was taken for %d ms", pauseMillis, stall)
		}
		scan, delayed, wait := pacer.next(r.clock.RawMillis())
		if late := pauseMillis - 5000; scan != (late <= 10_000) || delayed == scan || wait <= 0 {
			t.Errorf("pause %d ms: scan %v, delayed %v, wait %d", pauseMillis, scan, delayed, wait)
		}
		r.scan(t)
		if !r.live(b) {
			t.Errorf("pause %d ms: the broker was removed", pauseMillis)
		}
	}
}

func TestScanPacer(t *testing.T) {
	p := scanPacer{intervalMillis: 5000, dueMillis: 5000}
	f := func(now int64, wantScan, wantDelayed bool, wantWait int64) {
		t.Helper()
		scan, delayed, wait := p.next(now)
		if scan != wantScan || delayed != wantDelayed || wait != wantWait {
			t.Errorf("at %d: scan %v, delayed %v, wait %d; want %v, %v, %d", now, scan, delayed, wait, wantScan, wantDelayed, wantWait)
		}
	}
	f(4999, false, false, 1)
	f(5000, true, false, 5000)
	f(10_002, true, false, 4998)  // a fixed rate, not a fixed delay
	f(25_000, true, false, 5000)  // two intervals late: still on time; it does not catch up
	f(40_001, false, true, 5000)  // more than two
	f(45_001, true, false, 5000)  // one interval later
	f(175_000, false, true, 5000) // a pause of 130 s
	f(190_001, false, true, 5000) // and at once another
	f(195_001, true, false, 5000)
}

// A server that is stopping removes nobody for being silent, and its own closes remove
// nobody.
func TestStoppingRemovesNobody(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	r.stopping.Store(true)
	rigEngine{r}.close(c.rigWire)
	r.settle()
	if !r.live(b) || c.conn.reason() != CloseShutdown {
		t.Errorf("live %v, closed for %v", r.live(b), c.conn.reason())
	}
}

// The scan comes by itself, in its interval.
func TestExpiryScanRuns(t *testing.T) {
	r := newRig(t, func(s *config.Settings, _ *config.Live) { s.ScanNotActiveBrokerInterval = 10 })
	b := newBroker("b1", 0, "T1", "T2")
	b.extra = []string{"heartbeatTimeoutMillis", "1"}
	r.dial().mustRegister(b)
	r.engine, r.loops = &engine{ended: make(chan struct{})}, []*loop{r.loop}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); r.handlers.runExpiryScanAfter(1, quit) }()
	for end := time.Now().Add(5 * time.Second); r.live(b); {
		if time.Now().After(end) {
			t.Fatal("never expired")
		}
		r.runOne(5 * time.Millisecond)
		r.clock.tick()
	}
	close(quit)
	<-ended
	r.engine, r.loops = nil, nil
}

func TestEventLog(t *testing.T) {
	e := eventLog{sinceMillis: -eventWindowMillis, share: eventsInWindow}
	written := 0
	for range 3 * eventsInWindow {
		if _, ok := e.allowed(1); ok {
			written++
		}
	}
	if written != eventsInWindow {
		t.Errorf("%d lines in a window, want %d", written, eventsInWindow)
	}
	if suppressed, ok := e.allowed(1 + eventWindowMillis); !ok || suppressed != 2*eventsInWindow {
		t.Errorf("in the next window: %v, %d suppressed", ok, suppressed)
	}
}

func TestClip(t *testing.T) {
	if s := clip(strings.Repeat("x", clipBytes)); len(s) != clipBytes {
		t.Errorf("clipped to %d", len(s))
	}
	if s := clip(strings.Repeat("é", clipBytes)); !strings.HasSuffix(s, "é...") || len(s) > clipBytes+3 {
		t.Errorf("cut within a character: %q", s[len(s)-8:])
	}
}

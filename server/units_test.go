package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/routetable"
)

// Goal: a pause of ours moves every deadline, and time never runs backwards. Method:
// observations every 100 ms, with pauses between them; readings in between.
func TestStallClock(t *testing.T) {
	c := NewStallClock(0, 100)
	f := func(outer, wantNow, wantStall int64) {
		t.Helper()
		if before, now := c.At(outer), int64(0); true {
			var stall int64
			if now, stall = c.Observe(outer); now != wantNow || stall != wantStall {
				t.Errorf("Observe(%d) = %d, %d, want %d, %d", outer, now, stall, wantNow, wantStall)
			}
			if before > now {
				t.Errorf("At(%d) was %d, after Observe it is %d: time ran backwards", outer, before, now)
			}
		}
	}
	f(100, 100, 0)
	f(200, 200, 0)
	f(900, 900, 0)            // late, but not by a second
	f(131_000, 2000, 129_000) // stopped for 130 s: only 1.1 s of it count
	f(131_100, 2100, 0)
	f(131_100, 2100, 0)
	f(131_000, 2100, 0) // an outer clock that ran backwards is not believed
	f(142_300, 3200, 10_100)
}

func TestStallClockBetweenObservations(t *testing.T) {
	c := NewStallClock(0, 100)
	f := func(outer, want int64) {
		t.Helper()
		if got := c.At(outer); got != want {
			t.Errorf("At(%d) = %d, want %d", outer, got, want)
		}
	}
	f(50, 50)
	f(1100, 1100)
	f(1101, 1100) // this would be a stall: wait for the observation
	f(90_000, 1100)
	c.Observe(90_000)
	f(90_000, 1100)
	f(90_050, 1150)
}

func TestClockTicks(t *testing.T) {
	c := newClock(tickMillis)
	last := c.Millis()
	for range 1000 {
		if stall := c.tick(); stall != 0 {
			t.Fatalf("a stall of %d ms", stall)
		}
		if now := c.Millis(); now < last {
			t.Fatalf("time ran backwards from %d to %d", last, now)
		} else {
			last = now
		}
	}
}

func TestDetectProtocol(t *testing.T) {
	f := func(first, want string) {
		t.Helper()
		if got := detectProtocol([]byte(first)); got != want {
			t.Errorf("detectProtocol(%q) = %q, want %q", first, got, want)
		}
	}
	f("\x16\x03\x01aaaaaaaaa", "TLS")
	f("PROXY TCP4 1", "PROXY protocol v1")
	f("PROXYTCP4 12", "")
	f("\r\n\r\n\x00\r\nQUIT\n", "PROXY protocol v2")
	f("\r\n\r\n\x00\r\nQUIT!", "")
	f("\x00\x00\x00\x40\x00\x00\x00\x3c{\"co", "")
	f("GET / HTTP/1", "")
}

func TestRateLimitedLog(t *testing.T) {
	var out bytes.Buffer
	clock := newClock(tickMillis)
	r := newRateLimitedLog(slog.New(slog.NewTextHandler(&out, nil)), clock)
	for range 100 {
		r.warn(logBadFrame, "bad")
		r.warn(logTooMany, "many")
	}
	if n := strings.Count(out.String(), "msg=bad"); n != logBurst {
		t.Errorf("%d lines at once, want %d", n, logBurst)
	}
	if n := strings.Count(out.String(), "msg=many"); n != logBurst {
		t.Errorf("%d lines of the other kind, want %d", n, logBurst)
	}
	out.Reset()
	r.kinds[logBadFrame].sinceMillis -= logEveryMillis
	for range 100 {
		r.warn(logBadFrame, "bad")
	}
	if got := out.String(); strings.Count(got, "msg=bad") != 1 || !strings.Contains(got, "suppressed=97") {
		t.Errorf("the next line after a flood: %s", got)
	}
}

func TestBudget(t *testing.T) {
	over := 0
	b := budget{maxBytes: 800, over: func() { over++ }}
	f := func(delta, held, peak, excess int64, overs int) {
		t.Helper()
		b.add(delta)
		if b.held.Load() != held || b.peak.Load() != peak || b.excess() != excess || over != overs {
			t.Errorf("after %d: held %d peak %d excess %d over %d, want %d %d %d %d",
				delta, b.held.Load(), b.peak.Load(), b.excess(), over, held, peak, excess, overs)
		}
	}
	f(800, 800, 800, 0, 0)
	f(1, 801, 801, 101, 1)
	f(-1, 800, 801, 0, 1)
	f(200, 1000, 1000, 300, 2)
	f(-1000, 0, 1000, 0, 2)
}

func TestLatencyBuckets(t *testing.T) {
	f := func(nanos int64, want int) {
		t.Helper()
		if got := latencyBucket(nanos); got != want {
			t.Errorf("latencyBucket(%d) = %d, want %d", nanos, got, want)
		}
	}
	f(-5, 0)
	f(0, 0)
	f(255, 0)
	f(256, 1)
	f(511, 1)
	f(512, 2)
	f(1<<62, LatencyBuckets-1)
	for i := range LatencyBuckets - 1 {
		f(LatencyBucketNanos(i)-1, i)
		f(LatencyBucketNanos(i), i+1)
	}
}

func TestDispatchTable(t *testing.T) {
	table := newDispatchTable(testRoutes())
	for i, r := range testRoutes() {
		if slot, known := table.find(r.code); slot != i || !known || table.name(slot) != r.name {
			t.Errorf("code %d: slot %d, known %v, name %s", r.code, slot, known, table.name(slot))
		}
	}
	for _, code := range []int32{-1, 0, 99, 1023, 1024, 1 << 30, -1 << 31} {
		if slot, known := table.find(code); known || slot != len(testRoutes()) || table.name(slot) != "unknown" {
			t.Errorf("code %d is known as slot %d", code, slot)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("two routes for one code were accepted")
		}
	}()
	newDispatchTable(append(testRoutes(), testRoutes()[0]))
}

// Every split of a large frame gives the same frame, body and header.
func TestLargeFramePieces(t *testing.T) {
	body := pattern(3*blockBytes + 17)
	frame := request(103, 9, body)
	f := func(step int) {
		t.Helper()
		lf := newLargeFrame(frame[:codec.FramePrefixBytes], len(frame))
		for rest := frame; len(rest) > 0; {
			chunk := rest[:lf.wants(min(step, len(rest)))]
			rest = rest[len(chunk):]
			if !lf.headComplete() {
				chunk = chunk[lf.takeHead(chunk):]
			}
			lf.takeBody(chunk)
		}
		if !lf.complete() || lf.bodyBytes() != len(body) {
			t.Fatalf("step %d: complete %v, %d body bytes", step, lf.complete(), lf.bodyBytes())
		}
		header := decode(t, lf.headerFrame())
		if header.Code != 103 || header.Opaque != 9 || header.Body != nil {
			t.Errorf("step %d: the header reads code %d opaque %d", step, header.Code, header.Opaque)
		}
		if step%2 == 0 {
			if got := lf.join(nil); !bytes.Equal(got, body) {
				t.Errorf("step %d: the body differs", step)
			}
		} else if got := lf.assemble(); !bytes.Equal(got, frame) {
			t.Errorf("step %d: the frame differs", step)
		}
	}
	for _, step := range []int{1, 2, 7, 8, 9, 100, blockBytes - 1, blockBytes, blockBytes + 1, len(frame)} {
		f(step)
	}
}

func TestBindings(t *testing.T) {
	var b Bindings
	a, c := routetable.BrokerKey{Cluster: "c", Addr: "a:1"}, routetable.BrokerKey{Cluster: "c", Addr: "b:1"}
	if b.Any() || b.Keys() != nil || b.Of(a) != nil {
		t.Error("new bindings are not empty")
	}
	b.Note(a)
	b.Note(a)
	if !b.Any() || len(b.Keys()) != 1 || len(b.Of(a)) != 0 {
		t.Error("a noted broker is not listed once, without bindings")
	}
	bind := func(key routetable.BrokerKey, name string, generation uint32) bool {
		return b.Bind(routetable.Binding{Broker: key, Name: name, Generation: generation}, nil)
	}
	if !bind(a, "x", 1) || !bind(a, "y", 2) || !bind(a, "x", 3) || !bind(c, "z", 4) {
		t.Error("an open connection refuses to bind")
	}
	if got := fmt.Sprint(b.Of(a)); got != fmt.Sprint([]routetable.Binding{{Broker: a, Name: "x", Generation: 3}, {Broker: a, Name: "y", Generation: 2}}) {
		t.Errorf("bound: %s", got)
	}
	b.Unbind(c)
	b.close(ClosePeer)
	if bind(a, "x", 5) {
		t.Error("a closed connection binds")
	}
	if len(b.Keys()) != 1 || len(b.Of(a)) != 2 {
		t.Error("closing forgot what was bound")
	}
}

func TestOptionsFromConfig(t *testing.T) {
	settings := config.DefaultSettings("/nowhere")
	settings.ListenPort, settings.SerializeType, settings.ServerChannelMaxIdleTimeSeconds = 1234, "ROCKETMQ", 0
	settings.PartialFrameStallSeconds = 7
	o, err := OptionsFrom(config.New(settings, config.DefaultLive()))
	if err != nil {
		t.Fatal(err)
	}
	o, err = o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Port != 1234 || o.SerializeType != codec.SerializeRocketMQ || o.IdleSeconds != -1 || o.PartialFrameStallMillis != 7000 {
		t.Errorf("got %+v", o)
	}
	if d := codec.DefaultLimits(); o.Limits != d {
		t.Errorf("limits %+v, want the defaults %+v", o.Limits, d)
	}
	settings.SerializeType = "XML"
	if _, err := OptionsFrom(config.New(settings, config.DefaultLive())); err == nil {
		t.Error("serialize type XML is accepted")
	}
	for _, port := range []int{-1, 65536} {
		if _, err := (Options{Port: port}).withDefaults(); err == nil {
			t.Errorf("port %d is accepted", port)
		}
	}
}

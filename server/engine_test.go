package server

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		os.Exit(runChild(child))
	}
	// gnet's packages start pools of their own when they are loaded.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
}

// Request codes of the test routes. They stand for kinds of handlers, not for what the
// codes mean.
const (
	testEcho    int32 = 101 // the body, at once
	testLane    int32 = 104 // the body, from a lane
	testBlob    int32 = 206 // as many bytes as Opaque says
	testPanic   int32 = 311
	testLazy    int32 = 312  // no answer
	testStream  int32 = 103  // length and sum of a body that may be large
	testPanicIn int32 = 2000 // a panic in a lane; beyond the dense codes
)

func testRoutes() []route {
	return []route{
		{code: testEcho, name: "ECHO", serve: func(_ *handlers, rq *Request) {
			rq.ReplyBody(codec.Success, "", nil, rq.Cmd.Body)
		}},
		{code: testLane, name: "LANE", serve: func(_ *handlers, rq *Request) {
			rq.Offload(BrokerLane(routetable.BrokerKey{Addr: string(rq.Cmd.Body)}), func(p *Pending) {
				p.ReplyBody(codec.Success, "", nil, p.Body())
			})
		}},
		{code: testBlob, name: "BLOB", serve: func(_ *handlers, rq *Request) {
			dst := rq.Begin(codec.Success, "", nil)
			rq.End(append(dst, make([]byte, rq.Cmd.Opaque)...))
		}},
		{code: testPanic, name: "PANIC", serve: func(_ *handlers, rq *Request) {
			rq.Begin(codec.Success, "half an answer", nil)
			panic("on purpose")
		}},
		{code: testLazy, name: "LAZY", serve: func(*handlers, *Request) {}},
		{code: testStream, name: "STREAM", serve: serveStream, begin: func(*handlers, *Request) BodySink { return &sumSink{} }},
		{code: testPanicIn, name: "PANIC_IN", serve: func(_ *handlers, rq *Request) {
			rq.Offload(BrokerLane(routetable.BrokerKey{}), func(*Pending) { panic("on purpose") })
		}},
		hereRoute(),
	}
}

// sumSink adds up a body as it arrives.
type sumSink struct{ bytes, sum int }

func (s *sumSink) FeedBody(chunk []byte) {
	s.bytes += len(chunk)
	for _, b := range chunk {
		s.sum += int(b)
	}
}

// serveStream answers from a lane with the body itself, if what was summed up on the way
// agrees with it.
func serveStream(_ *handlers, rq *Request) {
	rq.Offload(BrokerLane(routetable.BrokerKey{Addr: "stream"}), func(p *Pending) {
		var again sumSink
		body := p.Body()
		again.FeedBody(body)
		if s, ok := p.Sink().(*sumSink); ok && *s != again {
			p.Reply(codec.SystemError, "the sink saw something else", nil)
			return
		}
		p.ReplyBody(codec.Success, "", nil, body)
	})
}

// Goal: nothing that is buffered is stranded. Method: 10,000 requests in one write, then
// silence; every one must be answered. Once with the usual bounds on a callback's work,
// once with bounds so low that nearly every callback stops at them.
func TestPipelinedRequestsAreAllAnswered(t *testing.T) {
	f := func(o Options) {
		t.Helper()
		ts := startServer(t, o, testRoutes())
		const requests = 10_000
		var all []byte
		for i := range int32(requests) {
			all = append(all, request(testEcho, i, []byte("hello"))...)
		}
		p := ts.dial()
		go func() { _, _ = p.Write(all) }()
		for i := range int32(requests) {
			if a := p.answer(); a.Opaque != i || a.Code != codec.Success || string(a.Body) != "hello" {
				t.Fatalf("answer %d: opaque %d code %d body %q", i, a.Opaque, a.Code, a.Body)
			}
		}
	}
	f(Options{})
	f(Options{batchFrames: 7})
	f(Options{batchOutBytes: 1000})
}

func TestFrameInSingleBytes(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	for range 2 {
		for _, b := range request(testEcho, 5, []byte("x")) {
			p.send([]byte{b})
			time.Sleep(100 * time.Microsecond)
		}
		if a := p.answer(); a.Opaque != 5 || string(a.Body) != "x" {
			t.Fatalf("opaque %d body %q", a.Opaque, a.Body)
		}
	}
}

// pattern is a body that cannot be put together wrongly and still be equal.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// Goal: frames of every size around the limits arrive whole, on both paths for large
// ones (put together in a lane, and streamed), with small ones before and behind.
func TestLargeFrames(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	for _, code := range []int32{testEcho, testStream} {
		overhead := len(request(code, 1, nil))
		for _, total := range []int{largeFrameBytes - 1, largeFrameBytes, largeFrameBytes + 1, 2*blockBytes + overhead, 1 << 20, 16<<20 - 8} {
			body := pattern(total - overhead)
			all := request(testEcho, 7, []byte("before"))
			all = append(all, request(code, 8, body)...)
			all = append(all, request(testEcho, 9, []byte("behind"))...)
			go func() { _, _ = p.Write(all) }()
			got := map[int32]*answer{}
			for range 3 {
				a := p.answer()
				got[a.Opaque] = a
			}
			if len(got) != 3 || string(got[7].Body) != "before" || string(got[9].Body) != "behind" {
				t.Fatalf("code %d, %d bytes: the small requests were answered wrongly", code, total)
			}
			if a := got[8]; a.Code != codec.Success || !bytes.Equal(a.Body, body) {
				t.Fatalf("code %d, %d bytes: code %d remark %q, %d bytes back", code, total, a.Code, a.Remark, len(a.Body))
			}
		}
	}
	eventually(t, "nothing is held any more", func() bool {
		return ts.inbound.held.Load() == 0 && ts.outbound.held.Load() == 0 && ts.lanes.Bytes() == 0
	})
}

// A frame over the limit closes at once: its payload is never sent.
func TestIllegalLengthsClose(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	f := func(length uint32) {
		t.Helper()
		p := ts.dial()
		first := request(testEcho, 1, []byte("good"))
		p.send(append(first, byte(length>>24), byte(length>>16), byte(length>>8), byte(length)))
		if a := p.answer(); string(a.Body) != "good" { // what came before is answered
			t.Fatalf("body %q", a.Body)
		}
		p.closedWithin(5 * time.Second)
	}
	f(16777213)
	f(0)
	f(3)
	f(0x80000000)
	f(0xffffffff)
	f(0x47455420) // GET
	if !ts.logged("it sent no RocketMQ frame") {
		t.Error("no line in the log")
	}
	if n := strings.Count(ts.logs.String(), "it sent no RocketMQ frame"); n > logBurst {
		t.Errorf("%d lines for 6 closes, at most %d may appear", n, logBurst)
	}
}

func TestNothingHappensBeforeTwelveBytes(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	p.send(bytes.Repeat([]byte{0xff}, 11)) // a negative length, but too early to say so
	p.openFor(100 * time.Millisecond)
	p.send([]byte{0xff})
	p.closedWithin(5 * time.Second)
}

func TestKnownProtocolsAreNamed(t *testing.T) {
	f := func(first, name string) {
		t.Helper()
		ts := startServer(t, Options{}, testRoutes())
		p := ts.dial()
		p.send([]byte(first))
		p.closedWithin(5 * time.Second)
		if n := strings.Count(ts.logs.String(), "it begins with "+name+", which is not supported yet"); n != 1 {
			t.Errorf("%d lines name %s, want 1:\n%s", n, name, ts.logs)
		}
	}
	f("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00", "TLS")
	f("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY protocol v1")
	f("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", "PROXY protocol v2")
}

func TestOnewayIsNeverAnswered(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	for _, code := range []int32{testEcho, testLane, testBlob, testPanic, testLazy, testPanicIn, 9999} {
		p.send(requestFlag(code, 1, codec.FlagOneway, []byte("body")))
	}
	p.send(request(testEcho, 2, nil))
	if a := p.answer(); a.Opaque != 2 {
		t.Fatalf("opaque %d was answered", a.Opaque)
	}
	p.openFor(50 * time.Millisecond)
}

// An answer from a lane must not hold up those behind it, and must find its question.
func TestAnswersOutOfOrder(t *testing.T) {
	gate := make(chan struct{})
	routes := append(testRoutes(), route{code: 100, name: "GATED", serve: func(_ *handlers, rq *Request) {
		rq.Offload(AdminLane, func(p *Pending) {
			<-gate
			p.Reply(codec.Success, "late", nil)
		})
	}})
	ts := startServer(t, Options{}, routes)
	p := ts.dial()
	p.send(append(request(100, 1, nil), request(testEcho, 2, nil)...))
	if a := p.answer(); a.Opaque != 2 {
		t.Fatalf("first answer: opaque %d", a.Opaque)
	}
	close(gate)
	if a := p.answer(); a.Opaque != 1 || string(a.Remark) != "late" {
		t.Fatalf("second answer: opaque %d remark %q", a.Opaque, a.Remark)
	}
}

func TestErrorsAreAnswered(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	f := func(code, wantCode int32, wantRemark string) {
		t.Helper()
		p.send(request(code, 3, nil))
		a := p.answer()
		if a.Opaque != 3 || a.Code != wantCode || string(a.Remark) != wantRemark {
			t.Errorf("opaque %d code %d remark %q, want code %d remark %q", a.Opaque, a.Code, a.Remark, wantCode, wantRemark)
		}
	}
	f(testPanic, codec.SystemError, "internal error: on purpose")
	f(testPanicIn, codec.SystemError, "internal error: on purpose")
	f(testLazy, codec.SystemError, "not set any response code")
	f(9999, codec.RequestCodeNotSupported, " request type 9999 not supported")
	f(-1, codec.RequestCodeNotSupported, " request type -1 not supported")
	f(testEcho, codec.Success, "")
	if !ts.logged("panicked") || ts.panics.Load() != 2 {
		t.Errorf("panics are not reported: %d", ts.panics.Load())
	}
}

func TestResponsesAreDropped(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	p.send(requestFlag(testEcho, 1, codec.FlagResponse, nil))
	p.send(request(testEcho, 2, nil))
	if a := p.answer(); a.Opaque != 2 {
		t.Fatalf("opaque %d", a.Opaque)
	}
}

func TestRequestWithoutOpaqueGetsOne(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	header := `{"code":101}`
	frame := append([]byte{0, 0, 0, byte(4 + len(header)), 0, 0, 0, byte(len(header))}, header...)
	p.send(frame)
	p.send(frame)
	if a, b := p.answer(), p.answer(); a.Opaque == b.Opaque || !a.HasOpaque {
		t.Fatalf("opaques %d and %d", a.Opaque, b.Opaque)
	}
}

func TestAnswerTooLargeBecomesAnError(t *testing.T) {
	lim := codec.DefaultLimits()
	lim.FrameBytesMax = 1 << 20
	ts := startServer(t, Options{Limits: lim}, testRoutes())
	p := ts.dial()
	p.send(request(testBlob, 1<<20, nil))
	if a := p.answer(); a.Code != codec.SystemError || !strings.Contains(string(a.Remark), "more than the frame limit of 1048576") {
		t.Fatalf("code %d remark %q", a.Code, a.Remark)
	}
	p.send(request(testBlob, 1000, nil))
	if a := p.answer(); a.Code != codec.Success || len(a.Body) != 1000 {
		t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
	}
}

func TestRepliesInTheServersSerialization(t *testing.T) {
	ts := startServer(t, Options{SerializeType: codec.SerializeRocketMQ}, testRoutes())
	p := ts.dial()
	p.send(request(testEcho, 1, nil)) // asked in JSON
	if a := p.answer(); a.Serialize != codec.SerializeRocketMQ || a.Opaque != 1 {
		t.Fatalf("serialize %v opaque %d", a.Serialize, a.Opaque)
	}
}

func TestProbesAreSilent(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	before := ts.logs.String()
	for range 200 {
		_ = ts.dial().Close()
	}
	eventually(t, "all probes are gone", func() bool { return ts.conns.open.Load() == 0 })
	if after := ts.logs.String(); after != before {
		t.Errorf("200 probes wrote:\n%s", strings.TrimPrefix(after, before))
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	ts := startServer(t, Options{IdleSeconds: 1}, testRoutes())
	idle, busy := ts.dial(), ts.dial()
	for start := time.Now(); time.Since(start) < 2500*time.Millisecond; time.Sleep(100 * time.Millisecond) {
		busy.send(request(testEcho, 1, nil))
		busy.answer()
	}
	idle.closedWithin(time.Second)
	stats := ts.Stats(context.Background())
	if n := stats.Loops.Closes[CloseIdle]; n != 1 {
		t.Errorf("%d idle closes, want 1", n)
	}
}

// Goal: bodies that nobody reads are not kept. Method: large frames of an unknown code,
// and large answers nobody asked for; the memory they take at most is looked at.
func TestUnwantedBodiesAreNotKept(t *testing.T) {
	ts := startServer(t, Options{}, testRoutes())
	p := ts.dial()
	body := make([]byte, 8<<20)
	go func() {
		_, _ = p.Write(requestFlag(testEcho, 1, codec.FlagResponse, body))
		_, _ = p.Write(request(9999, 2, body))
		_, _ = p.Write(request(testEcho, 3, nil))
	}()
	if a := p.answer(); a.Opaque != 2 || a.Code != codec.RequestCodeNotSupported {
		t.Errorf("opaque %d code %d", a.Opaque, a.Code)
	}
	if a := p.answer(); a.Opaque != 3 || a.Code != codec.Success {
		t.Errorf("opaque %d code %d", a.Opaque, a.Code)
	}
	st := ts.Stats(context.Background())
	if st.Inbound.PeakBytes > 1<<20 {
		t.Errorf("%d bytes were held for bodies that nobody reads", st.Inbound.PeakBytes)
	}
	if st.Loops.ResponsesIn != 1 || st.Loops.BytesIn < 16<<20 {
		t.Errorf("%d responses, %d bytes counted", st.Loops.ResponsesIn, st.Loops.BytesIn)
	}
}

// panicHooks is a housekeeping with a mistake.
type panicHooks struct{ noHooks }

func (panicHooks) connClosed(Conn, CloseReason) { panic("closed") }

func TestPanicInAHookIsSurvived(t *testing.T) {
	ts := startServerHooks(t, Options{}, testRoutes(), panicHooks{})
	for range 3 {
		p := ts.dial()
		if !p.served() {
			t.Fatal("not served")
		}
		_ = p.Close()
	}
	eventually(t, "panics are counted", func() bool { return ts.panics.Load() == 3 })
}

// panicWire breaks in the middle of a callback.
type panicWire struct{ fakeWire }

func (*panicWire) InboundBuffered() int { panic("on purpose") }

func TestPanicInTheLoopCostsOneConnection(t *testing.T) {
	l, c, w := fakeLoop(t)
	bad := l.srv.newConnection(l.srv.conns.nextID(), l, &panicWire{}, "bad")
	l.opened(bad)
	l.traffic(bad)
	if !bad.Closed() || l.srv.panics.Load() != 1 {
		t.Error("the connection stays, or the panic is not counted")
	}
	w.in = request(testEcho, 1, nil)
	l.traffic(c)
	if w.written == 0 || c.Closed() {
		t.Error("the other connection is not served any more")
	}
}

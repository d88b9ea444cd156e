package codec

import (
	"bytes"
	"testing"
)

// The replies to predicted requests are, byte for byte, those that BeginResponse begins.
func TestRouteReplies(t *testing.T) {
	lim := DefaultLimits()
	const before, after = "no \"route\" for: ", "\nsee <https://a/b?c&d>\\"
	refusal := NewRouteRefusal(TopicNotExist, before, after)
	topics := []string{"", "T", "TopicTest", "%RETRY%group", "a\x7f/'<>&=+", string(bytes.Repeat([]byte("n"), 200))}
	for _, opaque := range []int32{0, 7, 10, 123, 4096, 12345, 999_999, 1_234_567, 99_999_999} {
		for _, topic := range topics {
			var p Predictor
			var c Command
			ext := []ExtField{{"acceptStandardJsonOnly", "true"}, {"topic", topic}}
			frame := AppendCommand(nil, SerializeJSON, &Header{Code: CodeGetRouteInfoByTopic, Version: Version5_5_0, Opaque: opaque, Ext: ext}, nil)
			if err := p.Decode(&c, frame, &lim); err != nil {
				t.Fatal(err)
			}
			r, ok := p.predict(frame, &lim)
			if !ok {
				t.Fatalf("not predicted: %q", frame)
			}
			for _, body := range []string{"", "{}", string(bytes.Repeat([]byte("b"), 70_000))} {
				want, mark := BeginResponse([]byte("others"), SerializeJSON, opaque, Success, "", nil)
				want, _ = EndFrame(append(want, body...), mark, &lim)
				sameReply(t, want, func(dst []byte, lim *Limits) ([]byte, bool) { return r.AppendSuccess(dst, []byte(body), lim) })
				sameReply(t, want, func(dst []byte, lim *Limits) ([]byte, bool) {
					dst, ok := r.AppendSuccessBefore(dst, len(body), lim)
					if ok {
						dst = append(dst, body...)
					}
					return dst, ok
				})
				sameReply(t, want, func(dst []byte, lim *Limits) ([]byte, bool) {
					dst, mark := r.BeginSuccess(dst)
					dst, err := EndFrame(append(dst, body...), mark, lim)
					return dst, err == nil
				})
			}
			want, mark := BeginResponse([]byte("others"), SerializeJSON, opaque, TopicNotExist, before+topic+after, nil)
			want, _ = EndFrame(want, mark, &lim)
			sameReply(t, want, func(dst []byte, lim *Limits) ([]byte, bool) { return r.AppendRefusal(dst, refusal, lim) })
		}
	}
}

// sameReply: appendTo makes want of "others", with much room behind it or none, unless that is
// more than the limit.
func sameReply(t *testing.T, want []byte, appendTo func(dst []byte, lim *Limits) ([]byte, bool)) {
	t.Helper()
	const others = "others"
	for _, room := range []int{0, len(want), len(want) + 100} {
		dst := append(make([]byte, 0, len(others)+room), others...)
		lim := Limits{FrameBytesMax: len(want) - len(others)}
		got, ok := appendTo(dst, &lim)
		if !ok || !bytes.Equal(got, want) {
			t.Fatalf("%v, got\n%.300q\nwant\n%.300q", ok, got, want)
		}
		lim.FrameBytesMax--
		if got, ok := appendTo(dst, &lim); ok || string(got) != others {
			t.Fatalf("a frame over the limit: %v, %.100q", ok, got)
		}
	}
}

// A run ends before the first frame that is not like what was read before, is cut, or has a
// body; what is in it is what Decode reads, one by one.
func TestPredictRun(t *testing.T) {
	lim := DefaultLimits()
	known := func(topic string, opaque int32, body string) []byte {
		h := Header{Code: CodeGetRouteInfoByTopic, Version: Version5_5_0, Opaque: opaque, Ext: []ExtField{{"topic", topic}}}
		return AppendCommand(nil, SerializeJSON, &h, []byte(body))
	}
	golang := jsonFrame(`{"opaque":12,"code":105,"language":"GO","version":317,"flag":0,"extFields":{"topic":"T"}}`, "")
	stranger := jsonFrame(`{"code":105,"extFields":{"topic":"T"},"opaque":3,"flag":0}`, "")
	var p Predictor
	var c Command
	for _, frame := range [][]byte{known("T", 1, ""), golang} {
		if err := p.Decode(&c, frame, &lim); err != nil {
			t.Fatal(err)
		}
	}
	f := func(wantRun int, frames ...[]byte) {
		t.Helper()
		var rs [4]RouteRequest
		n := p.PredictRun(rs[:], bytes.Join(frames, nil), &lim)
		if n != wantRun {
			t.Fatalf("a run of %d, want %d: %q", n, wantRun, frames)
		}
		for i, r := range rs[:n] {
			var one Command
			if err := one.Decode(frames[i], &lim); err != nil {
				t.Fatal(err)
			}
			r.Command(&c)
			if describeHeader(&c) != describeHeader(&one) || r.FrameBytes() != len(frames[i]) || i > 0 && r.Like(&rs[i-1]) != (r.Version() == rs[i-1].Version()) {
				t.Errorf("%d is predicted as %s, %d bytes: %q", i, describeHeader(&c), r.FrameBytes(), frames[i])
			}
		}
	}
	a, b, longer := known("T", 1, ""), known("", 1_234_567, ""), known("a-topic-with-a-longer-name", 42, "")
	f(0)
	f(3, a, b, longer)
	f(4, a, b, longer, a, b) // no more than there is room for
	f(4, a, golang, b, golang)
	f(1, a, stranger, b)
	f(1, a, known("T", 2, "body"), b)
	f(0, a[:len(a)-1])
	f(2, a, b, longer[:7])
	f(1, a, []byte{0, 0, 0, 0, 0, 0, 0, 0}, b)
	f(1, a, []byte{0, 0, 0, 3, 255, 255, 255, 255}, b)
	f(1, a, []byte{128, 0, 0, 3, 127, 255, 255, 255}, b)
	lim.HeaderBytesMax = len(a) - FramePrefixBytes
	f(1, a, b)
	lim = DefaultLimits()
	lim.FrameBytesMax = len(a)
	f(1, a, b)
	lim = DefaultLimits()
	lim.ExtFieldsMax = 0
	f(0, a)
}

// BenchmarkBeginSuccess is the head of a reply whose body is joined, with BeginResponse beside it.
func BenchmarkBeginSuccess(b *testing.B) {
	lim := DefaultLimits()
	var p Predictor
	var c Command
	h := Header{Code: CodeGetRouteInfoByTopic, Version: Version5_5_0, Opaque: 1_234_567, Ext: []ExtField{{"topic", "TopicTest"}}}
	frame := AppendCommand(nil, SerializeJSON, &h, nil)
	if err := p.Decode(&c, frame, &lim); err != nil {
		b.Fatal(err)
	}
	r, ok := p.predict(frame, &lim)
	if !ok {
		b.Fatal("not predicted")
	}
	dst := make([]byte, 0, 1024)
	run := func(name string, begin func() ([]byte, FrameMark)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if out, mark := begin(); mark.Start() == 0 {
					_, _ = EndFrame(out, mark, &lim)
				}
			}
		})
	}
	run("predicted", func() ([]byte, FrameMark) { return r.BeginSuccess(dst) })
	run("any", func() ([]byte, FrameMark) { return BeginResponse(dst, SerializeJSON, r.Opaque, Success, "", nil) })
}

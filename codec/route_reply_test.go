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
			var r RouteRequest
			ext := []ExtField{{"acceptStandardJsonOnly", "true"}, {"topic", topic}}
			frame := AppendCommand(nil, SerializeJSON, &Header{Code: CodeGetRouteInfoByTopic, Version: Version5_5_0, Opaque: opaque, Ext: ext}, nil)
			if err := p.Decode(&c, frame, &lim); err != nil {
				t.Fatal(err)
			}
			if !p.Predict(&r, frame, &lim) {
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

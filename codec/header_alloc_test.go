//go:build !race

package codec

import (
	"fmt"
	"strings"
	"testing"
)

// Reading a request and writing its reply allocate nothing once a Command and a buffer
// have been used.
func TestHeadersDoNotAllocate(t *testing.T) {
	lim := DefaultLimits()
	decode := func(name string, frame []byte) {
		t.Helper()
		var c Command
		if n := testing.AllocsPerRun(100, func() {
			if err := c.Decode(frame, &lim); err != nil {
				t.Fatal(err)
			}
			if _, ok := c.Ext("topic"); !ok {
				t.Fatal("no topic")
			}
			if v, ok := c.ExtBool("acceptStandardJsonOnly"); !v || !ok {
				t.Fatal("acceptStandardJsonOnly is not true")
			}
			_, _ = c.ExtInt64("absent")
		}); n != 0 {
			t.Errorf("decoding %s: %v allocations", name, n)
		}
	}
	h := Header{Code: CodeGetRouteInfoByTopic, Ext: benchExt105}
	decode("a JSON 105", jsonFrame(benchJSON105, ""))
	decode("a JSON 105 with blanks", jsonFrame(strings.ReplaceAll(strings.ReplaceAll(benchJSON105, ":", " : "), ",", " , "), ""))
	decode("a JSON 105 with escapes", jsonFrame(`{"extFields":{"topic":"\u00e4\n\ud83d\ude00","acceptStandardJsonOnly":"true"},"code":105}`, ""))
	decode("a binary 105", AppendCommand(nil, SerializeRocketMQ, &h, nil))
	for i := range 2 * extInline {
		h.Ext = append(h.Ext, ExtField{fmt.Sprintf("ä%d", i), "\xff"})
	}
	decode("a binary 105 with many fields", AppendCommand(nil, SerializeRocketMQ, &h, []byte("body")))
	decode("a JSON 105 with many fields", AppendCommand(nil, SerializeJSON, &h, []byte("body")))

	respond := func(st SerializeType, code int32, remark string, ext []ExtField) {
		t.Helper()
		dst := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() {
			out, m := BeginResponse(dst, st, 123456789, code, remark, ext)
			if _, err := EndFrame(out, m, &lim); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v reply of code %d: %v allocations", st, code, n)
		}
	}
	for _, st := range []SerializeType{SerializeJSON, SerializeRocketMQ} {
		respond(st, Success, "", nil)
		respond(st, Success, "", benchExt105)
		respond(st, TopicNotExist, "No topic route info in name server for the topic: Tä\n", nil)
	}
}

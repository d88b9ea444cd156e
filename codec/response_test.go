package codec

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reply writes a whole reply without a body and returns its header.
func reply(t *testing.T, st SerializeType, opaque, code int32, remark string, ext []ExtField) string {
	t.Helper()
	lim := DefaultLimits()
	dst, m := BeginResponse(nil, st, opaque, code, remark, ext)
	dst, err := EndFrame(dst, m, &lim)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := FrameSize(dst, &lim); n != len(dst) || err != nil {
		t.Fatalf("the frame says %d bytes (%v), it has %d", n, err, len(dst))
	}
	return string(dst[FramePrefixBytes:])
}

// The JSON form, byte for byte: keys in alphabetical order, no blanks, absent when null.
func TestJSONResponse(t *testing.T) {
	f := func(opaque, code int32, remark string, ext []ExtField, want string) {
		t.Helper()
		if diff := cmp.Diff(want, reply(t, SerializeJSON, opaque, code, remark, ext)); diff != "" {
			t.Errorf("reply differs (-want +got):\n%s", diff)
		}
	}
	const tail = `,"serializeTypeCurrentRPC":"JSON","version":513}`
	f(1, Success, "", nil, `{"code":0,"flag":1,"language":"JAVA","opaque":1`+tail)
	f(0, Success, "", nil, `{"code":0,"flag":1,"language":"JAVA","opaque":0`+tail)
	f(math.MinInt32, Success, "", nil, `{"code":0,"flag":1,"language":"JAVA","opaque":-2147483648`+tail)
	f(math.MaxInt32, Success, "", []ExtField{}, `{"code":0,"extFields":{},"flag":1,"language":"JAVA","opaque":2147483647`+tail)
	f(5, QueryNotFound, "", nil, `{"code":22,"flag":1,"language":"JAVA","opaque":5`+tail)
	f(5, Success, "why", nil, `{"code":0,"flag":1,"language":"JAVA","opaque":5,"remark":"why"`+tail)
	f(-5, TopicNotExist, `no "T1"`, []ExtField{{"a", "1"}, {"b\\", "\n中"}},
		`{"code":17,"extFields":{"a":"1","b\\":"\n中"},"flag":1,"language":"JAVA","opaque":-5,"remark":"no \"T1\""`+
			strings.ReplaceAll(tail, "\n", ""))
}

// The short way of a plain success and the long one write the same, for both forms.
func TestResponseShortcut(t *testing.T) {
	f := func(st SerializeType, opaque int32) {
		t.Helper()
		h := Header{Code: Success, Version: Version5_5_0, Opaque: opaque, Flag: FlagResponse, Language: LanguageJava}
		want := string(AppendCommand(nil, st, &h, nil)[FramePrefixBytes:])
		if got := reply(t, st, opaque, Success, "", nil); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	for _, opaque := range []int32{0, 1, -1, 42, 1234567, math.MaxInt32, math.MinInt32} {
		f(SerializeJSON, opaque)
		f(SerializeRocketMQ, opaque)
	}
	if want := fmt.Sprintf(`"version":%d}`, Version5_5_0); !strings.HasSuffix(responseJSONSuffix, want) {
		t.Errorf("the constant %q does not end with %q", responseJSONSuffix, want)
	}
}

// What is written is read back the same, in both forms.
func TestAppendCommandRoundTrip(t *testing.T) {
	lim := DefaultLimits()
	f := func(h Header, body string) {
		t.Helper()
		for _, st := range []SerializeType{SerializeJSON, SerializeRocketMQ} {
			frame := AppendCommand([]byte("before"), st, &h, []byte(body))
			if string(frame[:6]) != "before" {
				t.Fatalf("%v: what was there is gone: %q", st, frame[:6])
			}
			var c Command
			if err := c.Decode(frame[6:], &lim); err != nil {
				t.Errorf("%v of %+v: %v", st, h, err)
				continue
			}
			want := h
			if st == SerializeRocketMQ {
				want.HasRemark = h.Remark != ""
				if len(want.Ext) == 0 {
					want.Ext = nil
				}
			}
			if diff := cmp.Diff(want, headerOfCommand(&c)); diff != "" || string(c.Body) != body || c.Serialize != st {
				t.Errorf("%v: body %q, want %q; header (-want +got):\n%s", st, c.Body, body, diff)
			}
		}
	}
	f(Header{}, "")
	f(Header{Code: -32768, Version: 32767, Opaque: math.MinInt32, Flag: -1, Language: LanguageNodeJS}, "body")
	f(Header{Code: 32767, Version: -1, Language: LanguageGo, HasRemark: true}, "")
	f(Header{Code: CodeNotifyMinBrokerIDChange, Flag: FlagOneway, Version: Version5_5_0, Ext: []ExtField{}}, "")
	f(Header{Remark: "ä\"\\\n\x00😀", HasRemark: true, Ext: []ExtField{
		{"minBrokerId", "0"}, {"ä\"\\\n\x00😀", "ä\"\\\n\x00\x7f\u2028😀"}, {"long", strings.Repeat("x", 100_000)},
	}}, strings.Repeat("\x00\xff", 1000))
}

// An empty value is present in JSON and null in the binary form, as in Java.
func TestAppendCommandEmptyValue(t *testing.T) {
	lim := DefaultLimits()
	h := Header{Ext: []ExtField{{"a", ""}}}
	f := func(st SerializeType, want bool) {
		t.Helper()
		var c Command
		if err := c.Decode(AppendCommand(nil, st, &h, nil), &lim); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Ext("a"); ok != want || c.NumExt() != 1 || !c.HasExt {
			t.Errorf("%v: present %t of %d, want %t of 1", st, ok, c.NumExt(), want)
		}
	}
	f(SerializeJSON, true)
	f(SerializeRocketMQ, false)
}

func TestSerializeTypeNames(t *testing.T) {
	for st, want := range map[SerializeType]string{SerializeJSON: "JSON", SerializeRocketMQ: "ROCKETMQ", 7: "SerializeType(7)"} {
		if got := st.String(); got != want {
			t.Errorf("%d is %q, want %q", uint8(st), got, want)
		}
	}
}

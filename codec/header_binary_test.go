package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// binaryHeader builds a ROCKETMQ header part by part, so that its lengths can lie.
type binaryHeader struct{ b []byte }

func (h *binaryHeader) int16(v int) *binaryHeader {
	h.b = binary.BigEndian.AppendUint16(h.b, uint16(v))
	return h
}

func (h *binaryHeader) int32(v int) *binaryHeader {
	h.b = binary.BigEndian.AppendUint32(h.b, uint32(v))
	return h
}

func (h *binaryHeader) text(s string) *binaryHeader {
	h.b = append(h.b, s...)
	return h
}

func (h *binaryHeader) field(key, value string) *binaryHeader {
	return h.int16(len(key)).text(key).int32(len(value)).text(value)
}

// fixed is the part before the remark.
func fixed(code, language, version, opaque, flag int) *binaryHeader {
	h := new(binaryHeader).int16(code)
	h.b = append(h.b, byte(language))
	return h.int16(version).int32(opaque).int32(flag)
}

// frame makes a frame of the header and a body.
func (h *binaryHeader) frame(body string) []byte {
	dst, start := beginFrame(nil)
	dst = append(dst, h.b...)
	m := endHeader(dst, start, SerializeRocketMQ)
	dst = append(dst, body...)
	putFrameLength(dst, m, 0)
	return dst
}

func TestBinaryHeader(t *testing.T) {
	lim := DefaultLimits()
	f := func(h *binaryHeader, want string) {
		t.Helper()
		for _, body := range []string{"", "body"} {
			var c Command
			if err := c.Decode(h.frame(body), &lim); err != nil {
				t.Errorf("%x with body %q refused: %v", h.b, body, err)
				return
			}
			if got := describeHeader(&c); got != want || string(c.Body) != body {
				t.Errorf("%x\n  got  %s, body %q\n  want %s, body %q", h.b, got, c.Body, want, body)
			}
			checkBorrowed(t, &c)
		}
	}
	plain := func() *binaryHeader { return fixed(105, 9, 317, 8, 2) }
	const says = "code=105 flag=2 version=317 opaque=8 language=GO"
	f(plain().int32(0).int32(0), says)
	f(plain().int32(2).text("hi").int32(0), says+` remark="hi"`)
	f(plain().int32(0).int32(13).field("topic", "T1"), says+` ext{ topic:"T1" }`)
	f(plain().int32(0).int32(26).field("topic", "T1").field("other", "T2"), says+` ext{ topic:"T1" other:"T2" }`)

	// Code and version are sign-extended, an unknown language is accepted.
	f(fixed(-1, 13, -2, -3, -4).int32(0).int32(0), "code=-1 flag=-4 version=-2 opaque=-3 language=NODE_JS")
	f(fixed(0x8000, 14, 0x7fff, 0, 0).int32(0).int32(0), "code=-32768 version=32767 opaque=0 language=UNKNOWN")
	f(fixed(0, 255, 0, 0, 0).int32(0).int32(0), "opaque=0 language=UNKNOWN")

	// An empty key or value is null.
	f(plain().int32(0).int32(7).field("a", ""), says+" ext{ a:null }")
	f(plain().int32(0).int32(7).field("", "x"), says+` ext{ :"x" }`)
	f(plain().int32(0).int32(6).field("", ""), says+" ext{ :null }")

	// A length of ext fields that is 0 or negative: none, whatever follows.
	f(plain().int32(0).int32(-1), says)
	f(plain().int32(0).int32(0).field("topic", "T1"), says)
	f(plain().int32(0).int32(-1<<31).field("topic", "T1"), says)

	// What is behind the content of a header is dropped.
	f(plain().int32(0).int32(0).text("xyz"), says)
	f(plain().int32(0).int32(13).field("topic", "T1").text("\xff\xff"), says+` ext{ topic:"T1" }`)
	// The field that reaches the announced end is the last one, even if it goes beyond.
	f(plain().int32(0).int32(12).field("topic", "T1"), says+` ext{ topic:"T1" }`)
	f(plain().int32(0).int32(14).field("topic", "T1").field("other", "T2"), says+` ext{ topic:"T1" other:"T2" }`)

	// A key of 32767 bytes is the longest that a short can announce.
	long := strings.Repeat("k", 32767)
	f(plain().int32(0).int32(2+len(long)+4+70000).field(long, strings.Repeat("v", 70000)),
		says+fmt.Sprintf(" ext{ %s:%q }", long, strings.Repeat("v", 70000)))
}

func TestBinaryHeaderRefused(t *testing.T) {
	lim := DefaultLimits()
	f := func(h *binaryHeader) {
		t.Helper()
		// A body does not help: nothing is read from it.
		for _, body := range []string{"", strings.Repeat("\x00", 100)} {
			var c Command
			if err := c.Decode(h.frame(body), &lim); !errors.Is(err, ErrHeader) {
				t.Errorf("%x with body %q: %v (%s), want ErrHeader", h.b, body, err, describeHeader(&c))
			}
		}
	}
	plain := func() *binaryHeader { return fixed(105, 9, 317, 8, 2) }
	whole := plain().int32(0).int32(0).b
	for n := range whole {
		f(&binaryHeader{whole[:n]})
	}
	// The remark.
	f(plain().int32(-1).int32(0))
	f(plain().int32(-1 << 31).int32(0))
	f(plain().int32(1).int32(0))
	f(plain().int32(5).int32(0)) // leaves no room for the next length
	f(plain().int32(1<<31 - 1).int32(0))
	f(plain().int32(100).text("short").int32(0))
	// The ext fields as a whole.
	f(plain().int32(0).int32(1))
	f(plain().int32(0).int32(14).field("topic", "T1"))
	f(plain().int32(0).int32(1000).field("topic", "T1"))
	f(plain().int32(0).int32(1<<31-1).field("topic", "T1"))
	// One of them: beyond the header, beyond the announced length, negative.
	f(plain().int32(0).int32(13).int16(5).text("topic").int32(3).text("T1"))
	f(plain().int32(0).int32(13).int16(14).text("topic").int32(2).text("T1"))
	f(plain().int32(0).int32(13).int16(-1).text("topic").int32(2).text("T1"))
	f(plain().int32(0).int32(13).int16(32768).text("topic").int32(2).text("T1"))
	f(plain().int32(0).int32(13).int16(5).text("topic").int32(-2).text("T1"))
	f(plain().int32(0).int32(13).int16(5).text("topic").int32(1<<31 - 1).text("T1"))
	f(plain().int32(0).int32(2).int16(0))
	f(plain().int32(0).int32(5).field("a", "bcdefg")) // the value is longer than all fields
}

func TestBinaryHeaderLimits(t *testing.T) {
	lim := DefaultLimits()
	fields := func(n int) []byte {
		h := fixed(105, 0, 0, 0, 0).int32(0).int32(8 * n)
		for range n {
			h.field("a", "b")
		}
		return h.frame("")
	}
	var c Command
	if err := c.Decode(fields(lim.ExtFieldsMax), &lim); err != nil || c.NumExt() != lim.ExtFieldsMax {
		t.Errorf("%d ext fields, as many as allowed: %v, %d read", lim.ExtFieldsMax, err, c.NumExt())
	}
	if err := c.Decode(fields(lim.ExtFieldsMax+1), &lim); !errors.Is(err, ErrTooManyExtFields) {
		t.Errorf("one ext field too many: %v", err)
	}
	// Fields without a name count as well.
	h := fixed(105, 0, 0, 0, 0).int32(0).int32(600_000).text(strings.Repeat("\x00", 600_000))
	if err := c.Decode(h.frame(""), &lim); !errors.Is(err, ErrTooManyExtFields) {
		t.Errorf("100,000 nameless ext fields: %v", err)
	}
	h = fixed(105, 0, 0, 0, 0).int32(1 << 20).text(strings.Repeat("x", 1<<20)).int32(0)
	if err := c.Decode(h.frame(""), &lim); !errors.Is(err, ErrHeaderTooLarge) {
		t.Errorf("a header above 1 MiB: %v", err)
	}
}

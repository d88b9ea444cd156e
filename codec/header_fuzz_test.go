package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// decodeFenced decodes frame twice, with different bytes behind its end: a decoder that
// looks at those gives different results. It also checks that every slice lies inside the
// frame or in the scratch array, with no room behind it.
func decodeFenced(t *testing.T, frame []byte, lim *Limits) (*Command, error) {
	t.Helper()
	var commands [2]Command
	var errs [2]error
	for i, fence := range []string{`"}]}}}}}}}}}}}}}}`, "\\\\\\\\\\\\\\\\\x00\x00\x00\x00"} {
		fenced := append(append(make([]byte, 0, len(frame)+len(fence)), frame...), fence...)
		c := &commands[i]
		errs[i] = c.Decode(fenced[:len(frame)], lim)
		if errs[i] != nil {
			continue
		}
		checkBorrowed(t, c)
		checkInside(t, c, fenced[:len(frame)])
	}
	if (errs[0] == nil) != (errs[1] == nil) {
		t.Fatalf("the bytes behind the frame decide: %v or %v", errs[0], errs[1])
	}
	if errs[0] == nil && describeHeader(&commands[0]) != describeHeader(&commands[1]) {
		t.Fatalf("the bytes behind the frame are read:\n%s\n%s", describeHeader(&commands[0]), describeHeader(&commands[1]))
	}
	return &commands[0], errs[0]
}

// checkInside: a slice that begins in the frame ends in it.
func checkInside(t *testing.T, c *Command, frame []byte) {
	t.Helper()
	f := func(s []byte) {
		start := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
		first := uintptr(unsafe.Pointer(unsafe.SliceData(frame)))
		if start >= first && start < first+uintptr(len(frame)) && start+uintptr(len(s)) > first+uintptr(len(frame)) {
			t.Errorf("%q ends behind the frame", s)
		}
	}
	f(c.Remark)
	f(c.Body)
	for i := range c.NumExt() {
		key, value := c.ExtAt(i)
		f(key)
		f(value)
	}
}

// FuzzFrameSize splits a stream as the server does: whatever it holds, no frame is longer
// than what was announced and allowed, and every byte belongs to one frame or none.
func FuzzFrameSize(f *testing.F) {
	f.Add([]byte{})
	f.Add(jsonFrame(benchJSON105, "body"))
	f.Add(append(jsonFrame("{}", ""), jsonFrame(bench103, "{}")...))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(bytes.Repeat([]byte{0}, 64))
	f.Add([]byte("\x00\x00\x00\x19\x01\x00\x00\x15\x00\x6a\x00\x02\x01\x00\x00\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x7f\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		lim := DefaultLimits()
		lim.HeaderBytesMax, lim.ExtFieldsMax, lim.JSONDepthMax = 4096, 32, 8
		for len(stream) > 0 {
			n, err := FrameSize(stream, &lim)
			if n4, err4 := FrameSize(stream[:min(len(stream), 4)], &lim); err == nil && n4 != n || err4 != nil && err == nil {
				t.Fatalf("4 bytes say %d (%v), more say %d (%v)", n4, err4, n, err)
			}
			if err != nil && n != 0 {
				t.Fatalf("both %d bytes and %v", n, err)
			}
			if err != nil || n == 0 || n > len(stream) {
				return
			}
			if n < FramePrefixBytes || n > lim.FrameBytesMax {
				t.Fatalf("a frame of %d bytes", n)
			}
			if _, err := decodeFenced(t, stream[:n], &lim); err != nil {
				return
			}
			stream = stream[n:]
		}
	})
}

// stdHeader is what encoding/json makes of a header. ok is false where there is nothing
// to compare: no standard JSON object, no UTF-8, or members whose type only fastjson2
// takes.
func stdHeader(header []byte) (want string, ok bool) {
	var members map[string]json.RawMessage
	if bytes.Contains(bytes.ToLower(header), []byte(`\ud`)) {
		return "", false // half of a surrogate pair is another character here
	}
	if !utf8.Valid(header) || json.Unmarshal(header, &members) != nil || members == nil {
		return "", false
	}
	var c Command
	var numbersOK = true
	number := func(key string, v *int32) {
		raw, there := members[key]
		if !there {
			return
		}
		n, err := strconv.ParseInt(string(raw), 10, 32)
		numbersOK = numbersOK && err == nil
		*v = int32(n)
	}
	number("code", &c.Code)
	number("flag", &c.Flag)
	number("opaque", &c.Opaque)
	number("version", &c.Version)
	_, c.HasOpaque = members["opaque"]
	var remark, language *string
	var ext map[string]*string
	for key, v := range map[string]any{"remark": &remark, "language": &language, "extFields": &ext} {
		if raw, there := members[key]; there && json.Unmarshal(raw, v) != nil {
			return "", false
		}
	}
	if remark != nil {
		c.Remark = []byte(*remark)
	}
	if language != nil {
		c.Language = languageOfName([]byte(*language))
	} else if _, there := members["language"]; there {
		c.Language = LanguageUnknown
	}
	c.HasExt = ext != nil
	return describeUnordered(&c, ext), numbersOK
}

// describeUnordered is describeHeader without the order and repetitions of ext fields.
func describeUnordered(c *Command, ext map[string]*string) string {
	plain := *c
	plain.ext.reset()
	text, _ := json.Marshal(ext)
	return describeHeader(&plain) + " " + string(text)
}

// FuzzJSONHeader: a header that is standard JSON with string ext values means what
// encoding/json says it means; any other is read or refused, but never beyond its end.
func FuzzJSONHeader(f *testing.F) {
	for _, header := range []string{
		"", "{}", " {}\n", benchJSON105, bench103,
		`{"code":105,"language":"GO","version":317,"opaque":7,"flag":0,"remark":"","extFields":{"topic":"T1"}}`,
		`{"x":{"y":[1,-2.5e3,{"z":null}],"w":{}},"code":9,"remark":null,"extFields":{"a":null,"a":"b"}}`,
		`{"remark":"\ud83d\ude00\ud83d\u0041\"\\\/\b\f\n\r\t","extFields":{"\u0061":"\u00e9"}}`,
		`{'code':'5',"flag":1.0"extFields":{"a":5,"b":true,},"language":9,}`,
		"{\"remark\":\"\xe2\x82x\xff\",\"extFields\":{\"a\":[1,{}]}}\x00",
	} {
		f.Add([]byte(header))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		lim := DefaultLimits()
		lim.HeaderBytesMax, lim.ExtFieldsMax, lim.JSONDepthMax = 4096, 32, 8
		if len(header) > lim.HeaderBytesMax {
			return
		}
		c, err := decodeFenced(t, jsonFrame(string(header), ""), &lim)
		want, known := stdHeader(header)
		if !known {
			return
		}
		if err != nil {
			if errors.Is(err, ErrTooManyExtFields) || bytes.Contains([]byte(err.Error()), []byte("nested deeper")) {
				return
			}
			t.Fatalf("encoding/json reads %s\n%s", want, err)
		}
		var ext map[string]*string
		if c.HasExt {
			ext = map[string]*string{}
		}
		for i := range c.NumExt() {
			key, value := c.ExtAt(i)
			ext[string(key)] = nil
			if value != nil {
				ext[string(key)] = new(string(value))
			}
			checkExtFound(t, c, string(key))
		}
		if diff := cmp.Diff(want, describeUnordered(c, ext)); diff != "" {
			t.Fatalf("encoding/json disagrees (-want +got):\n%s", diff)
		}
	})
}

// checkExtFound: Ext finds the last field of a name.
func checkExtFound(t *testing.T, c *Command, key string) {
	t.Helper()
	var last []byte
	for i := range c.NumExt() {
		if k, v := c.ExtAt(i); string(k) == key {
			last = v
		}
	}
	if got, ok := c.Ext(key); !bytes.Equal(got, last) || ok != (last != nil) {
		t.Errorf("Ext(%q) = %q, %t; the last one is %q", key, got, ok, last)
	}
}

// FuzzBinaryHeader: a frame is read within its bounds, and what was read survives being
// written and read again, in either form.
func FuzzBinaryHeader(f *testing.F) {
	for _, h := range []*binaryHeader{
		fixed(105, 9, 317, 8, 0).int32(0).int32(13).field("topic", "T1"),
		fixed(-1, 255, -2, -3, -4).int32(2).text("hi").int32(0),
		fixed(904, 0, 513, 1, 2).int32(0).int32(-1),
		fixed(100, 0, 513, 1, 0).int32(0).int32(26).field("", "x").field("a", "").field("\xff", "\xe2\x82"),
		fixed(100, 0, 513, 1, 0).int32(1000).text("short"),
		fixed(100, 0, 513, 1, 0).int32(0).int32(12).field("topic", "T1").text("surplus"),
	} {
		f.Add(h.b, []byte("body"))
		f.Add(h.b, []byte{})
	}
	f.Fuzz(func(t *testing.T, header, body []byte) {
		lim := DefaultLimits()
		lim.HeaderBytesMax, lim.ExtFieldsMax = 4096, 32
		if len(header) > lim.HeaderBytesMax {
			return
		}
		c, err := decodeFenced(t, (&binaryHeader{header}).frame(string(body)), &lim)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Body, body) {
			t.Fatalf("body %q, want %q", c.Body, body)
		}
		want := headerOfCommand(c)
		for _, st := range []SerializeType{SerializeRocketMQ, SerializeJSON} {
			again, err := decodeFenced(t, AppendCommand(nil, st, &want, body), &Limits{
				FrameBytesMax: 1 << 20, HeaderBytesMax: 1 << 20, ExtFieldsMax: 32, JSONDepthMax: 8,
			})
			if err != nil {
				t.Fatalf("%v: %v", st, err)
			}
			got := headerOfCommand(again)
			if st == SerializeRocketMQ && len(want.Ext) == 0 {
				got.Ext = want.Ext // an empty table is not written
			}
			if st == SerializeJSON && want.Language == LanguageUnknown {
				got.Language = want.Language // nor a language that is null
			}
			if diff := cmp.Diff(want, got); diff != "" || !bytes.Equal(again.Body, body) {
				t.Fatalf("%v: body %q, want %q; header (-want +got):\n%s", st, again.Body, body, diff)
			}
		}
	})
}

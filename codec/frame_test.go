package codec

import (
	"errors"
	"strings"
	"testing"
)

// FrameSize refuses what Java closes the connection for, as soon as it can be known.
func TestFrameSize(t *testing.T) {
	lim := DefaultLimits()
	f := func(prefix string, wantBytes int, wantErr error) {
		t.Helper()
		got, err := FrameSize([]byte(prefix), &lim)
		if got != wantBytes || !errors.Is(err, wantErr) {
			t.Errorf("FrameSize(%x) = %d, %v; want %d, %v", prefix, got, err, wantBytes, wantErr)
		}
	}
	// Not known yet.
	f("", 0, nil)
	f("\x00\x00\x00", 0, nil)

	// The length field: at least the word behind it must follow.
	f("\x00\x00\x00\x04", 8, nil)
	f("\x00\x00\x00\x00", 0, ErrFrameLength)
	f("\x00\x00\x00\x03", 0, ErrFrameLength)
	f("\xff\xff\xff\xff", 0, ErrFrameLength)
	f("\x80\x00\x00\x00", 0, ErrFrameLength)

	// The limit counts the length field itself: 16777212 is the largest legal length.
	f("\x00\xff\xff\xfc", 16777216, nil)
	f("\x00\xff\xff\xfd", 0, ErrFrameTooLarge)
	f("\x7f\xff\xff\xff", 0, ErrFrameTooLarge)
	f("GET ", 0, ErrFrameTooLarge)
	f("\x16\x03\x01\x02", 0, ErrFrameTooLarge)

	// Type byte and header length, from eight bytes on.
	f("\x00\x00\x00\x7b\x00\x00\x00\x5f", 127, nil)
	f("\x00\x00\x00\x7b\x01\x00\x00\x77", 127, nil)
	f("\x00\x00\x00\x7b\x01\x00\x00\x77more", 127, nil)
	f("\x00\x00\x00\x7b\x01\x00\x00\x78", 0, ErrHeaderLength)
	f("\x00\x00\x00\x7b\x02\x00\x00", 127, nil)
	f("\x00\x00\x00\x7b\x02\x00\x00\x5f", 0, ErrSerializeType)
	f("\x00\x00\x00\x7b\xff\x00\x00\x5f", 0, ErrSerializeType)
	f("\x00\x20\x00\x00\x00\x10\x00\x00", 0x200004, nil)
	f("\x00\x20\x00\x00\x00\x10\x00\x01", 0, ErrHeaderTooLarge)
}

// The limits are the caller's, not the package's.
func TestFrameSizeHonoursLimits(t *testing.T) {
	lim := DefaultLimits()
	lim.FrameBytesMax, lim.HeaderBytesMax = 100, 50
	if _, err := FrameSize([]byte("\x00\x00\x00\x60\x00\x00\x00\x32"), &lim); err != nil {
		t.Errorf("a frame at both limits: %v", err)
	}
	if _, err := FrameSize([]byte("\x00\x00\x00\x61"), &lim); !errors.Is(err, ErrFrameTooLarge) {
		t.Errorf("a frame above the limit: %v", err)
	}
	if _, err := FrameSize([]byte("\x00\x00\x00\x60\x00\x00\x00\x33"), &lim); !errors.Is(err, ErrHeaderTooLarge) {
		t.Errorf("a header above the limit: %v", err)
	}
	// Above 2^31 the length field is negative, whatever the limit.
	lim.FrameBytesMax = 1 << 40
	if _, err := FrameSize([]byte("\xff\xff\xff\xff"), &lim); !errors.Is(err, ErrFrameLength) {
		t.Errorf("a negative length under a huge limit: %v", err)
	}
}

// Decode checks the whole prefix again: it may be given frames that nobody split.
func TestDecodeRefusesFrames(t *testing.T) {
	lim := DefaultLimits()
	f := func(frame string, want error) {
		t.Helper()
		var c Command
		if err := c.Decode([]byte(frame), &lim); !errors.Is(err, want) {
			t.Errorf("Decode(%q) = %v, want %v", frame, err, want)
		}
	}
	f("", ErrFrameLength)
	f("\x00\x00\x00\x04\x00\x00\x00", ErrFrameLength)
	f("\x00\x00\x00\x03\x00\x00\x00\x00", ErrFrameLength)
	f("\x00\x00\x00\x05\x00\x00\x00\x00", ErrFrameLength)       // one byte short
	f("\x00\x00\x00\x06\x00\x00\x00\x02{}body", ErrFrameLength) // more than one frame
	f("\x00\xff\xff\xfd\x00\x00\x00\x00", ErrFrameTooLarge)
	f("\x00\x00\x00\x06\x00\x00\x00\x03{}", ErrHeaderLength)
	f("\x00\x00\x00\x06\x02\x00\x00\x02{}", ErrSerializeType)
	f("\x00\x00\x00\x04\x00\x00\x00\x00", ErrHeader)   // an empty JSON header
	f("\x00\x00\x00\x06\x00\x00\x00\x00{}", ErrHeader) // empty, with a body
	f("\x00\x00\x00\x04\x01\x00\x00\x00", ErrHeader)   // an empty binary header
	f("\x00\x00\x00\x06\x01\x00\x00\x02{}", ErrHeader)
	f("GET / HTTP/1.1\r\nHost: localhost\r\n", ErrFrameTooLarge)
}

// A header of two bytes is a whole request; the body is what follows the header, to the
// frame's end and not a byte further.
func TestDecodeBody(t *testing.T) {
	lim := DefaultLimits()
	f := func(frame, wantBody string) {
		t.Helper()
		var c Command
		if err := c.Decode([]byte(frame), &lim); err != nil {
			t.Fatalf("Decode(%q): %v", frame, err)
		}
		if string(c.Body) != wantBody || (c.Body == nil) != (wantBody == "") || len(c.Body) != cap(c.Body) {
			t.Errorf("Decode(%q): body %q (nil %t, cap %d), want %q", frame, c.Body, c.Body == nil, cap(c.Body), wantBody)
		}
		if c.Code != 0 || c.HasOpaque || c.HasExt || c.Remark != nil || c.Language != LanguageJava {
			t.Errorf("Decode(%q): %+v, want the values of a new command of Java", frame, c)
		}
	}
	f("\x00\x00\x00\x06\x00\x00\x00\x02{}", "")
	f("\x00\x00\x00\x0a\x00\x00\x00\x02{}body", "body")
}

// A reply that the peer would drop the connection for is taken back whole.
func TestEndFrameTooLarge(t *testing.T) {
	lim := DefaultLimits()
	lim.FrameBytesMax = 200
	dst := []byte("earlier replies")
	f := func(bodyBytes int, want error) {
		t.Helper()
		dst, m := BeginResponse(dst, SerializeJSON, 7, Success, "", nil)
		if m.Start() != len("earlier replies") || m.BodyStart() != len(dst) {
			t.Fatalf("mark %+v of a frame at %d with its body at %d", m, len("earlier replies"), len(dst))
		}
		dst = append(dst, strings.Repeat("x", bodyBytes)...)
		if got := m.BodyBytes(dst); got != bodyBytes {
			t.Errorf("BodyBytes = %d, want %d", got, bodyBytes)
		}
		frameBytes := len(dst) - m.Start()
		dst, err := EndFrame(dst, m, &lim)
		if !errors.Is(err, want) {
			t.Fatalf("EndFrame of %d bytes: %v, want %v", frameBytes, err, want)
		}
		if want != nil {
			if string(dst) != "earlier replies" {
				t.Errorf("EndFrame left %q", dst)
			}
			return
		}
		if n, err := FrameSize(dst[m.Start():], &lim); n != frameBytes || err != nil {
			t.Errorf("the frame says %d bytes (%v), it has %d", n, err, frameBytes)
		}
	}
	headerBytes := len(successJSONPrefix) + 1 + len(responseJSONSuffix)
	f(0, nil)
	f(200-headerBytes, nil)
	f(201-headerBytes, ErrFrameTooLarge)
	f(5000, ErrFrameTooLarge)
}

// A header that 24 bits cannot describe is refused even if the frame limit allows it.
func TestEndFrameHeaderTooLong(t *testing.T) {
	lim := DefaultLimits()
	lim.FrameBytesMax = 64 << 20
	dst, m := BeginResponse(nil, SerializeJSON, 7, SystemError, strings.Repeat("x", 1<<24), nil)
	if dst, err := EndFrame(dst, m, &lim); !errors.Is(err, ErrFrameTooLarge) || len(dst) != 0 {
		t.Errorf("EndFrame = %d bytes, %v; want none and ErrFrameTooLarge", len(dst), err)
	}
}

package codec

import (
	"errors"
	"testing"
)

// A reply is the bytes Java writes, but for the version (spec 1.2).
func TestBeginResponseSuccessIsJavasBytes(t *testing.T) {
	lim := DefaultLimits()
	dst, m := BeginResponse(nil, SerializeJSON, 1, Success, "", nil)
	dst, err := EndFrame(dst, m, &lim)
	if err != nil {
		t.Fatal(err)
	}
	want := "\x00\x00\x00\x63\x00\x00\x00\x5f" +
		`{"code":0,"flag":1,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":513}`
	if string(dst) != want {
		t.Errorf("got  %q\nwant %q", dst, want)
	}
}

// FrameSize refuses what Java closes the connection for, before the payload is there.
func TestFrameSize(t *testing.T) {
	lim := DefaultLimits()
	f := func(prefix string, wantBytes int, wantErr error) {
		t.Helper()
		got, err := FrameSize([]byte(prefix), &lim)
		if got != wantBytes || !errors.Is(err, wantErr) {
			t.Errorf("FrameSize(%x) = %d, %v; want %d, %v", prefix, got, err, wantBytes, wantErr)
		}
	}
	f("", 0, nil)
	f("\x00\x00\x00", 0, nil)
	f("\x00\x00\x00\x04", 8, nil)
	f("\x00\x00\x00\x00", 0, ErrFrameLength)
	f("\x00\x00\x00\x03", 0, ErrFrameLength)
	f("\xff\xff\xff\xff", 0, ErrFrameLength)
	f("\x80\x00\x00\x00", 0, ErrFrameLength)
	f("\x00\xff\xff\xfc", 16777216, nil)
	f("\x00\xff\xff\xfd", 0, ErrFrameTooLarge)
	f("\x7f\xff\xff\xff", 0, ErrFrameTooLarge)
	f("GET ", 0, ErrFrameTooLarge)
	f("\x00\x00\x00\x7b\x00\x00\x00\x5f", 127, nil)
	f("\x00\x00\x00\x7b\x01\x00\x00\x77", 127, nil)
	f("\x00\x00\x00\x7b\x01\x00\x00\x78", 0, ErrHeaderLength)
	f("\x00\x00\x00\x7b\x02\x00\x00\x5f", 0, ErrSerializeType)
	f("\x00\x00\x00\x7b\xff\x00\x00\x5f", 0, ErrSerializeType)
	f("\x00\x20\x00\x00\x00\x10\x00\x00", 0x200004, nil)
	f("\x00\x20\x00\x00\x00\x10\x00\x01", 0, ErrHeaderTooLarge)
}

package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// fuzzLimits are small, so that the fuzzer meets them.
var fuzzLimits = codec.Limits{
	FrameBytesMax: 4 << 10, HeaderBytesMax: 1 << 10, ExtFieldsMax: 8, InflatedBytesMax: 4 << 10, JSONDepthMax: 8, TopicsMax: 8,
}

// FuzzReply: whatever a server sends, a call ends: with the answer, if the bytes hold one, or
// with the reason why the connection is of no use. What it holds is within the limits.
func FuzzReply(f *testing.F) {
	success, m := codec.BeginResponse(nil, codec.SerializeJSON, 1, codec.Success, "", nil)
	success, _ = codec.EndFrame(append(success, `{"brokerDatas":[]}`...), m, &fuzzLimits)
	ext := []codec.ExtField{{Key: "msgId", Value: "1"}, {Key: "queueOffset", Value: "7"}}
	binary := codec.AppendCommand(nil, codec.SerializeRocketMQ, &codec.Header{Code: 17, Opaque: 1, Flag: codec.FlagResponse, Remark: "no", HasRemark: true, Ext: ext}, nil)
	other := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: 40, Opaque: 1}, []byte("a request"))
	f.Add(success)
	f.Add(binary)
	f.Add(append(bytes.Clone(other), success...))
	f.Add(success[:len(success)-1])
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 4, 0, 0, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := firstAnswer(data)
		near, far := net.Pipe()
		d := &Dialer{Limits: fuzzLimits, DialFunc: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
		c, err := d.Dial(t.Context(), "ns:9876")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)
		go func() {
			defer far.Close()
			if _, err := far.Read(make([]byte, 4<<10)); err != nil {
				return
			}
			_, _ = far.Write(data)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := c.Call(ctx, codec.Header{Code: 105}, nil)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			t.Fatal("the call hangs")
		case err == nil && wantErr != nil:
			t.Fatalf("an answer %+v where there is none: %v", r, wantErr)
		case err != nil && (wantErr == nil || !errors.Is(err, ErrClosed)):
			t.Fatalf("%v, want %+v", err, want)
		case err == nil:
			check(t, r, want)
		}
	})
}

func check(t *testing.T, r, want *Reply) {
	t.Helper()
	if r.Server != want.Server || r.Code != want.Code || r.Remark != want.Remark || !bytes.Equal(r.Body, want.Body) || len(r.Ext) != len(want.Ext) {
		t.Fatalf("%+v, want %+v", r, want)
	}
	held := cap(r.Body) + len(r.Remark)
	for _, e := range r.Ext {
		held += len(e.Key) + len(e.Value)
	}
	if held > 4*fuzzLimits.FrameBytesMax { // escapes and what is not UTF-8 may grow threefold
		t.Fatalf("an answer holds %d bytes", held)
	}
}

// firstAnswer reads data frame by frame, the plain way: the first reply with opaque 1.
func firstAnswer(data []byte) (*Reply, error) {
	for len(data) >= codec.FramePrefixBytes {
		n, err := codec.FrameSize(data[:codec.FramePrefixBytes], &fuzzLimits)
		if err != nil {
			return nil, err
		}
		if n > len(data) {
			break
		}
		var cmd codec.Command
		if err := cmd.Decode(bytes.Clone(data[:n]), &fuzzLimits); err != nil {
			return nil, err
		}
		if cmd.IsResponse() && cmd.Opaque == 1 {
			return own(&cmd, "ns:9876"), nil
		}
		data = data[n:]
	}
	return nil, io.ErrUnexpectedEOF
}

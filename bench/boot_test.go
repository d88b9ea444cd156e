package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Goal: a server is there when it has answered, whatever that is, and not when it accepts.
func TestFirstAnswer(t *testing.T) {
	f := func(name string, answer []byte, want bool) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := io.ReadAtLeast(conn, make([]byte, 4096), codec.FramePrefixBytes); err == nil {
				_, _ = conn.Write(answer)
			}
		}()
		if err := firstAnswer(t.Context(), ln.Addr().String()); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		ln.Close()
		<-ended
		if err := firstAnswer(t.Context(), ln.Addr().String()); err == nil {
			t.Errorf("%s: nobody listens any more, and it answers", name)
		}
	}
	reply := func(opaque int32) []byte {
		h := codec.Header{Code: codec.TopicNotExist, Opaque: opaque, Flag: codec.FlagResponse}
		return codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)
	}
	f("an answer", reply(1), true)
	f("no frame", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), true)
	f("no header", []byte("\x00\x00\x00\x10\x00\x00\x00\x0c{\"opaque\":1,\""), true)
	f("nothing", nil, false)
}

// Goal: waiting for a server that hangs ends with the context.
func TestFirstAnswerEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // its kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := firstAnswer(ctx, ln.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

package limit

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Both yardsticks answer every frame, whole or cut, one or many at once, with the body and
// the request's own correlation id.
func TestYardsticksAnswerEverything(t *testing.T) {
	for name, serve := range map[string]func(context.Context, string, int, func(string)) error{"gnet": RunGnet, "epoll": RunEpoll} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ready, ended := make(chan string, 1), make(chan error, 1)
			const bodyBytes = 100_000
			go func() { ended <- serve(ctx, "127.0.0.1:0", bodyBytes, func(a string) { ready <- a }) }()
			var address string
			select {
			case address = <-ready:
			case err := <-ended:
				t.Fatal(err)
			}
			ask(t, address, bodyBytes)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func ask(t *testing.T, address string, bodyBytes int) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const requests = 100
	var out []byte
	for i := range requests {
		h := codec.Header{Code: codec.CodeGetRouteInfoByTopic, Opaque: int32(1_000_000 + i), Ext: []codec.ExtField{{Key: "topic", Value: "T"}}}
		out = codec.AppendCommand(out, codec.SerializeType(i%2), &h, nil)
	}
	go func() { // more answers than the socket's buffers hold come back meanwhile
		_, _ = c.Write(out[:1001])
		_, _ = c.Write(out[1001:])
	}()
	limits := codec.DefaultLimits()
	var cmd codec.Command
	for i := range requests {
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
		total, err := codec.FrameSize(head, &limits)
		if err != nil {
			t.Fatal(err)
		}
		frame := append(head, make([]byte, total-4)...)
		if _, err := io.ReadFull(c, frame[4:]); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Decode(frame, &limits); err != nil || cmd.Opaque != int32(1_000_000+i) || len(cmd.Body) != bodyBytes || !cmd.IsResponse() {
			t.Fatalf("reply %d: %v, opaque %d, %d bytes of body", i, err, cmd.Opaque, len(cmd.Body))
		}
	}
}

func TestYardsticksRefuse(t *testing.T) {
	for _, serve := range []func(context.Context, string, int, func(string)) error{RunGnet, RunEpoll} {
		if err := serve(t.Context(), "127.0.0.1:0", -1, nil); err == nil {
			t.Error("a body of -1 bytes")
		}
		if err := serve(t.Context(), "192.0.2.1:9", 1, nil); err == nil {
			t.Error("listens on an address that is not ours")
		}
	}
}

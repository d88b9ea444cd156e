package testkit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// serve accepts one connection, reads batch requests at a time, and sends what answer makes
// of them.
func serve(t *testing.T, batch int, answer func([]*Message) []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for {
			var got []*Message
			for range batch {
				m, err := readMessage(in)
				if err != nil {
					return
				}
				got = append(got, m)
			}
			out := answer(got)
			if out == nil {
				return
			}
			if _, err := conn.Write(out); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

func readMessage(in io.Reader) (*Message, error) {
	lim := codec.DefaultLimits()
	frame := make([]byte, codec.FramePrefixBytes)
	if _, err := io.ReadFull(in, frame); err != nil {
		return nil, err
	}
	size, err := codec.FrameSize(frame, &lim)
	if err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, size-len(frame))...)
	if _, err := io.ReadFull(in, frame[codec.FramePrefixBytes:]); err != nil {
		return nil, err
	}
	var cmd codec.Command
	if err := cmd.Decode(frame, &lim); err != nil {
		return nil, err
	}
	return own(&cmd), nil
}

func dial(t *testing.T, addr string, o ClientOptions) *Client {
	t.Helper()
	c, err := Dial(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClientFindsCallersOfRepliesOutOfOrder(t *testing.T) {
	const calls = 8
	addr := serve(t, calls, func(got []*Message) []byte {
		var out []byte
		for i := len(got) - 1; i >= 0; i-- {
			h := codec.Header{Opaque: got[i].Opaque, Flag: codec.FlagResponse, Ext: Ext("who", got[i].Ext["who"])}
			out = codec.AppendCommand(out, codec.SerializeJSON, &h, got[i].Body)
		}
		return out
	})
	for _, st := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		addr := addr
		if st == codec.SerializeRocketMQ {
			addr = serve(t, 1, func(got []*Message) []byte {
				h := codec.Header{Opaque: got[0].Opaque, Flag: codec.FlagResponse, Ext: Ext("who", got[0].Ext["who"])}
				return codec.AppendCommand(nil, st, &h, got[0].Body)
			})
		}
		c := dial(t, addr, ClientOptions{Serialize: st})
		results := make(chan error)
		for i := range calls {
			go func() {
				who := fmt.Sprint(i)
				m, err := c.Call(t.Context(), 105, Ext("who", who), []byte(who))
				if err == nil && (m.Ext["who"] != who || string(m.Body) != who || m.Serialize != st) {
					err = fmt.Errorf("caller %s got %+v", who, m)
				}
				results <- err
			}()
		}
		for range calls {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	}
}

func TestClientTellsWhyThereIsNoReply(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		c := dial(t, serve(t, 1, func([]*Message) []byte { return nil }), ClientOptions{})
		if _, err := c.Call(t.Context(), 106, nil, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		if err := c.Err(); !errors.Is(err, ErrClosed) {
			t.Errorf("Err() = %v, want ErrClosed", err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		c := dial(t, serve(t, 1000, func([]*Message) []byte { return nil }), ClientOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Call(ctx, 106, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want DeadlineExceeded", err)
		}
		if err := c.Err(); err != nil {
			t.Errorf("a late reply closed the connection: %v", err)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		c := dial(t, serve(t, 1, func([]*Message) []byte { return make([]byte, 64) }), ClientOptions{})
		if _, err := c.Call(t.Context(), 106, nil, nil); !errors.Is(err, codec.ErrFrameLength) {
			t.Errorf("error %v, want ErrFrameLength", err)
		}
	})
}

func TestClientHandsRequestsOver(t *testing.T) {
	pushed := make(chan *Message, 1)
	addr := serve(t, 1, func(got []*Message) []byte {
		h := codec.Header{Code: codec.CodeNotifyMinBrokerIDChange, Flag: codec.FlagOneway, Ext: Ext("minBrokerId", "1")}
		out := codec.AppendCommand(nil, codec.SerializeJSON, &h, nil)
		reply := codec.Header{Opaque: got[0].Opaque, Flag: codec.FlagResponse}
		return codec.AppendCommand(out, codec.SerializeJSON, &reply, nil)
	})
	c := dial(t, addr, ClientOptions{OnRequest: func(m *Message) { pushed <- m }})
	if _, err := c.Call(t.Context(), 106, nil, nil); err != nil {
		t.Fatal(err)
	}
	m := <-pushed
	if m.Code != codec.CodeNotifyMinBrokerIDChange || m.Ext["minBrokerId"] != "1" {
		t.Errorf("got %+v", m)
	}
}

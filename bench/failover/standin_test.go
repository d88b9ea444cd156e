package failover

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// answerOf is an answer as name servers give it.
func answerOf(opaque int32) []byte {
	frame, mark := codec.BeginResponse(nil, codec.SerializeJSON, opaque, codec.Success, "", nil)
	lim := codec.DefaultLimits()
	frame, err := codec.EndFrame(append(frame, `{"brokerDatas":[],"queueDatas":[]}`...), mark, &lim)
	if err != nil {
		panic(err)
	}
	return frame
}

// TestSpoil: no kind of garbage passes for a route.
func TestSpoil(t *testing.T) {
	lim := codec.DefaultLimits()
	good := answerOf(7)
	framed := 0
	for kind := range spoilKinds {
		bad := spoil(good, kind, &lim)
		var c codec.Command
		size, err := codec.FrameSize(bad[:codec.FramePrefixBytes], &lim)
		if err != nil || size != len(bad) || c.Decode(bad, &lim) != nil {
			continue // a client sees that it is none
		}
		framed++
		if c.Opaque != 7 || c.Code != codec.Success || !c.IsResponse() {
			t.Errorf("kind %d is not the answer to its request: %+v", kind, c)
		}
		if route, err := codec.ParseTopicRouteData(c.Body, &lim); err == nil {
			t.Errorf("kind %d is a route: %+v", kind, route)
		}
	}
	if framed != 2 {
		t.Errorf("%d kinds are answers with a spoiled body, want 2", framed)
	}
}

// here is where a stand-in runs in a test: no namespace.
type here struct{}

func (here) Do(f func() error) error { return f() }

// TestStandin asks a server through it, in each mood.
func TestStandin(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for buf := make([]byte, 1); ; {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(answerOf(int32(buf[0]))); err != nil {
						return
					}
				}
			}()
		}
	}()
	s, err := startStandin(here{}, "127.0.0.1:0", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func(want []byte) (same bool, took time.Duration) {
		t.Helper()
		begin := time.Now()
		if _, err := c.Write([]byte{9}); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		_ = c.SetReadDeadline(begin.Add(time.Minute))
		n, _ := c.Read(got)
		return bytes.Equal(got[:n], want), time.Since(begin)
	}
	if same, _ := ask(answerOf(9)); !same {
		t.Error("a healthy answer does not pass")
	}
	s.set(late)
	if same, took := ask(answerOf(9)); !same || took < lateBy {
		t.Errorf("a late answer: the same %v, after %v", same, took)
	}
	s.set(garbage)
	if same, _ := ask(answerOf(9)); same {
		t.Error("an answer passes that should be garbage")
	}
}

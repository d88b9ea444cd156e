package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// benchServer answers every request with the route of a topic on three brokers, over loopback.
func benchServer(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	route := []byte(`{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},"brokerName":"broker-a","cluster":"c","enableActingMaster":false},` +
		`{"brokerAddrs":{"0":"10.0.0.3:10911"},"brokerName":"broker-b","cluster":"c","enableActingMaster":false}],"filterServerTable":{},` +
		`"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8},` +
		`{"brokerName":"broker-b","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}`)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerAll(c, route)
		}
	}()
	return l.Addr().String()
}

func answerAll(c net.Conn, body []byte) {
	defer c.Close()
	in := bufio.NewReader(c)
	lim := codec.DefaultLimits()
	var cmd codec.Command
	var frame, out []byte
	for {
		prefix, err := in.Peek(codec.FramePrefixBytes)
		if err != nil {
			return
		}
		size, _ := codec.FrameSize(prefix, &lim)
		frame = append(frame[:0], make([]byte, size)...)
		if _, err := io.ReadFull(in, frame); err != nil || cmd.Decode(frame, &lim) != nil {
			return
		}
		var m codec.FrameMark
		out, m = codec.BeginResponse(out[:0], codec.SerializeJSON, cmd.Opaque, codec.Success, "", nil)
		out, _ = codec.EndFrame(append(out, body...), m, &lim)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// BenchmarkResolverRoute is a lookup over loopback, parsing included: one caller, and many.
func BenchmarkResolverRoute(b *testing.B) {
	r, err := NewResolver(ResolverOptions{Servers: []string{benchServer(b), benchServer(b)}})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	one := func() {
		if _, err := r.Route(context.Background(), "TopicTest"); err != nil {
			b.Error(err)
		}
	}
	b.Run("callers=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			one()
		}
	})
	b.Run("callers=64", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				one()
			}
		})
	})
}

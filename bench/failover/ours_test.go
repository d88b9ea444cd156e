package failover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
	"github.com/pharosmq/pharos/codec"
)

// serveAll is a name server and a broker in one: it knows one topic and confirms every message.
func serveAll(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	addr = l.Addr().String()
	route := fmt.Sprintf(`{"brokerDatas":[{"brokerAddrs":{"0":%q},"brokerName":"broker-a","cluster":"c"}],`+
		`"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"writeQueueNums":4,"topicSysFlag":0}]}`, addr)
	lim := codec.DefaultLimits()
	serve := func(c net.Conn) {
		defer c.Close()
		for {
			frame, err := readFrame(c, &lim)
			if err != nil {
				return
			}
			var q codec.Command
			if err := q.Decode(frame, &lim); err != nil {
				return
			}
			reply := codec.Header{Code: codec.Success, Version: codec.Version5_5_0, Opaque: q.Opaque, Flag: 1,
				Ext: []codec.ExtField{{Key: "msgId", Value: "7F0000010000000000000000"}, {Key: "queueId", Value: "0"}, {Key: "queueOffset", Value: "1"}}}
			body := []byte(route)
			if q.Code != codec.CodeGetRouteInfoByTopic {
				body = nil
			}
			if _, err := c.Write(codec.AppendCommand(nil, codec.SerializeJSON, &reply, body)); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return addr
}

// TestRunClient: our client under the load, as a child process would run it.
func TestRunClient(t *testing.T) {
	addr := serveAll(t)
	in, stop := io.Pipe()
	time.AfterFunc(time.Second, func() { stop.Close() })
	var out bytes.Buffer
	o := ClientOptions{Servers: []string{addr}, Topic: topic, Selector: "least-in-flight",
		Load: openloop.Options{LookupsPerSecond: 50, SendsPerSecond: 100, Callers: 100, Slow: time.Minute}}
	if err := RunClient(t.Context(), o, in, &out); err != nil {
		t.Fatal(err)
	}
	ready, used := false, ""
	var last openloop.Line
	for d := json.NewDecoder(&out); d.More(); {
		last = openloop.Line{}
		if err := d.Decode(&last); err != nil {
			t.Fatal(err)
		}
		if last.Call != nil {
			t.Errorf("a call failed: %+v", last.Call)
		}
		ready = ready || last.Ready
		used += last.InUse
	}
	if !ready || used != addr || !last.Ended || last.Count.Sends == 0 || last.Count.Brokers["broker-a"] != last.Count.Sends || last.Count.Cached != last.Count.Sends {
		t.Errorf("ready %v, used %q, and it ends with %+v %+v", ready, used, last, last.Count)
	}
	o.Selector = "by chance"
	if err := RunClient(t.Context(), o, in, &out); err == nil {
		t.Error("there is no such selector")
	}
}

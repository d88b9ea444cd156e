package hostile

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Goal: a server that stood still expires nobody whose connection lives. Method: brokers
// that keep registering; the server is stopped for longer than their heartbeat timeout,
// and continued; their routes are watched while it catches up and scans.
func TestStoppedServerKeepsItsBrokers(t *testing.T) {
	switches(t)
	f := func(stopped time.Duration, timeoutMillis int64) {
		t.Helper()
		server := startNamesrv(t)
		brokers := make([]*peer, innocentBrokers)
		frames := make([][]byte, innocentBrokers)
		for i := range brokers {
			p, err := dial(server.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			brokers[i] = p
			frames[i] = registrationWithTimeout(brokerName(i), brokerAddr(i), timeoutMillis)
			if reply, err := p.ask(frames[i]); err != nil || reply.Code != codec.Success {
				t.Fatalf("register %d: %v", i, err)
			}
		}
		stopWhileRegistering(t, server, brokers, frames, stopped)
		// The first scans after the stop are where a naive server drops everybody.
		for end := time.Now().Add(12 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			expectBrokers(t, server.addr, innocentBrokers)
		}
	}
	f(10*time.Second, 4_000)
	if os.Getenv("PHAROS_INTEROP_FULL") != "" {
		f(130*time.Second, 120_000)
	}
}

func registrationWithTimeout(broker, addr string, timeoutMillis int64) []byte {
	body := codec.RegisterBody{DataVersion: codec.DataVersion{Timestamp: 1, Counter: 1}}
	for _, topic := range []string{"StoppedTopic", broker} {
		name := []byte(topic)
		body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6})
	}
	return request(nil, codec.CodeRegisterBroker, codec.Version5_5_0, 1, []codec.ExtField{
		{Key: "brokerName", Value: broker},
		{Key: "brokerAddr", Value: addr},
		{Key: "clusterName", Value: "stopped"},
		{Key: "haServerAddr", Value: addr},
		{Key: "brokerId", Value: "0"},
		{Key: "heartbeatTimeoutMillis", Value: fmt.Sprint(timeoutMillis)},
	}, codec.AppendRegisterBody(nil, &body, codec.Version5_5_0))
}

// stopWhileRegistering stops the server; the brokers send once more into the silence, as
// a real one's timer does, and go on every second once it is continued.
func stopWhileRegistering(t *testing.T, server *namesrv, brokers []*peer, frames [][]byte, stopped time.Duration) {
	t.Helper()
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	for i, p := range brokers {
		if _, err := p.Write(frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(stopped)
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	for i, p := range brokers {
		if reply, err := p.readReply(); err != nil || reply.Code != codec.Success {
			t.Errorf("broker %d after the stop: %v", i, err)
		}
	}
	done := t.Context()
	for i, p := range brokers {
		go func() {
			for done.Err() == nil {
				if _, err := p.ask(frames[i]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
	}
}

func expectBrokers(t *testing.T, addr string, want int) {
	t.Helper()
	p, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	reply, err := p.ask(lookup(nil, "StoppedTopic", 1))
	if err != nil {
		t.Fatal(err)
	}
	if reply.Code != codec.Success {
		t.Fatalf("route: code %d %s", reply.Code, reply.Remark)
	}
	route, err := codec.ParseTopicRouteData(reply.Body, &p.lim)
	if err != nil {
		t.Fatal(err)
	}
	if len(route.BrokerDatas) != want {
		t.Fatalf("the route lists %d brokers, want %d: a living one was dropped", len(route.BrokerDatas), want)
	}
}

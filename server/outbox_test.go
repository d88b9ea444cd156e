package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// What goes into the box comes out in order, whatever is shared of it.
func TestOutbox(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		var o outbox
		for range 3 {
			var want []byte
			for len(want) == 0 || !o.full() && r.IntN(20) > 0 {
				own := pattern(r.IntN(100))
				o.buf, want = append(o.buf, own...), append(want, own...)
				if r.IntN(2) == 0 {
					body := pattern(r.IntN(1000))
					o.share(body)
					want = append(want, body...)
				}
			}
			if o.bytes() != len(want) {
				t.Fatalf("%d bytes of %d", o.bytes(), len(want))
			}
			if got := bytes.Join(o.pieces(), nil); !bytes.Equal(got, want) {
				t.Fatalf("seed %d: got %q, want %q", seed, got, want)
			}
			if o.reset(); o.bytes() != 0 || o.full() {
				t.Fatal("not empty after reset")
			}
		}
	}
}

// sharedQuestion is a request and the body of its answer.
type sharedQuestion struct {
	code, version int32
	topic         []byte
	want          []byte
}

// sharedQuestions fills ts and returns questions with large answers; the first three are
// lookups that can be in a run.
func sharedQuestions(ts *testServer) []sharedQuestion {
	topics := make([]codec.TopicConfig, listTopicsMax+1000)
	for i := range topics {
		name := fmt.Appendf(nil, "a-topic-with-a-name-of-some-length-%0100d", i)
		topics[i] = codec.TopicConfig{Name: name, Key: name, ReadQueueNums: 8, WriteQueueNums: 8, Perm: 6}
	}
	for b := range listGroupsMax + 50 {
		addr := fmt.Sprintf("10.0.0.%d:10911", b)
		few := topics
		if b > 0 {
			few = topics[:2]
		}
		ts.handlers.table.Update(routetable.Rules{}, func(x *routetable.Txn) {
			x.RegisterBroker(&routetable.Registration{Broker: routetable.BrokerKey{Cluster: "c", Addr: addr}, Name: fmt.Sprint("broker-", b),
				Body: &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: 1, Timestamp: 1}, Topics: few}, NowMillis: ts.clock.Millis()})
		})
	}
	snapshot := ts.Snapshot()
	route := func(topic []byte, d codec.Dialect) []byte {
		r, _ := snapshot.Route(topic)
		return r.AppendBody(nil, routetable.RouteOptions{Dialect: d})
	}
	const now, old = codec.Version5_5_0, int32(293)
	return []sharedQuestion{
		{codec.CodeGetRouteInfoByTopic, now, topics[0].Name, route(topics[0].Name, codec.DialectStandard)},
		{codec.CodeGetRouteInfoByTopic, now, topics[1].Name, route(topics[1].Name, codec.DialectStandard)},
		{codec.CodeGetRouteInfoByTopic, now, topics[9].Name, route(topics[9].Name, codec.DialectStandard)},
		{codec.CodeGetRouteInfoByTopic, old, topics[1].Name, route(topics[1].Name, codec.DialectPlain)},
		{codec.CodeGetAllTopicListFromNameserver, now, nil, snapshot.AppendTopicList(nil)},
		{codec.CodeGetBrokerClusterInfo, now, nil, snapshot.AppendClusterInfo(nil)},
	}
}

// Large bodies that are sent from where they lie reach each client whole, also one that reads
// slowly, whoever asks for what in whichever way; and asking does not change them.
func TestSharedBodies(t *testing.T) {
	ts := startNamesrv(t, Options{SocketSendBufferBytes: 64 << 10})
	questions := sharedQuestions(ts)
	if len(questions[0].want) < sharedBytesMin || len(questions[4].want) < listSentBytesMax || len(questions[5].want) < sharedBytesMin {
		t.Fatalf("too small to be shared: %d, %d, %d", len(questions[0].want), len(questions[4].want), len(questions[5].want))
	}
	for client := range 3 {
		t.Run(fmt.Sprint("client ", client), func(t *testing.T) {
			t.Parallel()
			p := ts.dial()
			r := rand.New(rand.NewPCG(uint64(client), 6))
			asked := make([]sharedQuestion, 60)
			var all []byte
			for i := range asked {
				// Lookups come in runs.
				q := questions[r.IntN(3)]
				if r.IntN(4) == 0 {
					q = questions[r.IntN(len(questions))]
				}
				asked[i] = q
				all = append(all, requestFrame(q.code, q.version, int32(i), codec.SerializeJSON, nil, "topic", string(q.topic))...)
			}
			go func() { _, _ = p.Write(all) }()
			seen := map[int32]bool{}
			for range asked {
				if client == 0 {
					time.Sleep(5 * time.Millisecond)
				}
				a := p.answer()
				q := asked[a.Opaque]
				if seen[a.Opaque] || a.Code != codec.Success || !bytes.Equal(a.Body, q.want) {
					t.Fatalf("answer to %d (code %d, asked %v before): %d, %d bytes instead of %d", a.Opaque, q.code, seen[a.Opaque], a.Code, len(a.Body), len(q.want))
				}
				seen[a.Opaque] = true
			}
		})
	}
}

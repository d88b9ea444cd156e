package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/kvconfig"
	"github.com/pharosmq/pharos/routetable"
)

// startNamesrv starts a whole name server on a free port.
func startNamesrv(t *testing.T, o Options) *testServer { return startWatched(t, o, nil) }

// startWatched is startNamesrv with somebody who watches over connections.
func startWatched(t *testing.T, o Options, w Watcher) *testServer {
	t.Helper()
	ts := &testServer{t: t, logs: &lineBuffer{}}
	dir := t.TempDir()
	conf := config.New(config.DefaultSettings(dir), config.DefaultLive())
	kv, err := kvconfig.Load(kvconfig.Options{Path: conf.KVConfigPath})
	if err != nil {
		t.Fatal(err)
	}
	o.BindAddress = "127.0.0.1"
	s, err := New(o, Deps{Log: slog.New(slog.NewTextHandler(ts.logs, nil)), Config: conf, KV: kv, Watcher: w})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ts.Server = s
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%.20000s", ts.logs)
		}
	})
	return ts
}

// requestFrame makes a frame of any kind.
func requestFrame(code, version, opaque int32, st codec.SerializeType, body []byte, ext ...string) []byte {
	h := codec.Header{Code: code, Version: version, Opaque: opaque, Language: codec.LanguageJava}
	for i := 0; i < len(ext); i += 2 {
		h.Ext = append(h.Ext, codec.ExtField{Key: ext[i], Value: ext[i+1]})
	}
	return codec.AppendCommand(nil, st, &h, body)
}

func (p *peer) call(code int32, body []byte, ext ...string) *answer {
	p.t.Helper()
	p.send(requestFrame(code, codec.Version5_5_0, code, codec.SerializeJSON, body, ext...))
	return p.answer()
}

func (p *peer) register(b broker) *answer {
	p.t.Helper()
	body := b.body(codec.Version5_5_0)
	return p.call(codec.CodeRegisterBroker, body, b.ext(body)...)
}

func (ts *testServer) live(b broker) bool {
	_, ok := ts.Snapshot().Live(b.key())
	return ok
}

// What the Java server's own tests of its request processor pin: every code answers, with
// ext fields that have little to do with it, in both header forms, and the opaque comes
// back whatever it is.
func TestEveryCodeAnswers(t *testing.T) {
	ts := startNamesrv(t, Options{EventLoops: 2})
	loose := []string{"brokerName", "broker", "brokerAddr", "10.10.1.1", "clusterName", "cluster", "haServerAddr", "10.10.2.1", "brokerId", "2333", "topic", "unit-test"}
	for _, st := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		p := ts.dial()
		for i, r := range routes {
			opaque := int32(-1000*i - 7)
			p.send(requestFrame(r.code, codec.Version5_5_0, opaque, st, nil, loose...))
			a := p.answer()
			want := map[int32]int32{codec.CodePutKVConfig: codec.SystemError, codec.CodeGetKVConfig: codec.QueryNotFound,
				codec.CodeGetKVListByNamespace: codec.QueryNotFound, codec.CodeGetRouteInfoByTopic: codec.TopicNotExist}[r.code]
			if a.Code != want || a.Opaque != opaque || a.Serialize != codec.SerializeJSON || a.Language != codec.LanguageJava {
				t.Errorf("%s: answer %d %q, opaque %d; want %d, %d", r.name, a.Code, a.Remark, a.Opaque, want, opaque)
			}
			if (r.code == codec.CodeRegisterBroker) != ts.live(broker{cluster: "cluster", addr: "10.10.1.1"}) && r.code <= codec.CodeUnregisterBroker && r.code >= codec.CodeRegisterBroker {
				t.Errorf("%s: the broker is in the table: %v", r.name, r.code != codec.CodeRegisterBroker)
			}
		}
		// A sender of version 0 with a new-style body.
		b := newBroker("old", 2333, "unit-test0", "unit-test1")
		body := b.body(codec.Version5_5_0)
		p.send(requestFrame(codec.CodeRegisterBroker, 0, 1, st, body, b.ext(body)...))
		if a := p.answer(); a.Code != codec.Success || !ts.live(b) {
			t.Errorf("version 0: %d %q, live %v", a.Code, a.Remark, ts.live(b))
		}
		_ = p.Close()
		eventually(t, "the broker goes with its connection", func() bool { return !ts.live(b) })
	}
}

// A broker that reads SUCCESS finds itself, from any connection.
func TestRegisteredIsVisible(t *testing.T) {
	ts := startNamesrv(t, Options{EventLoops: 2})
	p, q := ts.dial(), ts.dial()
	b := newBroker("b1", 0, "T0", "T1")
	for i := range 200 {
		topic := fmt.Sprintf("topic-%d", i)
		b.topics, b.version.Counter = append(b.topics, topic), int64(i)
		if a := p.register(b); a.Code != codec.Success {
			t.Fatalf("registration %d: %d %q", i, a.Code, a.Remark)
		}
		if a := q.call(codec.CodeGetRouteInfoByTopic, nil, "topic", topic); a.Code != codec.Success {
			t.Fatalf("%s: %d %q", topic, a.Code, a.Remark)
		}
	}
}

// Registrations of 12 MB, changed and unchanged, next to lookups on the same loop.
func TestLargeRegistrations(t *testing.T) {
	ts := startNamesrv(t, Options{EventLoops: 1})
	p, q := ts.dial(), ts.dial()
	b := newBroker("b1", 0)
	for i := range 70_000 {
		b.topics = append(b.topics, fmt.Sprintf("a-topic-with-a-rather-long-name-%06d", i))
	}
	if n := len(b.body(codec.Version5_5_0)); n < 12<<20 || n > 16<<20 {
		t.Fatalf("the body has %d bytes", n)
	}
	var stop atomic.Bool
	var lookups sync.WaitGroup
	lookups.Go(func() {
		for !stop.Load() {
			q.send(requestFrame(codec.CodeGetRouteInfoByTopic, codec.Version5_5_0, 1, codec.SerializeJSON, nil, "topic", "none"))
			if frame, err := q.tryFrame(10 * time.Second); err != nil || len(frame) == 0 {
				t.Errorf("lookup: %v", err)
				return
			}
		}
	})
	first := p.register(b)
	first.want(t, codec.Success, "", "")
	for range 3 {
		eventually(t, "the lane is idle", func() bool { return ts.lanes.Depth() == 0 })
		p.register(b).want(t, codec.Success, "", "")
	}
	b.version.Counter++
	p.register(b).want(t, codec.Success, "", "")
	stop.Store(true)
	lookups.Wait()
	st := ts.HandlerStats()
	if st.Registrations[RegistrationUnchanged] != 3 || ts.Snapshot().Stats().Topics != len(b.topics) {
		t.Errorf("registrations %v, topics %d", st.Registrations, ts.Snapshot().Stats().Topics)
	}
	_ = p.Close()
	eventually(t, "all topics go with their broker", func() bool { return ts.Snapshot().Stats().Topics == 0 })
}

// Brokers that drop their connection and come back at once, again and again, with and
// without a farewell: after the last return everybody is there, and after the last close
// nobody.
func TestReconnectStorm(t *testing.T) {
	ts := startNamesrv(t, Options{EventLoops: 2, Lanes: 2})
	const brokers, rounds = 12, 25
	last := make([]*peer, brokers)
	var all sync.WaitGroup
	for i := range brokers {
		all.Go(func() {
			b := newBroker(fmt.Sprintf("b%d", i), 0, "T1", "T2", fmt.Sprintf("own-%d", i))
			b.addr = fmt.Sprintf("10.0.0.%d:10911", i)
			for round := range rounds {
				p := ts.dial()
				if a := p.register(b); a.Code != codec.Success {
					t.Errorf("%s, round %d: %d %q", b.name, round, a.Code, a.Remark)
					return
				}
				if last[i] != nil {
					_ = last[i].Close() // late, behind the new registration
				}
				switch last[i] = p; {
				case round == rounds-1:
				case round%3 == 0:
					_ = p.Close()
				case round%3 == 1:
					p.send(requestFrame(codec.CodeUnregisterBroker, codec.Version5_5_0, 1, codec.SerializeJSON, nil,
						"clusterName", b.cluster, "brokerName", b.name, "brokerAddr", b.addr, "brokerId", "0"))
				}
			}
		})
	}
	all.Wait()
	time.Sleep(100 * time.Millisecond) // for closes that would take somebody with them
	if n := ts.Snapshot().Stats().Brokers; n != brokers {
		t.Errorf("%d brokers are there, want %d", n, brokers)
	}
	a := ts.dial().call(codec.CodeGetRouteInfoByTopic, nil, "topic", "T1")
	if data, err := codec.ParseTopicRouteData(a.Body, nil); err != nil || len(data.BrokerDatas) != brokers {
		t.Errorf("T1 is on %d groups, %v", len(data.BrokerDatas), err)
	}
	for _, p := range last {
		_ = p.Close()
	}
	eventually(t, "nobody is left", func() bool {
		s := ts.Snapshot().Stats()
		return s.Brokers == 0 && s.Topics == 0 && s.Groups == 0 && s.Clusters == 0
	})
}

// The first scan comes after five seconds; a silent broker's connection is closed by us.
func TestExpiryOnSockets(t *testing.T) {
	ts := startNamesrv(t, Options{})
	silent, living := newBroker("silent", 0, "T1", "T2"), newBroker("living", 0, "T1", "T2")
	living.addr = "l:1"
	silent.extra = []string{"heartbeatTimeoutMillis", "1000"}
	living.extra = silent.extra
	p, q := ts.dial(), ts.dial()
	p.register(silent)
	q.register(living)
	var closed atomic.Bool
	var reader sync.WaitGroup
	reader.Go(func() {
		p.closedWithin(20 * time.Second)
		closed.Store(true)
	})
	for !closed.Load() {
		q.call(codec.CodeBrokerHeartbeat, nil, "clusterName", living.cluster, "brokerAddr", living.addr)
		time.Sleep(100 * time.Millisecond)
	}
	reader.Wait()
	if ts.live(silent) || !ts.live(living) {
		t.Errorf("silent %v, living %v", ts.live(silent), ts.live(living))
	}
	if n := ts.HandlerStats().Removals[routetable.RemoveExpired]; n != 1 {
		t.Errorf("%d expired", n)
	}
}

// Stop, as SIGTERM asks for it, while brokers register large and changing tables: it is
// done soon, what was answered 0 was in the table, and nobody was unregistered.
func TestStopWhileRegistering(t *testing.T) {
	ts := startNamesrv(t, Options{EventLoops: 2})
	const brokers = 4
	var all sync.WaitGroup
	registered := make([]atomic.Bool, brokers)
	for i := range brokers {
		b := newBroker(fmt.Sprintf("b%d", i), 0)
		b.addr = fmt.Sprintf("10.0.0.%d:10911", i)
		for k := range 5000 {
			b.topics = append(b.topics, fmt.Sprintf("topic-%d-%d", i, k))
		}
		p := ts.dial()
		all.Go(func() {
			for {
				b.version.Counter++
				body := b.body(codec.Version5_5_0)
				if _, err := p.Write(requestFrame(codec.CodeRegisterBroker, codec.Version5_5_0, 1, codec.SerializeJSON, body, b.ext(body)...)); err != nil {
					return
				}
				frame, err := p.tryFrame(10 * time.Second)
				if err != nil {
					return
				}
				if decode(t, frame).Code == codec.Success {
					registered[i].Store(true)
				}
			}
		})
	}
	eventually(t, "all have registered", func() bool {
		for i := range registered {
			if !registered[i].Load() {
				return false
			}
		}
		return true
	})
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := ts.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Stop took %v", took)
	}
	all.Wait()
	if n := ts.Snapshot().Stats().Brokers; n != brokers {
		t.Errorf("%d brokers in the table after the stop, want %d: a close of ours unregisters nobody", n, brokers)
	}
	if strings.Contains(ts.logs.String(), "panicked") {
		t.Error("something panicked")
	}
}

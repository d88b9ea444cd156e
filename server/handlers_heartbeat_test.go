package server

import (
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

func TestQueryDataVersion(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	stored := string(codec.AppendDataVersion(nil, b.version))
	f := func(body, changed, want string) {
		t.Helper()
		a := c.call(codec.CodeQueryDataVersion, []byte(body), "clusterName", b.cluster, "brokerAddr", b.addr, "brokerName", "any", "brokerId", "9")
		a.want(t, codec.Success, "", want)
		a.wantExt(t, map[string]string{"changed": changed})
	}
	f(stored, "true", "") // unknown broker
	c.mustRegister(b)
	f(stored, "false", stored)
	f(`{"counter":2,"stateVersion":0,"timestamp":1700000000000}`, "true", stored)
	f(`{"counter":1,"stateVersion":1,"timestamp":1700000000000}`, "true", stored)
	f(`{"counter":1,"timestamp":1700000000001}`, "true", stored)
	f(`{"counter":1}`, "true", stored) // Java stamps it "now"
	f("", "true", stored)
	f("null", "true", stored)

	a := c.call(codec.CodeQueryDataVersion, []byte("nonsense"), "clusterName", b.cluster, "brokerAddr", b.addr)
	if a.Code != codec.SystemError {
		t.Errorf("nonsense: %d %q", a.Code, a.Remark)
	}
	c.call(codec.CodeQueryDataVersion, []byte(stored), "clusterName", b.cluster).want(t, codec.SystemError, remarkNoBroker, "")
	c.call(codec.CodeQueryDataVersion, []byte(stored), "brokerAddr", b.addr).want(t, codec.SystemError, remarkNoBroker, "")
}

func TestBrokerHeartbeat(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	ext := []string{"clusterName", b.cluster, "brokerAddr", b.addr, "brokerName", b.name}
	c.call(codec.CodeBrokerHeartbeat, nil, ext...).want(t, codec.Success, "", "") // unknown
	if n := r.HandlerStats().HeartbeatsUnknown; n != 1 {
		t.Errorf("%d heartbeats of unknown brokers, want 1", n)
	}
	c.mustRegister(b)
	for _, code := range []int32{codec.CodeBrokerHeartbeat, codec.CodeQueryDataVersion} {
		before, _ := r.handlers.table.Snapshot().Live(b.key())
		r.advance(2000)
		if a := c.call(code, nil, ext...); a.Code != codec.Success {
			t.Errorf("%d: %d %q", code, a.Code, a.Remark)
		}
		after, _ := r.handlers.table.Snapshot().Live(b.key())
		if after.LastSeenMillis < before.LastSeenMillis+2000 {
			t.Errorf("%d: last seen %d, then %d", code, before.LastSeenMillis, after.LastSeenMillis)
		}
	}
	c.call(codec.CodeBrokerHeartbeat, nil, "clusterName", b.cluster).want(t, codec.SystemError, remarkNoBroker, "")
	c.call(codec.CodeBrokerHeartbeat, nil).want(t, codec.SystemError, remarkNoBroker, "")
}

// advance moves the server's clock on, without a stall.
func (r *rig) advance(millis int64) {
	r.pause(millis)
	s := *r.clock.state.Load()
	s.lastMillis += millis
	r.clock.state.Store(&s)
	r.loop.readClocks()
	r.loop.stats.Callbacks = callbackSampleEvery - 1 // the next callback reads the clock
}

// pause lets time go by outside: nothing observes the clock meanwhile.
func (r *rig) pause(millis int64) {
	r.settle() // nobody reads the clock
	r.clock.base = r.clock.base.Add(-millisToDuration(millis))
}

// A oneway request is handled and not answered, not even with an error.
func TestOneway(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	oneway := func(code int32, body []byte, ext ...string) []byte {
		h := codec.Header{Code: code, Version: c.version, Opaque: 1, Flag: codec.FlagOneway, Language: codec.LanguageJava}
		for i := 0; i < len(ext); i += 2 {
			h.Ext = append(h.Ext, codec.ExtField{Key: ext[i], Value: ext[i+1]})
		}
		return codec.AppendCommand(nil, codec.SerializeJSON, &h, body)
	}
	body := b.body(c.version)
	c.push(oneway(codec.CodeRegisterBroker, body, b.ext(body)...))
	r.settle()
	if !r.live(b) {
		t.Fatal("a oneway registration was not handled")
	}
	c.push(oneway(codec.CodeRegisterBroker, body, b.ext(body)...))
	c.push(oneway(codec.CodeRegisterBroker, nil))
	c.push(oneway(codec.CodeBrokerHeartbeat, nil))
	c.push(oneway(codec.CodeQueryDataVersion, nil, "clusterName", b.cluster, "brokerAddr", b.addr))
	c.push(oneway(codec.CodeGetRouteInfoByTopic, nil, "topic", "T1"))
	c.push(oneway(codec.CodePutKVConfig, nil, "namespace", "n", "key", "k", "value", "v"))
	c.push(oneway(12345, nil))
	c.push(oneway(codec.CodeUnregisterBroker, nil, "clusterName", b.cluster, "brokerAddr", b.addr, "brokerName", b.name, "brokerId", "0"))
	r.settle()
	if len(c.out) > 0 {
		t.Errorf("answered: %q", c.out)
	}
	if r.live(b) {
		t.Error("a oneway 104 was not handled")
	}
	if v, ok := r.handlers.kv.Get("n", "k"); !ok || v != "v" {
		t.Error("a oneway 100 was not handled")
	}
}

// A heartbeat on another connection takes the registration over if the one it was made on
// has closed, in whatever way; else nothing changes.
func TestHeartbeatRebinds(t *testing.T) {
	r := newRig(t, nil)
	b := newBroker("b1", 0, "T1", "T2")
	heartbeat := []string{"clusterName", b.cluster, "brokerAddr", b.addr}
	first, second := r.dial(), r.dial()
	first.mustRegister(b)
	second.call(codec.CodeBrokerHeartbeat, nil, heartbeat...)
	second.hangUp()
	r.settle()
	if !r.live(b) {
		t.Fatal("a heartbeat on a second connection took the broker from its living first")
	}
	first.close(CloseOutboundMemory) // a close of ours
	r.settle()
	if !r.live(b) {
		t.Fatal("a close of ours removed the broker")
	}
	third := r.dial()
	third.call(codec.CodeQueryDataVersion, nil, heartbeat...)
	if info, _ := r.handlers.table.Snapshot().Live(b.key()); info.Conn != third.conn.id {
		t.Fatalf("bound to connection %d, want %d", info.Conn, third.conn.id)
	}
	if n := r.HandlerStats().Rebound; n != 1 {
		t.Errorf("%d rebound, want 1", n)
	}
	third.hangUp()
	r.settle()
	if r.live(b) {
		t.Error("the close of the connection that took over did not remove the broker")
	}
}

// A broker that reconnects and sends its heartbeat before the close of its old connection
// was handled in the lane stays.
func TestHeartbeatOvertakesClose(t *testing.T) {
	r := newRig(t, nil)
	b := newBroker("b1", 0, "T1", "T2")
	old, next := r.dial(), r.dial()
	old.mustRegister(b)
	release := make(chan struct{})
	r.lanes.SubmitAlways(BrokerLane(b.key()), 0, func() { <-release })
	old.hangUp()
	next.call(codec.CodeBrokerHeartbeat, nil, "clusterName", b.cluster, "brokerAddr", b.addr)
	close(release)
	r.settle()
	if !r.live(b) {
		t.Error("the old connection's close removed a broker that lives on a new one")
	}
}

// A heartbeat of a hidden broker shows it again; 322 tells it to register.
func TestHeartbeatRestores(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	for _, code := range []int32{codec.CodeBrokerHeartbeat, codec.CodeQueryDataVersion} {
		r.park(t, b)
		if _, ok := r.route("T1"); ok {
			t.Fatal("a parked broker is shown")
		}
		a := c.call(code, codec.AppendDataVersion(nil, b.version), "clusterName", b.cluster, "brokerAddr", b.addr)
		if code == codec.CodeQueryDataVersion {
			a.wantExt(t, map[string]string{"changed": "true"})
		}
		r.settle()
		if _, ok := r.route("T1"); !ok {
			t.Errorf("%d did not show the parked broker again", code)
		}
		if info, _ := r.handlers.table.Snapshot().Live(b.key()); info.State != routetable.StateLive {
			t.Errorf("%d: state %d", code, info.State)
		}
	}
}

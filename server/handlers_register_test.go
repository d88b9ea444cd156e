package server

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

func TestRegisterBroker(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	master := newBroker("b1", 0, "T1", "T2")
	a := c.register(master)
	a.want(t, codec.Success, "", "")
	a.wantExt(t, map[string]string{})

	slave := newBroker("b1", 1, "T1", "T2")
	a = r.dial().register(slave)
	a.want(t, codec.Success, "", "")
	a.wantExt(t, map[string]string{"masterAddr": master.addr, "haServerAddr": master.haAddr()})

	route, ok := r.route("T1")
	if !ok || len(route.BrokerDatas) != 1 || len(route.BrokerDatas[0].BrokerAddrs) != 2 {
		t.Fatalf("route of T1: %+v", route)
	}
	if q := route.QueueDatas; len(q) != 1 || q[0].Perm != 6 || q[0].ReadQueueNums != 4 {
		t.Errorf("queues of T1: %+v", q)
	}
	if !r.logged("broker registered") {
		t.Error("no line about new brokers")
	}
}

func (r *rig) logged(line string) bool { return strings.Contains(r.logs.String(), line) }

// The body of the answer is the namespace ORDER_TOPIC_CONFIG, if it exists: none, an empty
// table and a table are three answers. The short cut for unchanged registrations gives the
// present one, too.
func TestRegisterBrokerOrderTopicConfig(t *testing.T) {
	r := newRig(t, nil)
	c, admin := r.dial(), r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	f := func(want string) {
		t.Helper()
		c.register(b).want(t, codec.Success, "", want)
	}
	f("")
	admin.call(codec.CodePutKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T1", "value", "b1:4")
	f(`{"table":{"T1":"b1:4"}}`)
	admin.call(codec.CodePutKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T2", "value", "b1:8")
	f(`{"table":{"T1":"b1:4","T2":"b1:8"}}`)
	admin.call(codec.CodeDeleteKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T1")
	admin.call(codec.CodeDeleteKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T2")
	f(`{"table":{}}`)
	r.setting("returnOrderTopicConfigToBroker=false")
	f("")
	if n := r.registrations(RegistrationUnchanged); n != 4 {
		t.Errorf("%d registrations took the short cut, want 4", n)
	}
}

func TestRegisterBrokerMissingFields(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	body := b.body(c.version)
	all := b.ext(body)
	for _, field := range []string{"clusterName", "brokerName", "brokerAddr", "brokerId"} {
		var ext []string
		for i := 0; i < len(all); i += 2 {
			if all[i] != field {
				ext = append(ext, all[i], all[i+1])
			}
		}
		a := c.call(codec.CodeRegisterBroker, body, ext...)
		a.want(t, codec.SystemError, "register broker failed: the header has no "+field, "")
	}
	c.call(codec.CodeRegisterBroker, body, "clusterName", "c", "brokerName", "b", "brokerAddr", "a", "brokerId", "zero").
		want(t, codec.SystemError, "register broker failed: the header has no brokerId that is a number", "")
	c.call(codec.CodeRegisterBroker, nil).want(t, codec.SystemError, "register broker failed: the header has no clusterName", "")
	if s := r.handlers.table.Snapshot().Stats(); s.Groups != 0 || s.Clusters != 0 || s.Topics != 0 {
		t.Errorf("something of them is in the table: %+v", s)
	}
	// Empty is not missing.
	c.call(codec.CodeRegisterBroker, nil, "clusterName", "", "brokerName", "", "brokerAddr", "", "brokerId", "0").
		want(t, codec.Success, "", "")
}

func TestRegisterBrokerChecksum(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	f := func(body []byte, crc string, ok bool) {
		t.Helper()
		ext := b.ext(body)
		for i := 0; i < len(ext); i += 2 {
			if ext[i] == "bodyCrc32" {
				ext[i+1] = crc
			}
		}
		a := c.call(codec.CodeRegisterBroker, body, ext...)
		if ok {
			a.want(t, codec.Success, "", "")
			return
		}
		a.want(t, codec.SystemError, "crc32 not match", "")
		a.wantExt(t, map[string]string{})
	}
	body := b.body(c.version)
	right, _ := strconv.Atoi(b.ext(body)[11])
	f(body, strconv.Itoa(right), true)
	f(body, strconv.Itoa(right+1), false)
	f(body, "-"+strconv.Itoa(right), false)
	f(body, "0", true)                                 // not checked
	f(body, "", true)                                  // no number
	f(nil, "0", true)                                  // no body counts as 0,
	f(nil, "17", false)                                // which can be asked for in vain
	f(body, "17", false)                               // again: a refusal must not be remembered as unchanged
	f(bytes.Repeat([]byte(" "), 100_000), "17", false) // a large frame
}

func TestRegisterBrokerBadBody(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(version int32, body, want string, ext ...string) {
		t.Helper()
		c.version = version
		ext = append(ext, "clusterName", "c", "brokerName", "b", "brokerAddr", "a:1", "brokerId", "0")
		a := c.call(codec.CodeRegisterBroker, []byte(body), ext...)
		if a.Code != codec.SystemError || !strings.Contains(string(a.Remark), want) {
			t.Errorf("%.60s: answer %d %q, want 1 and %q", body, a.Code, a.Remark, want)
		}
		if s := r.handlers.table.Snapshot().Stats(); s.Groups != 0 || s.Clusters != 0 {
			t.Errorf("%.60s: left something in the table: %+v", body, s)
		}
	}
	f(codec.Version5_5_0, "nonsense", "Failed to decode RegisterBrokerBody")
	f(codec.Version5_5_0, "\x78\xda nonsense", "Failed to decode RegisterBrokerBody", "compressed", "true")
	f(-1, "{}", "Failed to decode RegisterBrokerBody")
	f(codec.Version5_5_0, `{"topicConfigSerializeWrapper":null}`, "topicConfigTable is null")
	f(codec.Version5_5_0, `{"topicConfigSerializeWrapper":{"topicConfigTable":null}}`, "topicConfigTable is null")
	f(codec.Version5_5_0, `{"topicConfigSerializeWrapper":{"topicConfigTable":{"A":{"perm":6},"B":{"topicName":"B"}}}}`, "the config of topic A has no topicName")
	if n := r.registrations(RegistrationInvalid); n != 6 {
		t.Errorf("%d counted, want 6", n)
	}
}

func TestRegisterBrokerRefusedAndIgnored(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	// A single topic before the first full registration.
	for range 3 { // never remembered
		a := c.register(newBroker("b1", 0, "T1"))
		a.want(t, codec.SystemError, "register broker failed", "")
		a.wantExt(t, map[string]string{})
	}
	// Another address with an older state version: ignored, answered 0.
	b := newBroker("b1", 0, "T1", "T2")
	b.version.StateVersion = 5
	c.mustRegister(b)
	rival := b
	rival.addr, rival.version.StateVersion = "10.0.0.9:10911", 4
	for range 3 {
		a := r.dial().register(rival)
		a.want(t, codec.Success, "", "")
		a.wantExt(t, map[string]string{})
	}
	if route, _ := r.route("T1"); route.BrokerDatas[0].BrokerAddrs[0] != b.addr {
		t.Errorf("route: %+v", route)
	}
	if r.registrations(RegistrationRefused) != 3 || r.registrations(RegistrationIgnored) != 3 || r.registrations(RegistrationUnchanged) != 0 {
		t.Errorf("counted: %+v", r.HandlerStats())
	}
}

// The short cut is taken for what the broker said last, gives the answer that a parse
// gives, and renews what a parse renews.
func TestRegisterBrokerUnchanged(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	master, slave := newBroker("b1", 0, "T1", "T2"), newBroker("b1", 1, "T1", "T2")
	c.mustRegister(master)
	cs := r.dial()
	first := cs.mustRegister(slave)
	before := r.handlers.table.Snapshot().Stats().Publication
	for i := range uint64(3) {
		again := cs.register(slave)
		again.want(t, first.Code, string(first.Remark), string(first.Body))
		again.wantExt(t, map[string]string{"masterAddr": master.addr, "haServerAddr": master.haAddr()})
		if n := r.registrations(RegistrationUnchanged); n != i+1 {
			t.Fatalf("%d took the short cut, want %d", n, i+1)
		}
	}
	if after := r.handlers.table.Snapshot().Stats().Publication; after != before {
		t.Errorf("unchanged registrations published something")
	}
	// A changed body, header or group is no short cut.
	slave.version.Counter++
	cs.mustRegister(slave)
	slave.extra = []string{"heartbeatTimeoutMillis", "10000"}
	cs.mustRegister(slave)
	if n := r.registrations(RegistrationUnchanged); n != 3 {
		t.Errorf("%d took the short cut, want 3", n)
	}
	// The binding follows: the new connection's close counts, the old one's no longer.
	next := r.dial()
	next.mustRegister(slave)
	if n := r.registrations(RegistrationUnchanged); n != 4 {
		t.Errorf("%d took the short cut, want 4", n)
	}
	cs.hangUp()
	r.settle()
	if !r.live(slave) {
		t.Fatal("the close of the old connection removed the broker")
	}
	next.hangUp()
	r.settle()
	if r.live(slave) {
		t.Error("the close of the new connection did not remove the broker")
	}
}

// A broker in many frames at once: small and large ones, changed and unchanged.
func TestRegisterBrokerLargeFrames(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0)
	for i := range 2000 {
		b.topics = append(b.topics, "a-topic-with-a-longish-name-"+strconv.Itoa(i))
	}
	if n := len(b.body(c.version)); n < 2*largeFrameBytes {
		t.Fatalf("a body of %d bytes is not large", n)
	}
	c.mustRegister(b)
	if n := r.handlers.table.Snapshot().Stats().Topics; n != 2000 {
		t.Fatalf("%d topics, want 2000", n)
	}
	c.mustRegister(b)
	c.mustRegister(b)
	if n := r.registrations(RegistrationUnchanged); n != 2 {
		t.Errorf("%d took the short cut, want 2", n)
	}
	body := b.body(c.version)
	ext := b.ext(body)
	body[len(body)/2] ^= 1 // damaged on the way
	c.call(codec.CodeRegisterBroker, body, ext...).want(t, codec.SystemError, "crc32 not match", "")
	b.topics = b.topics[:1990]
	b.version.Counter++
	c.mustRegister(b)
	if n := r.handlers.table.Snapshot().Stats().Topics; n != 2000 {
		t.Errorf("%d topics, want 2000: topics linger as in Java", n)
	}
}

func TestRegisterBrokerOldVersions(t *testing.T) {
	r := newRig(t, nil)
	f := func(version int32, body, topic string, want bool, ext ...string) {
		t.Helper()
		c := r.dial()
		c.version = version
		addr := "a:" + strconv.Itoa(int(c.conn.id))
		ext = append(ext, "clusterName", "c", "brokerName", "b"+addr, "brokerAddr", addr, "brokerId", "0")
		c.call(codec.CodeRegisterBroker, []byte(body), ext...).want(t, codec.Success, "", "")
		if _, ok := r.route(topic); ok != want {
			t.Errorf("version %d: route of %s: %v", version, topic, ok)
		}
	}
	const table = `"topicConfigTable":{"%":{"topicName":"%","perm":6},"%2":{"topicName":"%2","perm":6}}`
	wrapper := func(topic string) string {
		return `{"dataVersion":{"counter":1,"timestamp":2},` + strings.ReplaceAll(table, "%", topic) + `}`
	}
	f(0, wrapper("Old"), "Old", true)
	f(0, `{"topicConfigSerializeWrapper":`+wrapper("New1")+`}`, "New1", false) // decodes to zero topics, accepted
	f(codec.Version3_0_11, `{"topicConfigSerializeWrapper":`+wrapper("New2")+`}`, "New2", true)
	f(codec.Version4_9_4, `{"topicConfigSerializeWrapper":`+wrapper("New3")+`}`, "New3", true)
	f(codec.Version5_5_0, ``, "none", false)
}

// A connection that closed while its registration waited in the lane gets nothing into
// the table: nobody would take it out again.
func TestRegisterBrokerAfterClose(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	release := make(chan struct{})
	r.lanes.SubmitAlways(BrokerLane(b.key()), 0, func() { <-release })
	body := b.body(c.version)
	c.push(c.frame(codec.CodeRegisterBroker, body, b.ext(body)...))
	c.hangUp()
	close(release)
	r.settle()
	if r.live(b) || r.handlers.table.Snapshot().Stats().Groups != 0 {
		t.Error("a broker without a connection is in the table")
	}
	if n := r.registrations(RegistrationTooLate); n != 1 {
		t.Errorf("%d counted as too late, want 1", n)
	}
}

// The close comes between the look at the connection and the remembering of the binding.
func TestRegisterBrokerClosedMeanwhile(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.conn.bindings.close(ClosePeer) // what a close does first
	body := b.body(c.version)
	c.call(codec.CodeRegisterBroker, body, b.ext(body)...).
		want(t, codec.SystemError, "register broker failed: the connection is closed", "")
	if r.live(b) {
		t.Error("the broker stayed in the table")
	}
}

// A registration that waits for its lane is not overtaken by an unchanged one.
func TestRegisterBrokerOrder(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	release := make(chan struct{})
	r.lanes.SubmitAlways(BrokerLane(b.key()), 0, func() { <-release })
	changed := b
	changed.version.Counter, changed.perm = 2, 4
	for _, one := range []broker{changed, b} {
		body := one.body(c.version)
		c.push(c.frame(codec.CodeRegisterBroker, body, one.ext(body)...))
	}
	close(release)
	c.answer().want(t, codec.Success, "", "")
	c.answer().want(t, codec.Success, "", "")
	if route, _ := r.route("T1"); route.QueueDatas[0].Perm != 6 {
		t.Errorf("perm %d: the later registration was answered before the earlier", route.QueueDatas[0].Perm)
	}
	if n := r.registrations(RegistrationUnchanged); n != 0 {
		t.Errorf("%d took the short cut past a waiting job", n)
	}
}

// Without room in the lanes a registration waits for some seconds; then it is answered
// SYSTEM_BUSY, and its broker lives.
func TestRegisterBrokerBusy(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	info, _ := r.handlers.table.Snapshot().Live(b.key())
	r.lanes.brokers.force(int(r.o.LaneBytesMax))
	r.loop.nowMillis += 1000
	b.version.Counter++
	body := b.body(c.version)
	rq := c.frame(codec.CodeRegisterBroker, body, b.ext(body)...)
	cmd := &codec.Command{}
	if err := cmd.Decode(rq, &r.o.Limits); err != nil {
		t.Fatal(err)
	}
	request := &Request{Cmd: cmd, Conn: c.conn, NowMillis: info.LastSeenMillis + 1000, conn: c.conn, srv: r.Server, frame: rq}
	request.prepare(nil)
	r.dispatch(request)
	if !request.postponed || request.Answered() || c.conn.stops != stopRoom {
		t.Fatalf("postponed %v, answered %v, stops %d", request.postponed, request.Answered(), c.conn.stops)
	}
	c.conn.roomMillis = r.loop.localMillis - roomPatienceMillis
	if !r.loop.unblock(c.conn) {
		t.Fatal("it waits for ever")
	}
	request.postponed = false
	r.dispatch(request)
	a := decode(t, request.dst)
	a.want(t, codec.SystemBusy, "[OVERLOAD]system busy, start flow control for a while", "")
	after, _ := r.handlers.table.Snapshot().Live(b.key())
	if after.LastSeenMillis != info.LastSeenMillis+1000 {
		t.Errorf("last seen %d, was %d: a broker that was turned away is alive", after.LastSeenMillis, info.LastSeenMillis)
	}
	if n := r.registrations(RegistrationBusy); n != 1 {
		t.Errorf("%d counted, want 1", n)
	}
	r.lanes.brokers.force(-int(r.o.LaneBytesMax))
}

func TestUnregisterBroker(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b, other := newBroker("b1", 0, "T1", "T2"), newBroker("b2", 0, "T1", "T2")
	other.addr = "10.0.0.2:10911"
	c.mustRegister(b)
	c.mustRegister(other)
	// Missing fields: 0, and nothing happens to anybody.
	c.call(codec.CodeUnregisterBroker, nil).want(t, codec.Success, "", "")
	c.call(codec.CodeUnregisterBroker, nil, "clusterName", b.cluster, "brokerAddr", b.addr, "brokerId", "0").want(t, codec.Success, "", "")
	c.call(codec.CodeUnregisterBroker, nil, "clusterName", b.cluster, "brokerAddr", b.addr, "brokerName", "b1").want(t, codec.Success, "", "")
	if !r.live(b) || !r.live(other) {
		t.Fatal("a 104 with missing fields removed somebody")
	}
	wrongID := b
	wrongID.id = 7 // not compared
	a := c.unregister(wrongID)
	a.want(t, codec.Success, "", "")
	a.wantExt(t, nil)
	if r.live(b) || !r.live(other) {
		t.Fatal("the 104 removed the wrong one, or nobody")
	}
	c.unregister(b).want(t, codec.Success, "", "") // unknown
	if route, _ := r.route("T1"); len(route.BrokerDatas) != 1 || route.BrokerDatas[0].BrokerName != "b2" {
		t.Errorf("route: %+v", route)
	}
	c.hangUp() // the connection still knows b2
	r.settle()
	if r.live(other) {
		t.Error("b2 outlived its connection")
	}
}

// A 104 counts from any connection except one that is older than the present binding.
func TestUnregisterBrokerFence(t *testing.T) {
	r := newRig(t, nil)
	old, c, later := r.dial(), r.dial(), r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	old.unregister(b).want(t, codec.Success, "", "")
	if !r.live(b) {
		t.Fatal("a 104 from before the broker's connection removed it")
	}
	later.unregister(b).want(t, codec.Success, "", "")
	if r.live(b) {
		t.Fatal("a 104 from a later connection did not count")
	}
}

// 104 and 103 of a broker keep their order, and a 104 is never refused.
func TestUnregisterBrokerOrder(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	body := b.body(c.version)
	c.push(c.frame(codec.CodeUnregisterBroker, nil, "clusterName", b.cluster, "brokerName", b.name, "brokerAddr", b.addr, "brokerId", "0"))
	c.push(c.frame(codec.CodeRegisterBroker, body, b.ext(body)...))
	c.answer().want(t, codec.Success, "", "")
	c.answer().want(t, codec.Success, "", "")
	if !r.live(b) {
		t.Fatal("104 then 103: the broker is gone")
	}
	r.lanes.brokers.force(int(r.o.LaneBytesMax))
	c.unregister(b).want(t, codec.Success, "", "")
	r.lanes.brokers.force(-int(r.o.LaneBytesMax))
	if r.live(b) {
		t.Error("a 104 was refused for want of room")
	}
}

// Registrations that say what a parked broker said are no short cut: they show it again.
func TestRegisterBrokerParked(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0, "T1", "T2")
	c.mustRegister(b)
	r.park(t, b)
	if _, ok := r.route("T1"); ok {
		t.Fatal("a parked broker is shown")
	}
	c.mustRegister(b)
	if _, ok := r.route("T1"); !ok {
		t.Error("a registration did not show the parked broker again")
	}
	if n := r.registrations(RegistrationUnchanged); n != 0 {
		t.Errorf("%d took the short cut", n)
	}
}

func (r *rig) park(t *testing.T, b broker) {
	t.Helper()
	parked := false
	r.handlers.table.Update(routetable.Rules{}, func(x *routetable.Txn) { parked = x.Park(b.key(), 0) })
	if !parked {
		t.Fatal("not parked")
	}
}

// A body without a timestamp is stamped "now" by Java, and thus changed each time: it is
// never taken for unchanged.
func TestRegisterBrokerStamped(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	body := []byte(`{"topicConfigSerializeWrapper":{"dataVersion":{"counter":1},"topicConfigTable":{"A":{"topicName":"A"},"B":{"topicName":"B"}}}}`)
	for range 3 {
		c.call(codec.CodeRegisterBroker, body, "clusterName", "c", "brokerName", "b", "brokerAddr", "a:1", "brokerId", "0").
			want(t, codec.Success, "", "")
		r.settle()
	}
	if n := r.registrations(RegistrationUnchanged); n != 0 {
		t.Errorf("%d took the short cut", n)
	}
}

// What did not register leaves no trace on its connection.
func TestRegisterBrokerForgotten(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	for i := range 50 {
		b := newBroker("b"+strconv.Itoa(i), 0, "T1") // a single topic first: refused
		b.addr = "a:" + strconv.Itoa(i)
		c.register(b)
		c.call(codec.CodeRegisterBroker, []byte("nonsense"), "clusterName", "c", "brokerName", "b", "brokerAddr", b.addr, "brokerId", "0")
	}
	r.settle()
	if keys := c.conn.Bindings().Keys(); len(keys) != 0 {
		t.Errorf("the connection remembers %d brokers", len(keys))
	}
	// Another id of the same broker takes the place of the first.
	b := newBroker("b", 1, "T1", "T2")
	c.mustRegister(b)
	b.id = 0
	c.mustRegister(b)
	if bound := c.conn.Bindings().Of(b.key()); len(bound) != 1 || bound[0].ID != 0 {
		t.Errorf("bound: %+v", bound)
	}
	c.conn.Bindings().Forget(b.key()) // registered: not forgotten
	c.hangUp()
	r.settle()
	if r.live(b) {
		t.Error("the broker outlived its connection")
	}
}

// Requests that cost more than a lookup end the callback sooner, and all are answered.
func TestHeavyRequestsAreBounded(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 0)
	for i := range 300 {
		b.topics = append(b.topics, "a-topic-with-a-longish-name-"+strconv.Itoa(i))
	}
	b.extra = []string{extZoneName, "z"}
	c.mustRegister(b)
	body := b.body(c.version)
	for code, frame := range map[int32][]byte{
		codec.CodeRegisterBroker:         c.frame(codec.CodeRegisterBroker, body, b.ext(body)...),
		codec.CodeGetHasUnitSubTopicList: c.frame(codec.CodeGetHasUnitSubTopicList, nil),
		codec.CodeGetRouteInfoByTopic:    c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", b.topics[0], extZoneMode, "true", extZoneName, "none"),
		codec.CodeQueryDataVersion:       c.frame(codec.CodeQueryDataVersion, bytes.Repeat([]byte(" "), 10_000), "clusterName", b.cluster, "brokerAddr", b.addr),
	} {
		const requests = 600
		frames := min(requests, peekBytes/len(frame)*40)
		before := r.loop.stats.BoundedCallbacks
		c.in = bytes.Repeat(frame, frames)
		for len(c.in) > 0 {
			r.loop.traffic(c.conn)
		}
		bounded := int(r.loop.stats.BoundedCallbacks - before)
		light := frames / r.o.batchFrames
		if bounded < 2*light+2 {
			t.Errorf("%d: %d requests in %d callbacks", code, frames, bounded+1)
		}
		for range frames {
			if a := c.answer(); a.Code > 1 {
				t.Fatalf("%d: answer %d %q", code, a.Code, a.Remark)
			}
		}
	}
}

// A broker that registers under another id, with a single topic, loses the old id and does
// not get the new one (as in Java): both are told apart in counters and log.
func TestRegisterBrokerRoleSwitchRefused(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("b1", 1, "T1", "T2")
	c.mustRegister(b)
	b.id, b.topics = 0, []string{"T1"}
	c.register(b).want(t, codec.SystemError, "register broker failed", "")
	st := r.HandlerStats()
	if st.Registrations[RegistrationRefused] != 1 || st.Removals[routetable.RemoveRoleSwitched] != 1 {
		t.Errorf("counted: %+v", st)
	}
	if !r.logged("broker removed: it registered under another id of its group") {
		t.Errorf("not logged:\n%s", r.logs)
	}
	b.topics = []string{"T1", "T2"}
	c.mustRegister(b)
}

package bench

import (
	"math"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// A template's frames are what codec would have built.
func TestTemplatesAreRealFrames(t *testing.T) {
	w := &World{Topics: 2_000_000, Brokers: 1}
	limits := codec.DefaultLimits()
	var cmd codec.Command
	for _, st := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		templates := w.templates(codec.Version4_9_4, st)
		f := func(kind opKind, topic uint32, code int32, wantTopic string) {
			t.Helper()
			frame := templates[kind].append([]byte("before"), opaqueMax-1, topic)
			if err := cmd.Decode(frame[len("before"):], &limits); err != nil {
				t.Fatal(err)
			}
			name, _ := cmd.Ext("topic")
			if cmd.Code != code || cmd.Opaque != opaqueMax-1 || string(name) != wantTopic || cmd.Version != codec.Version4_9_4 || cmd.Serialize != st {
				t.Errorf("%+v with topic %q", cmd, name)
			}
		}
		f(opRoute, 0, codec.CodeGetRouteInfoByTopic, w.TopicName(0))
		f(opRoute, 1_234_567, codec.CodeGetRouteInfoByTopic, "bench-topic-1234567")
		f(opUnknown, 45, codec.CodeGetRouteInfoByTopic, "bench-nobo--0000045")
		f(opCluster, 0, codec.CodeGetBrokerClusterInfo, "")
		f(opTopicList, 0, codec.CodeGetAllTopicListFromNameserver, "")
	}
}

func TestReplyReader(t *testing.T) {
	var r replyReader
	f := func(header string, st codec.SerializeType, opaque, code int32) {
		t.Helper()
		for range 2 { // with a fresh guess and with the last one
			gotOpaque, gotCode, err := r.read([]byte(header), st)
			if err != nil || gotOpaque != opaque || gotCode != code {
				t.Errorf("%s: opaque %d, code %d, %v", header, gotOpaque, gotCode, err)
			}
		}
	}
	f(`{"code":0,"flag":1,"language":"JAVA","opaque":1234567,"version":513}`, codec.SerializeJSON, 1234567, 0)
	f(`{"code":17,"flag":1,"language":"JAVA","opaque":7,"version":513}`, codec.SerializeJSON, 7, 17)
	f(`{"opaque":-5,"remark":"\"opaque\":6","code":2}`, codec.SerializeJSON, -5, 2)
	h := codec.Header{Code: 17, Opaque: 1_000_001, Flag: 1, Remark: "no", HasRemark: true}
	frame := codec.AppendCommand(nil, codec.SerializeRocketMQ, &h, nil)
	f(string(frame[8:]), codec.SerializeRocketMQ, 1_000_001, 17)
	for _, broken := range []string{``, `{}`, `{"code":0}`, `{"opaque":1}`} {
		if _, _, err := r.read([]byte(broken), codec.SerializeJSON); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}

// Ids of a slot never collide with another's, wrap, and keep seven digits.
func TestOpaquesNameTheirSlot(t *testing.T) {
	for _, depth := range []int{1, 3, 1000} {
		c := &conn{group: &group{}, slots: make([]slot, depth)}
		c.reset()
		last := uint16(depth - 1)
		c.slots[last].opaque = int32(opaqueMin + int(last) + (opaqueMax-opaqueMin-int(last))/depth*depth - depth)
		for range 4 {
			opaque := c.nextOpaque(last)
			c.slots[last].busy = true
			if opaque < opaqueMin || opaque > opaqueMax {
				t.Fatalf("depth %d: opaque %d", depth, opaque)
			}
			if c.waiting(opaque) != &c.slots[last] {
				t.Fatalf("depth %d: opaque %d names another slot", depth, opaque)
			}
			if c.waiting(opaque-int32(depth)) != nil || c.waiting(5) != nil {
				t.Fatalf("depth %d: an old id names the slot", depth)
			}
		}
	}
}

func TestSchedule(t *testing.T) {
	count := func(m Mix, topics int) (kinds [opKinds]float64, top float64) {
		ops := m.schedule(topics)
		byTopic := make([]int, topics)
		for _, o := range ops {
			kinds[o.kind()]++
			byTopic[o.topic()]++
		}
		for i := range kinds {
			kinds[i] /= float64(len(ops))
		}
		return kinds, float64(byTopic[0]) / float64(len(ops))
	}
	near := func(got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.01 {
			t.Errorf("got a share of %.3f, want %.3f", got, want)
		}
	}
	kinds, top := count(Mix{}, 1000)
	near(kinds[opRoute], 1)
	near(top, 0.001)
	kinds, _ = count(Mix{Route: 6, Cluster: 2, Register: 1, TopicList: 1, Unknown: 0.5}, 1000)
	near(kinds[opRoute], 0.3)
	near(kinds[opUnknown], 0.3)
	near(kinds[opCluster], 0.2)
	near(kinds[opRegister], 0.1)
	near(kinds[opTopicList], 0.1)
	_, top = count(Mix{Zipf: 1.5}, 1000)
	if top < 0.2 {
		t.Errorf("the most popular topic has %.3f of the lookups", top)
	}
}

func TestWorldsDiffer(t *testing.T) {
	w := World{Topics: 1_000_000, Brokers: 1, Distinct: true}
	seen := map[[2]int32]int{}
	for i := range w.Topics {
		read, write := w.Queues(i, 0)
		if other, dup := seen[[2]int32{read, write}]; dup || read < 1 || write < 1 {
			t.Fatalf("topics %d and %d both have %d/%d queues", other, i, read, write)
		}
		seen[[2]int32{read, write}] = i
	}
	a, b := w.Registration(0, w.Body(0, 10, 0, 1, 513), 0), w.Registration(0, w.Body(0, 10, 1, 2, 513), 0)
	if string(a.body) == string(b.body) {
		t.Error("a variant is like the other")
	}
	one := World{Topics: 50, Brokers: 1}
	if body := one.BodyOneChanged(7, 1, 513); string(body.bytes) == string(one.Body(0, 50, 0, 1, 513).bytes) || len(body.bytes) != len(one.Body(0, 50, 0, 1, 513).bytes) {
		t.Error("no topic has changed, or more than its digits")
	}
}

func TestLatencySummary(t *testing.T) {
	h := newHistogram()
	for i := range 1000 {
		record(h, int64(i+1)*1_000_000)
	}
	record(h, -5)
	record(h, math.MaxInt64)
	l := summarize(h)
	for _, c := range []struct{ got, want float64 }{{l.P50, 500_000}, {l.P90, 900_000}, {l.P99, 990_000}, {l.P999, 1_000_000}, {l.Max, 120e6}} {
		if math.Abs(c.got-c.want) > c.want*0.005 {
			t.Errorf("%.0f us, want %.0f: %+v", c.got, c.want, l)
		}
	}
	if l.Count != 1002 {
		t.Errorf("%d latencies", l.Count)
	}
}

func TestStable(t *testing.T) {
	f := func(want bool, rates ...float64) {
		t.Helper()
		if got := stable(rates); got != want {
			t.Errorf("%v: stable %v", rates, got)
		}
	}
	f(false, 100, 100)
	f(true, 100, 101, 102)
	f(false, 100, 101, 104)
	f(true, 1, 100, 101, 102)
}

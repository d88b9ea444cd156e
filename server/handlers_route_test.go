package server

import (
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

const (
	noRoutePrefix = "No topic route info in name server for the topic: "
	noRouteSuffix = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
)

func TestGetRouteInfo(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("broker-a", 0, "T1", "T2")
	c.mustRegister(b)
	const head, tail = `{"brokerDatas":[{"brokerAddrs":{`, `:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c1","enableActingMaster":false}],` +
		`"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`
	f := func(version int32, key string, ext ...string) {
		t.Helper()
		for _, c.serialize = range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
			c.version = version
			a := c.call(codec.CodeGetRouteInfoByTopic, nil, append(ext, "topic", "T1")...)
			a.want(t, codec.Success, "", head+key+tail)
			a.wantExt(t, nil)
			if a.Serialize != codec.SerializeJSON || a.Version != codec.Version5_5_0 || a.Language != codec.LanguageJava {
				t.Errorf("reply header: %+v", a.Command)
			}
		}
	}
	const plain, standard = `0`, `"0"`
	f(codec.Version5_5_0, standard)
	f(codec.Version4_9_4, standard)
	f(codec.Version4_9_4-1, plain)
	f(317, plain) // the Go client
	f(0, plain)
	f(317, standard, "acceptStandardJsonOnly", "TRUE")
	f(317, plain, "acceptStandardJsonOnly", "1")
	f(317, plain, "lo", "x", "ns", "y", "AccessKey", "")
}

func TestGetRouteInfoNotFound(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(topic string) {
		t.Helper()
		c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", topic).
			want(t, codec.TopicNotExist, noRoutePrefix+topic+noRouteSuffix, "")
	}
	f("T1")
	f("")
	f("%RETRY%group")
	f("inst%topic")
	f(`quote"back\slash`)
	f("主题")
	for _, n := range []int{254, 255, 256, 5000} {
		f(strings.Repeat("x", n))
	}
	c.call(codec.CodeGetRouteInfoByTopic, nil).want(t, codec.TopicNotExist, noRoutePrefix+"null"+noRouteSuffix, "")
	c.serialize = codec.SerializeRocketMQ // whose empty string is null
	c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "").want(t, codec.TopicNotExist, noRoutePrefix+"null"+noRouteSuffix, "")
}

func TestGetRouteInfoOrderTopicConf(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, "T1", "T2"))
	c.call(codec.CodePutKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T1", "value", "b1:4")
	f := func(topic, want string) {
		t.Helper()
		a := c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", topic)
		data, err := codec.ParseTopicRouteData(a.Body, nil)
		if err != nil || data.OrderTopicConf.String != want || data.OrderTopicConf.Valid != (want != "") {
			t.Errorf("%s: orderTopicConf %+v, %v, want %q", topic, data.OrderTopicConf, err, want)
		}
	}
	f("T1", "") // orderMessageEnable is off
	r.setting("orderMessageEnable=true")
	f("T1", "b1:4")
	f("T2", "")
}

func TestGetRouteInfoActingMaster(t *testing.T) {
	r := newRig(t, nil)
	c, s := r.dial(), r.dial()
	master, slave := newBroker("b1", 0, "T1", "T2"), newBroker("b1", 1, "T1", "T2")
	master.acting, slave.acting = "true", "true"
	c.mustRegister(master)
	s.mustRegister(slave)
	c.unregister(master)
	f := func(topic, want string) {
		t.Helper()
		a := s.call(codec.CodeGetRouteInfoByTopic, nil, "topic", topic)
		if !strings.Contains(string(a.Body), want) || !strings.Contains(string(a.Body), `"perm":4`) {
			t.Errorf("%s: %s\nwant %s and perm 4", topic, a.Body, want)
		}
	}
	f("T1", `{"1":"10.0.0.1:10921"}`)
	r.setting("supportActingMaster=true")
	f("T1", `{"0":"10.0.0.1:10921"}`)
}

func TestGetRouteInfoWaitForService(t *testing.T) {
	r := newRig(t, func(_ *config.Settings, l *config.Live) { l.NeedWaitForService = true })
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, "T1", "T2"))
	f := func(code int32, remark string) {
		t.Helper()
		if a := c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "T1"); a.Code != code || string(a.Remark) != remark {
			t.Errorf("answer %d %q, want %d %q", a.Code, a.Remark, code, remark)
		}
	}
	f(codec.SystemError, "name server not ready")
	if !strings.Contains(r.notReadyWithEngine(), "45 more seconds") {
		t.Errorf("NotReady: %q", r.notReadyWithEngine())
	}
	c.call(codec.CodeGetBrokerClusterInfo, nil) // other requests do not wait
	r.handlers.startMillis -= 44_000
	f(codec.SystemError, "name server not ready")
	r.handlers.startMillis -= 1_000
	f(codec.Success, "")
	if s := r.notReadyWithEngine(); s != "" {
		t.Errorf("NotReady: %q", s)
	}
	r.setting("waitSecondsForService=3600")
	f(codec.SystemError, "name server not ready")
	r.setting("needWaitForService=false")
	f(codec.Success, "")
}

// notReadyWithEngine is NotReady as if an engine were running.
func (r *rig) notReadyWithEngine() string {
	r.engine = &engine{ended: make(chan struct{})}
	defer func() { r.engine = nil }()
	return r.NotReady()
}

func TestNotReady(t *testing.T) {
	r := newRig(t, nil)
	if got := r.NotReady(); got != "the server is not listening" {
		t.Errorf("without an engine: %q", got)
	}
	if got := r.notReadyWithEngine(); got != "" {
		t.Errorf("with one: %q", got)
	}
	r.goingAway.Store(true)
	if got := r.notReadyWithEngine(); got != "the server is stopping" {
		t.Errorf("going away: %q", got)
	}
}

func TestZoneFilter(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	add := func(name, addr string, id int64, zone string) {
		t.Helper()
		b := newBroker(name, id, "T1", "T2")
		b.addr, b.filterServers = addr, []string{"fs-" + addr}
		if zone != "" {
			b.extra = []string{extZoneName, zone}
		}
		if id != 0 {
			b.acting = "true" // the only member, and a slave: it contributes topics
		}
		c.mustRegister(b)
	}
	add("a", "1.1.1.1:1", 0, "East")
	add("b", "2.2.2.2:2", 0, "west")
	add("c", "3.3.3.3:3", 0, "")
	add("d", "4.4.4.4:4", 1, "west") // no master: kept, whatever its zone
	f := func(want string, ext ...string) {
		t.Helper()
		a := c.call(codec.CodeGetRouteInfoByTopic, nil, append(ext, "topic", "T1")...)
		data, err := codec.ParseTopicRouteData(a.Body, nil)
		if err != nil || a.Code != codec.Success {
			t.Fatalf("answer %d %q: %v", a.Code, a.Body, err)
		}
		var brokers, queues []string
		for _, b := range data.BrokerDatas {
			brokers = append(brokers, b.BrokerName)
		}
		for _, q := range data.QueueDatas {
			queues = append(queues, q.BrokerName)
		}
		if got := strings.Join(brokers, ""); got != want || strings.Join(queues, "") != want || len(data.FilterServerTable) != len(want) {
			t.Errorf("%v: brokers %v queues %v filter servers %v, want %s", ext, brokers, queues, data.FilterServerTable, want)
		}
	}
	f("abcd")
	f("ad", extZoneMode, "true", extZoneName, "east")
	f("bd", extZoneMode, "TRUE", extZoneName, "WEST")
	f("d", extZoneMode, "true", extZoneName, "north")
	f("abcd", extZoneMode, "false", extZoneName, "east")
	f("abcd", extZoneMode, "yes", extZoneName, "east")
	f("abcd", extZoneMode, "true", extZoneName, " \t")
	f("abcd", extZoneMode, "true")
	f("abcd", extZoneName, "east")
}

// A filtered answer stays in the JSON that its requester reads.
func TestZoneFilterDialect(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("a", 0, "T1", "T2")
	b.extra = []string{extZoneName, "z"}
	c.mustRegister(b)
	zone := []string{extZoneMode, "true", extZoneName, "z", "topic", "T1"}
	whole := c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "T1")
	c.call(codec.CodeGetRouteInfoByTopic, nil, zone...).want(t, codec.Success, "", string(whole.Body))
	c.version = 317
	whole = c.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "T1")
	c.call(codec.CodeGetRouteInfoByTopic, nil, zone...).want(t, codec.Success, "", string(whole.Body))
	zone[3] = "other"
	c.call(codec.CodeGetRouteInfoByTopic, nil, zone...).
		want(t, codec.Success, "", `{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}`)
}

func TestClusterInfoAndMemberGroup(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.call(codec.CodeGetBrokerClusterInfo, nil).want(t, codec.Success, "", `{"brokerAddrTable":{},"clusterAddrTable":{}}`)
	c.mustRegister(newBroker("broker-a", 0, "T1", "T2"))
	c.mustRegister(newBroker("broker-a", 1, "T1", "T2"))
	// Bare integer keys whoever asks.
	c.call(codec.CodeGetBrokerClusterInfo, nil).want(t, codec.Success, "",
		`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.1:10921"},"brokerName":"broker-a","cluster":"c1","enableActingMaster":false}},"clusterAddrTable":{"c1":["broker-a"]}}`)
	f := func(want string, ext ...string) {
		t.Helper()
		c.call(codec.CodeGetBrokerMemberGroup, nil, ext...).want(t, codec.Success, "not set any response code", want)
	}
	f(`{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.1:10921"},"brokerName":"broker-a","cluster":"x"}}`,
		"clusterName", "x", "brokerName", "broker-a")
	f(`{"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"none","cluster":"c1"}}`, "clusterName", "c1", "brokerName", "none")
	f(`{"brokerMemberGroup":{"brokerAddrs":{}}}`)
}

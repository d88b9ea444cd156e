package server

import (
	"os"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

func TestWritePerm(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, "T1", "T2"))
	perm := func(want int32) {
		t.Helper()
		if route, _ := r.route("T1"); route.QueueDatas[0].Perm != want {
			t.Errorf("perm %d, want %d", route.QueueDatas[0].Perm, want)
		}
	}
	f := func(code int32, field, count string, ext ...string) {
		t.Helper()
		a := c.call(code, nil, ext...)
		a.want(t, codec.Success, "", "")
		a.wantExt(t, map[string]string{field: count})
	}
	f(codec.CodeWipeWritePermOfBroker, "wipeTopicCount", "2", "brokerName", "b1")
	perm(4)
	f(codec.CodeWipeWritePermOfBroker, "wipeTopicCount", "2", "brokerName", "b1")
	perm(4)
	f(codec.CodeWipeWritePermOfBroker, "wipeTopicCount", "0", "brokerName", "none")
	f(codec.CodeWipeWritePermOfBroker, "wipeTopicCount", "0")
	f(codec.CodeAddWritePermOfBroker, "addTopicCount", "2", "brokerName", "b1")
	perm(6)
	f(codec.CodeAddWritePermOfBroker, "addTopicCount", "0")
	for _, line := range []string{
		`msg="write permission wiped" caller=` + c.conn.remote + ` brokerName=b1 topics=2`,
		`msg="write permission added" caller=` + c.conn.remote + ` brokerName=b1 topics=2`,
	} {
		if !r.logged(line) {
			t.Errorf("missing line: %s", line)
		}
	}
}

func TestDeleteTopic(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	a, b := newBroker("b1", 0, "T1", "T2"), newBroker("b2", 0, "T1", "T2")
	b.cluster, b.addr = "c2", "10.0.0.2:10911"
	c.mustRegister(a)
	c.mustRegister(b)
	f := func(wantBrokers int, ext ...string) {
		t.Helper()
		c.call(codec.CodeDeleteTopicInNamesrv, nil, ext...).want(t, codec.Success, "", "")
		if route, _ := r.route("T1"); len(route.BrokerDatas) != wantBrokers {
			t.Errorf("%v: T1 is on %d groups, want %d", ext, len(route.BrokerDatas), wantBrokers)
		}
	}
	f(2)
	f(2, "clusterName", "c1")
	f(2, "topic", "none")
	f(2, "topic", "T1", "clusterName", "none")
	f(1, "topic", "T1", "clusterName", "c1")
	f(0, "topic", "T1", "clusterName", "")
	if !r.logged(`msg="topic deleted" caller=` + c.conn.remote + ` topic=T1 clusterName=c1 existed=true`) {
		t.Errorf("not logged:\n%s", r.logs)
	}
	// A master that still has it brings it back, though it says nothing new.
	c.mustRegister(a)
	if _, ok := r.route("T1"); !ok {
		t.Error("the deleted topic did not come back with its broker's registration")
	}
}

func TestRegisterTopic(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("b1", 0, "T1", "T2"))
	const queue = `{"brokerName":"%","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}`
	queues := func(brokers ...string) []byte {
		var all []string
		for _, b := range brokers {
			all = append(all, strings.ReplaceAll(queue, "%", b))
		}
		return []byte(`{"brokerDatas":[],"filterServerTable":{},"queueDatas":[` + strings.Join(all, ",") + `]}`)
	}
	f := func(topic string, body []byte, found bool) {
		t.Helper()
		c.call(codec.CodeRegisterTopicInNamesrv, body, "topic", topic).want(t, codec.Success, "", "")
		if _, ok := r.route(topic); ok != found {
			t.Errorf("%s: found %v, want %v", topic, ok, found)
		}
	}
	f("N1", queues("b1"), true)
	f("N2", queues("none"), false)
	f("N3", queues("b1", "none"), false) // unknown so far: nothing is stored
	f("N4", queues(), false)
	f("N5", nil, false)
	f("N6", []byte("null"), false)
	f("N7", []byte("{}"), false)
	f("N8", []byte(`{"queueDatas":null}`), false)
	f("N9", []byte(`{"queueDatas":[null]}`), false)
	if route, _ := r.route("N1"); route.QueueDatas[0].ReadQueueNums != 8 {
		t.Errorf("N1: %+v", route)
	}
	c.call(codec.CodeRegisterTopicInNamesrv, queues("b1")).want(t, codec.Success, "", "")
	a := c.call(codec.CodeRegisterTopicInNamesrv, []byte("nonsense"), "topic", "N10")
	if a.Code != codec.SystemError || !strings.HasPrefix(string(a.Remark), "Failed to decode TopicRouteData") {
		t.Errorf("answer %d %q", a.Code, a.Remark)
	}
	if !r.logged(`msg="topic registered" caller=` + c.conn.remote + ` topic=N1 queueDatas=1 brokerName=b1 perm=6 readQueueNums=8 writeQueueNums=8 stored=true`) {
		t.Errorf("not logged:\n%s", r.logs)
	}
}

func TestUpdateConfig(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	f := func(body string, code int32, remark string) {
		t.Helper()
		a := c.call(codec.CodeUpdateNamesrvConfig, []byte(body))
		if a.Code != code || !strings.HasPrefix(string(a.Remark), remark) || remark == "" && len(a.Remark) > 0 || a.HasExt {
			t.Errorf("%q: answer %d %q, want %d %q", body, a.Code, a.Remark, code, remark)
		}
	}
	const blackList = "Can not update config in black list."
	f("enableTopicList=false\n", codec.Success, "")
	if r.conf.Live().EnableTopicList {
		t.Error("enableTopicList is still on")
	}
	f("", codec.Success, "")
	f("{key=value}", codec.Success, "") // a key nobody knows
	f(`k=\u12`, codec.SystemError, "string2Properties error")
	for _, key := range []string{"configStorePath", "kvConfigPath", "configBlackList", "rocketmqHome", "listenPort", "bindAddress"} {
		f(key+"=1\n", codec.NoPermission, blackList)
	}
	f("enableTopicList=true\nkvConfigPath=/tmp/x\n", codec.NoPermission, blackList)
	if r.conf.Live().EnableTopicList {
		t.Error("part of a refused update was applied")
	}
	f("serverWorkerThreads=9\n", codec.SystemError, "needs restart: serverWorkerThreads")
	f("waitSecondsForService=soon\n", codec.SystemError, "invalid value")
	for _, line := range []string{
		`msg="configuration updated" caller=` + c.conn.remote + ` changes="[enableTopicList: true -> false]"`,
		`msg="configuration updated: refused" caller=` + c.conn.remote,
	} {
		if !r.logged(line) {
			t.Errorf("missing line: %s\n%s", line, r.logs)
		}
	}

	a := c.call(codec.CodeGetNamesrvConfig, nil)
	lines := strings.Split(string(a.Body), "\n")
	if a.Code != codec.Success || len(lines) != 41 || lines[40] != "" || !strings.Contains(string(a.Body), "\nenableTopicList=false\n") {
		t.Errorf("319: %d, %d lines:\n%s", a.Code, len(lines), a.Body)
	}
	if stored, err := os.ReadFile(r.conf.ConfigStorePath); err != nil || !strings.Contains(string(stored), "enableTopicList=false") {
		t.Errorf("stored: %q, %v", stored, err)
	}
}

// 318 on the switch that changes what a registration deletes voids what is remembered.
func TestUpdateConfigVoidsUnchanged(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	full, part := newBroker("b1", 0, "T1", "T2", "T3"), newBroker("b1", 0, "T1", "T2")
	c.mustRegister(full)
	c.mustRegister(part) // by the rules of now T3 stays
	if _, ok := r.route("T3"); !ok {
		t.Fatal("T3 is gone")
	}
	c.call(codec.CodeUpdateNamesrvConfig, []byte("deleteTopicWithBrokerRegistration=true\n")).want(t, codec.Success, "", "")
	c.mustRegister(part)
	if _, ok := r.route("T3"); ok {
		t.Error("T3 is still there: the registration was taken for unchanged under other rules")
	}
}

func TestUnknownCode(t *testing.T) {
	r := newRig(t, nil)
	r.dial().call(99999, nil).want(t, codec.RequestCodeNotSupported, " request type 99999 not supported", "")
	r.dial().call(47, nil).want(t, codec.RequestCodeNotSupported, " request type 47 not supported", "")
}

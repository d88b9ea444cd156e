package codec

import (
	"encoding/json"
	"strings"
	"testing"
)

// javaRoute is the route that a Java 5.5.0 program encoded for the pins below.
func javaRoute() *TopicRouteData {
	return &TopicRouteData{
		OrderTopicConf: valid("x"),
		QueueDatas:     []QueueData{{BrokerName: "q"}, {BrokerName: "bn", Perm: 6, ReadQueueNums: 4, WriteQueueNums: 8, TopicSysFlag: 1}},
		BrokerDatas: []BrokerData{
			{Cluster: "c", BrokerName: "bn", ZoneName: valid("z"), BrokerAddrs: map[int64]string{
				0: "a:0", 33554432: "a:33554432", 9007199254740992: "a:9007199254740992", -5: "a:-5", 100: "a:100", 3: "a:3",
			}},
			{Cluster: "c", BrokerName: "b2", EnableActingMaster: true},
		},
		FilterServerTable: map[string][]string{"k": {"1", "2"}, "a": {}},
		TopicQueueMappingByBroker: map[string]TopicQueueMappingInfo{
			"zz": {
				Topic: valid("t"), Scope: valid("__global__"), TotalQueues: 3, BName: valid("b"), Epoch: 9007199254740993,
				CurrIDMap: map[int32]int32{10: 1, 2: 2, -1: 3},
			},
			"aa": {},
		},
	}
}

// TestAppendTopicRouteDataAsJava550 pins the standard dialect to Java's bytes; the plain
// one differs by the quotes of integers, where Java's order is that of a hash map.
func TestAppendTopicRouteDataAsJava550(t *testing.T) {
	const want = `{"brokerDatas":[` +
		`{"brokerAddrs":{"-5":"a:-5","0":"a:0","3":"a:3","100":"a:100","33554432":"a:33554432","9007199254740992":"a:9007199254740992"},` +
		`"brokerName":"bn","cluster":"c","enableActingMaster":false,"zoneName":"z"},` +
		`{"brokerAddrs":{},"brokerName":"b2","cluster":"c","enableActingMaster":true}],` +
		`"filterServerTable":{"a":[],"k":["1","2"]},"orderTopicConf":"x","queueDatas":[` +
		`{"brokerName":"q","perm":0,"readQueueNums":0,"topicSysFlag":0,"writeQueueNums":0},` +
		`{"brokerName":"bn","perm":6,"readQueueNums":4,"topicSysFlag":1,"writeQueueNums":8}],` +
		`"topicQueueMappingByBroker":{"aa":{"dirty":false,"epoch":0,"totalQueues":0},` +
		`"zz":{"bname":"b","currIdMap":{"-1":3,"2":2,"10":1},"dirty":false,"epoch":"9007199254740993","scope":"__global__","topic":"t","totalQueues":3}}}`
	if got := string(AppendTopicRouteData(nil, javaRoute(), DialectStandard)); got != want {
		t.Errorf("standard dialect:\ngot  %s\nwant %s", got, want)
	}
	plain := strings.NewReplacer(
		`"-5":`, `-5:`, `"0":`, `0:`, `"3":`, `3:`, `"100":`, `100:`, `"33554432":`, `33554432:`, `"9007199254740992":`, `9007199254740992:`,
		`"-1":`, `-1:`, `"2":`, `2:`, `"10":`, `10:`, `"9007199254740993"`, `9007199254740993`).Replace(want)
	if got := string(AppendTopicRouteData(nil, javaRoute(), DialectPlain)); got != plain {
		t.Errorf("plain dialect:\ngot  %s\nwant %s", got, plain)
	}
}

func TestAppendBodies(t *testing.T) {
	bd := BrokerData{Cluster: "DefaultCluster", BrokerName: "broker-a", BrokerAddrs: map[int64]string{1: "10.0.0.2:10911", 0: "10.0.0.1:10911"}}
	for _, c := range []struct{ name, got, want string }{
		{"an empty route",
			string(AppendTopicRouteData(nil, &TopicRouteData{}, DialectStandard)),
			`{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}`},
		{"the mapping map may be there and empty",
			string(AppendTopicRouteData(nil, &TopicRouteData{TopicQueueMappingByBroker: map[string]TopicQueueMappingInfo{}}, DialectStandard)),
			`{"brokerDatas":[],"filterServerTable":{},"queueDatas":[],"topicQueueMappingByBroker":{}}`},
		{"cluster info, plain for everybody",
			string(AppendClusterInfo(nil, &ClusterInfo{BrokerAddrTable: map[string]BrokerData{"broker-a": bd}, ClusterAddrTable: map[string][]string{"DefaultCluster": {"broker-a"}}})),
			`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}`},
		{"an empty cluster info",
			string(AppendClusterInfo(nil, &ClusterInfo{})),
			`{"brokerAddrTable":{},"clusterAddrTable":{}}`},
		{"a member group",
			string(AppendBrokerMemberGroup(nil, &BrokerMemberGroup{Cluster: valid("DefaultCluster"), BrokerName: valid("broker-a"), BrokerAddrs: bd.BrokerAddrs})),
			`{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a","cluster":"DefaultCluster"}}`},
		{"a member group that was asked for without names",
			string(AppendBrokerMemberGroup(nil, &BrokerMemberGroup{})),
			`{"brokerMemberGroup":{"brokerAddrs":{}}}`},
		{"a data version",
			string(AppendDataVersion(nil, DataVersion{Counter: 1, Timestamp: 1700000000000})),
			`{"counter":1,"stateVersion":0,"timestamp":1700000000000}`},
		{"a topic list", string(AppendTopicList(nil, []string{"TopicTest", "A\"B"})), `{"topicList":["TopicTest","A\"B"]}`},
		{"an empty topic list", string(AppendTopicList(nil, nil)), `{"topicList":[]}`},
		{"system topics", string(AppendSystemTopicList(nil, valid("10.0.0.1:10911"), []string{"broker-a"})), `{"brokerAddr":"10.0.0.1:10911","topicList":["broker-a"]}`},
		{"system topics of a server without brokers", string(AppendSystemTopicList(nil, NullString{}, nil)), `{"topicList":[]}`},
		{"a KV table", string(AppendKVTable(nil, map[string]string{"b": "", "TopicTest": "broker-a:4"})), `{"table":{"TopicTest":"broker-a:4","b":""}}`},
		{"an empty KV table", string(AppendKVTable(nil, nil)), `{"table":{}}`},
		{"the KV file", string(AppendKVFile(nil, map[string]map[string]string{"ORDER_TOPIC_CONFIG": {"TopicTest": "broker-a:4"}, "A": nil})), `{"configTable":{"A":{},"ORDER_TOPIC_CONFIG":{"TopicTest":"broker-a:4"}}}`},
		{"the KV file of an empty table", string(AppendKVFile(nil, nil)), `{"configTable":{}}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, c.got, c.want)
		}
	}
}

// TestAppendStandardIsLegal: the standard dialect is legal JSON, the plain one is not as
// soon as a broker has an address.
func TestAppendStandardIsLegal(t *testing.T) {
	if b := AppendTopicRouteData(nil, javaRoute(), DialectStandard); !json.Valid(b) {
		t.Errorf("not legal: %s", b)
	}
	if b := AppendTopicRouteData(nil, javaRoute(), DialectPlain); json.Valid(b) {
		t.Errorf("legal although plain: %s", b)
	}
}

// TestAppendFragmentsDoNotAllocate: the route table encodes these by the thousand.
func TestAppendFragmentsDoNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	bd := &javaRoute().BrokerDatas[0]
	q := &QueueData{BrokerName: "broker-中", Perm: 6}
	m := TopicQueueMappingInfo{Topic: valid("t"), BName: valid("b"), CurrIDMap: map[int32]int32{0: 0, 1: 1}}
	for name, fn := range map[string]func(){
		"AppendBrokerData":            func() { AppendBrokerData(dst, bd, DialectPlain) },
		"AppendQueueData":             func() { AppendQueueData(dst, q) },
		"AppendTopicQueueMappingInfo": func() { AppendTopicQueueMappingInfo(dst, &m, DialectStandard) },
		"AppendJSONString":            func() { AppendJSONString(dst, "plain \" and 中 and \xff", DialectPlain) },
		"AppendDataVersion":           func() { AppendDataVersion(dst, DataVersion{StateVersion: 1, Timestamp: 2, Counter: 3}) },
	} {
		if n := testing.AllocsPerRun(100, fn); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

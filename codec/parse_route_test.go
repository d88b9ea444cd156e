package codec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func drawNullString(t *rapid.T, label string) NullString {
	if rapid.Bool().Draw(t, label+" null") {
		return NullString{}
	}
	return valid(rapid.String().Draw(t, label))
}

func drawAddrs(t *rapid.T) map[int64]string {
	return rapid.MapOfN(rapid.Int64(), rapid.String(), 0, 20).Draw(t, "brokerAddrs")
}

func drawBroker(t *rapid.T) BrokerData {
	return BrokerData{
		Cluster: rapid.String().Draw(t, "cluster"), BrokerName: rapid.String().Draw(t, "brokerName"), BrokerAddrs: drawAddrs(t),
		ZoneName: drawNullString(t, "zoneName"), EnableActingMaster: rapid.Bool().Draw(t, "acting"),
	}
}

func drawMapping(t *rapid.T) TopicQueueMappingInfo {
	return TopicQueueMappingInfo{
		Topic: drawNullString(t, "topic"), Scope: valid(rapid.String().Draw(t, "scope")), TotalQueues: rapid.Int32().Draw(t, "total"),
		BName: drawNullString(t, "bname"), Epoch: rapid.Int64().Draw(t, "epoch"), Dirty: rapid.Bool().Draw(t, "dirty"),
		CurrIDMap: rapid.MapOfN(rapid.Int32(), rapid.Int32(), 0, 20).Draw(t, "currIdMap"),
	}
}

func drawRoute(t *rapid.T) TopicRouteData {
	r := TopicRouteData{OrderTopicConf: drawNullString(t, "order")}
	for range rapid.IntRange(0, 3).Draw(t, "queues") {
		r.QueueDatas = append(r.QueueDatas, QueueData{
			BrokerName: rapid.String().Draw(t, "brokerName"), ReadQueueNums: rapid.Int32().Draw(t, "read"), WriteQueueNums: rapid.Int32().Draw(t, "write"),
			Perm: rapid.Int32().Draw(t, "perm"), TopicSysFlag: rapid.Int32().Draw(t, "flag"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "brokers") {
		r.BrokerDatas = append(r.BrokerDatas, drawBroker(t))
	}
	r.FilterServerTable = rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.String()), 0, 3).Draw(t, "filter servers")
	if rapid.Bool().Draw(t, "static") {
		r.TopicQueueMappingByBroker = map[string]TopicQueueMappingInfo{}
		for range rapid.IntRange(0, 3).Draw(t, "mappings") {
			r.TopicQueueMappingByBroker[rapid.String().Draw(t, "broker")] = drawMapping(t)
		}
	}
	return r
}

// checkBack fails if a value did not come back as it was.
func checkBack(t *rapid.T, body []byte, want, got any, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s\n(-want +got)\n%s", body, d)
	}
}

// TestBodiesComeBack: what is appended, in either dialect, is what is parsed.
func TestBodiesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		route := drawRoute(t)
		for _, d := range []Dialect{DialectPlain, DialectStandard} {
			body := AppendTopicRouteData(nil, &route, d)
			got, err := ParseTopicRouteData(body, nil)
			checkBack(t, body, route, got, err)
			if again := AppendTopicRouteData(nil, &got, d); string(again) != string(body) {
				t.Fatalf("not the same bytes again:\n%s\n%s", body, again)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		info := ClusterInfo{BrokerAddrTable: map[string]BrokerData{}, ClusterAddrTable: rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.String()), 0, 3).Draw(t, "clusters")}
		for range rapid.IntRange(0, 3).Draw(t, "brokers") {
			info.BrokerAddrTable[rapid.String().Draw(t, "name")] = drawBroker(t)
		}
		body := AppendClusterInfo(nil, &info)
		got, err := ParseClusterInfo(body, nil)
		checkBack(t, body, info, got, err)
	})
	rapid.Check(t, func(t *rapid.T) {
		group := BrokerMemberGroup{Cluster: drawNullString(t, "cluster"), BrokerName: drawNullString(t, "name"), BrokerAddrs: drawAddrs(t)}
		body := AppendBrokerMemberGroup(nil, &group)
		got, err := ParseBrokerMemberGroup(body, nil)
		checkBack(t, body, group, got, err)

		version := DataVersion{StateVersion: rapid.Int64().Draw(t, "state"), Timestamp: rapid.Int64().Draw(t, "time"), Counter: rapid.Int64().Draw(t, "counter")}
		body = AppendDataVersion(nil, version)
		gotVersion, ok, err := ParseDataVersion(body, 1)
		checkBack(t, body, version, gotVersion, err)
		if !ok {
			t.Fatalf("%s: no version", body)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		topics := TopicList{BrokerAddr: drawNullString(t, "addr"), Topics: rapid.SliceOf(rapid.String()).Draw(t, "topics")}
		body := AppendSystemTopicList(nil, topics.BrokerAddr, topics.Topics)
		got, err := ParseTopicList(body, nil)
		checkBack(t, body, topics, got, err)

		table := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "table")
		body = AppendKVTable(nil, table)
		gotTable, err := ParseKVTable(body, nil)
		checkBack(t, body, table, gotTable, err)
	})
}

// TestParseReplies reads replies as servers of other versions send them.
func TestParseReplies(t *testing.T) {
	t.Run("the standard dialect of 5.3.x with its escapes", func(t *testing.T) {
		got, err := ParseTopicRouteData([]byte(`{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"\u4E2D\/\uD83D\uDE00","cluster":"c"}],"queueDatas":[]}`), nil)
		if err != nil || len(got.BrokerDatas) != 1 || got.BrokerDatas[0].BrokerName != "中/\U0001f600" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("a member group without its envelope is none", func(t *testing.T) {
		got, err := ParseBrokerMemberGroup([]byte(`{"brokerAddrs":{"0":"a:1"}}`), nil)
		if err != nil || got.BrokerAddrs != nil {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("no body is the zero value", func(t *testing.T) {
		r, err1 := ParseTopicRouteData(nil, nil)
		c, err2 := ParseClusterInfo(nil, nil)
		g, err3 := ParseBrokerMemberGroup(nil, nil)
		l, err4 := ParseTopicList(nil, nil)
		k, err5 := ParseKVTable(nil, nil)
		v, ok, err6 := ParseDataVersion(nil, 5)
		if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
			t.Error(err)
		}
		if r.QueueDatas != nil || c.BrokerAddrTable != nil || g.BrokerAddrs != nil || l.Topics != nil || k != nil || ok || v != (DataVersion{}) {
			t.Error("something came of nothing")
		}
	})
}

// TestBodyErrorsSayWhere: the texts end up in front of an operator.
func TestBodyErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		body, want string
		is         error
	}{
		{`{"queueDatas":[{"perm":6]}`, `malformed body: expected a key or }, found ']' at byte 24`, ErrBody},
		{`{"queueDatas":[{"perm":"x"}]}`, `malformed body: "x" is no integer of 32 bits at byte 23`, ErrBody},
		{`{"queueDatas":[{"perm":4294967296}]}`, `malformed body: "4294967296" is no integer of 32 bits at byte 23`, ErrBody},
		{`{"queueDatas":[{"perm":nil}]}`, `malformed body: expected a value, found 'n' at byte 23`, ErrBody},
		{`{"queueDatas":[`, `malformed body: expected a value or ], found the end at byte 15`, ErrBody},
		{`{"queueDatas":5}`, `malformed body: expected the [ of queueDatas, found '5' at byte 14`, ErrBody},
		{`{"orderTopicConf":"abc`, `malformed body: string with no end at byte 18`, ErrBody},
		{`{"orderTopicConf":"ab\q"}`, `malformed body: string with an unknown escape at byte 23`, ErrBody},
		{"{\"orderTopicConf\":\"ab\xff\"}", `malformed body: string with bytes that are not UTF-8 at byte 18`, ErrBody},
		{`{"orderTopicConf" "x"}`, `malformed body: expected a colon after a key, found '"' at byte 18`, ErrBody},
		{`{} {}`, `malformed body: unexpected '{' after the end of the JSON value at byte 3`, ErrBody},
		{`/* {}`, `malformed body: expected the { of TopicRouteData, found the end at byte 5`, ErrBody},
		{`{"brokerDatas":[{"brokerAddrs":{"m":"a"}}]}`, `malformed body: "m" is no integer of 64 bits at byte 32`, ErrBody},
		{`{"x":` + strings.Repeat("[", 64) + "]}", `body over a limit: JSON nested deeper than 64 at byte 68`, ErrBodyTooLarge},
		{`{"queueDatas":[` + strings.Repeat("{},", 262145) + `{}]}`, `body over a limit: more than 262144 entries in queueDatas at byte 786447`, ErrBodyTooLarge},
		{`{"topicQueueMappingByBroker":{"b":{"currIdMap":{1:null}}}}`, `malformed body: null in currIdMap at byte 48`, ErrBody},
	} {
		_, err := ParseTopicRouteData([]byte(c.body), nil)
		if err == nil || err.Error() != c.want || !errors.Is(err, c.is) {
			t.Errorf("%.80s\ngot  %v\nwant %s", c.body, err, c.want)
		}
	}
}

// TestBodiesCutShort: no body is complete before its last byte.
func TestBodiesCutShort(t *testing.T) {
	route := AppendTopicRouteData(nil, javaRoute(), DialectPlain)
	for i := 1; i < len(route); i++ {
		if _, err := ParseTopicRouteData(route[:i], nil); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", route[:i], err)
		}
	}
	list := AppendTopicList(nil, []string{"a", "b"})
	for i := 1; i < len(list); i++ {
		if _, err := ParseTopicList(list[:i], nil); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", list[:i], err)
		}
	}
}

func ExampleParseTopicRouteData() {
	route, err := ParseTopicRouteData([]byte(`{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c"}]}`), nil)
	fmt.Println(route.BrokerDatas[0].BrokerAddrs[MasterID], err)
	// Output: 10.0.0.1:10911 <nil>
}

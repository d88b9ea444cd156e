package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// version4_8_0 is a client below protocol 401, which gets map keys without quotes.
const version4_8_0 = 373

// callTimeout is generous: these tests are about what is answered, on machines that may have
// more to do; how fast is measured elsewhere.
const callTimeout = 30 * time.Second

// Asker asks a name server questions over the wire, as a new client and as an old one.
type Asker struct {
	Addr     string
	new, old *testkit.Client
}

// Ask connects to a name server.
func (n *Namesrv) Ask(tb testing.TB) *Asker {
	tb.Helper()
	a := &Asker{Addr: n.Addr()}
	for _, c := range []struct {
		client  **testkit.Client
		version int32
	}{{&a.new, codec.Version5_5_0}, {&a.old, version4_8_0}} {
		client, err := testkit.Dial(tb.Context(), n.Addr(), testkit.ClientOptions{Version: c.version})
		if err != nil {
			tb.Fatalf("%s: %v", n.Name, err)
		}
		tb.Cleanup(func() { client.Close() })
		*c.client = client
	}
	return a
}

// Call is one request of a 5.5.0 client that must be answered.
func (a *Asker) Call(tb testing.TB, code int32, keyValues ...string) *testkit.Message {
	tb.Helper()
	return call(tb, a.new, code, keyValues)
}

func call(tb testing.TB, c *testkit.Client, code int32, keyValues []string) *testkit.Message {
	tb.Helper()
	ext := testkit.Ext(keyValues...)
	if len(ext) == 0 {
		ext = nil
	}
	ctx, cancel := context.WithTimeout(tb.Context(), callTimeout)
	defer cancel()
	for {
		m, err := c.Call(ctx, code, ext, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if !overtaken(m) {
			return m
		}
		tb.Logf("asked again: request %d was answered with %s", code, m.Remark)
	}
}

// overtaken: the Java name server encodes its tables for a 106 while others may change them, and
// answers with the exception of the iterator that noticed.
func overtaken(m *testkit.Message) bool {
	return m.Code == codec.SystemError && strings.HasPrefix(m.Remark, "java.util.ConcurrentModificationException")
}

// BrokerData, QueueData, Route and Clusters are replies as a client sees them. They are
// read with encoding/json, not with Pharos' codec.
type BrokerData struct {
	BrokerAddrs        map[int64]string
	BrokerName         string
	Cluster            string
	EnableActingMaster bool
}

// QueueData is how many queues a group has for a topic.
type QueueData struct {
	BrokerName     string
	Perm           int
	ReadQueueNums  int
	WriteQueueNums int
}

// Route is the answer to 105.
type Route struct {
	BrokerDatas    []BrokerData
	QueueDatas     []QueueData
	OrderTopicConf string
}

// Clusters is the answer to 106.
type Clusters struct {
	BrokerAddrTable  map[string]BrokerData
	ClusterAddrTable map[string][]string
}

// Route asks for a topic's route; nil when there is none.
func (a *Asker) Route(tb testing.TB, topic string) *Route {
	tb.Helper()
	m := a.Call(tb, codec.CodeGetRouteInfoByTopic, "topic", topic)
	if m.Code == codec.TopicNotExist {
		return nil
	}
	var r Route
	readBody(tb, m, &r)
	return &r
}

// Clusters asks for all clusters.
func (a *Asker) Clusters(tb testing.TB) *Clusters {
	tb.Helper()
	var c Clusters
	readBody(tb, a.Call(tb, codec.CodeGetBrokerClusterInfo), &c)
	return &c
}

// Members is which ids a group has, as "0,1"; "" when it is unknown.
func (a *Asker) Members(tb testing.TB, group string) string {
	tb.Helper()
	ids := slices.Sorted(maps.Keys(a.Clusters(tb).BrokerAddrTable[group].BrokerAddrs))
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
}

// Topics asks for all topics, sorted.
func (a *Asker) Topics(tb testing.TB) []string {
	tb.Helper()
	var list struct{ TopicList []string }
	readBody(tb, a.Call(tb, codec.CodeGetAllTopicListFromNameserver), &list)
	sort.Strings(list.TopicList)
	return list.TopicList
}

// PutKV stores a key of a namespace.
func (a *Asker) PutKV(tb testing.TB, namespace, key, value string) {
	tb.Helper()
	m := a.Call(tb, codec.CodePutKVConfig, "namespace", namespace, "key", key, "value", value)
	if m.Code != codec.Success {
		tb.Fatalf("%s: put %s %s: code %d %s", a.Addr, namespace, key, m.Code, m.Remark)
	}
}

// Await waits until cond holds, or fails.
func (a *Asker) Await(tb testing.TB, what string, cond func(*Asker) bool) {
	tb.Helper()
	for deadline := time.Now().Add(settleTime); !cond(a); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: %s: not so after %v; it answers\n%s", a.Addr, what, settleTime, spell(a.Everything(tb)))
		}
	}
}

// AwaitMembers waits until a group has exactly these ids ("0,1").
func (a *Asker) AwaitMembers(tb testing.TB, group, ids string) {
	tb.Helper()
	a.Await(tb, fmt.Sprintf("%s has the members [%s]", group, ids), func(a *Asker) bool {
		return a.Members(tb, group) == ids
	})
}

func readBody(tb testing.TB, m *testkit.Message, into any) {
	tb.Helper()
	if m.Code != codec.Success {
		tb.Fatalf("answered with code %d: %s", m.Code, m.Remark)
	}
	legal, _ := quoteBareKeys(m.Body)
	if err := json.Unmarshal(legal, into); err != nil {
		tb.Fatalf("body %q: %v", m.Body, err)
	}
}

// Everything asks all that clients, brokers and operators can ask without changing
// anything, and returns the answers in canonical spelling by question.
func (a *Asker) Everything(tb testing.TB) map[string]string {
	tb.Helper()
	answers := map[string]string{}
	ask := func(c *testkit.Client, who string, code int32, keyValues ...string) {
		m := call(tb, c, code, keyValues)
		answers[fmt.Sprintf("%d %s (%s client)", code, strings.Join(keyValues, " "), who)] =
			fmt.Sprintf("%d %q %v %s", m.Code, m.Remark, m.Ext, canonical(m.Body))
	}
	clusters := a.Clusters(tb)
	for _, code := range []int32{
		codec.CodeGetBrokerClusterInfo, codec.CodeGetAllTopicListFromNameserver,
		codec.CodeGetUnitTopicList, codec.CodeGetHasUnitSubTopicList, codec.CodeGetHasUnitSubUnunitTopicList,
	} {
		ask(a.new, "new", code)
		ask(a.old, "old", code)
	}
	if len(clusters.BrokerAddrTable) <= 1 { // it names one broker, any of them
		ask(a.new, "new", codec.CodeGetSystemTopicListFromNS)
	}
	ask(a.new, "new", codec.CodeGetKVListByNamespace, "namespace", "ORDER_TOPIC_CONFIG")
	for cluster := range clusters.ClusterAddrTable {
		ask(a.new, "new", codec.CodeGetTopicsByCluster, "cluster", cluster)
	}
	for name, group := range clusters.BrokerAddrTable {
		ask(a.new, "new", codec.CodeGetBrokerMemberGroup, "clusterName", group.Cluster, "brokerName", name)
	}
	for _, topic := range append(a.Topics(tb), "No_Such_Topic") {
		ask(a.new, "new", codec.CodeGetRouteInfoByTopic, "topic", topic)
		ask(a.new, "new", codec.CodeGetRouteInfoByTopic, "topic", topic, "acceptStandardJsonOnly", "true")
		ask(a.old, "old", codec.CodeGetRouteInfoByTopic, "topic", topic)
		ask(a.old, "old", codec.CodeGetRouteInfoByTopic, "topic", topic, "acceptStandardJsonOnly", "true")
	}
	return answers
}

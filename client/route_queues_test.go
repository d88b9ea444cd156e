package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// group is a broker group with a master.
func group(name, addr string) codec.BrokerData {
	return codec.BrokerData{Cluster: "c", BrokerName: name, BrokerAddrs: map[int64]string{codec.MasterID: addr}}
}

func queueData(name string, queues int32, perm int32) codec.QueueData {
	return codec.QueueData{BrokerName: name, ReadQueueNums: queues, WriteQueueNums: queues, Perm: perm}
}

const readWrite = codec.PermRead | codec.PermWrite

// targets writes a route's queues as broker:id, those that can be sent to as broker:id@place.
func targets(r *Route) string {
	var words []string
	i := 0
	for _, q := range r.Queues {
		word := fmt.Sprintf("%s:%d", q.BrokerName, q.QueueID)
		if i < len(r.targets) && r.targets[i].Queue == q {
			word += "@" + r.targets[i].Addr
			i++
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Goal: what cannot be a broker's name or address is nowhere to send to, and in no error.
func TestNamesThatAreNone(t *testing.T) {
	f := func(name, addr string, want int) {
		t.Helper()
		r, err := newRoute("T", &codec.TopicRouteData{
			BrokerDatas: []codec.BrokerData{group(name, addr), group("~", "h~")},
			QueueDatas:  []codec.QueueData{queueData(name, 4, readWrite), queueData("~", 1, readWrite)},
		}, nil, time.Now())
		if err != nil || len(r.Queues) != 5 || len(r.Targets()) != want+1 {
			t.Errorf("%.20q at %.20q: %d targets, want %d: %v", name, addr, len(r.Targets())-1, want, err)
		}
	}
	long := strings.Repeat("b", nameBytesMax)
	f("broker-a", "[fe80::1%eth0]:10911", 4)
	f("\u7ecf\u7eaa-a b", "h\u00e9:10911", 4)
	f(long, long, 4)
	f(long+"b", "ha", 0)
	f("a", long+"b", 0)
	f("a", "", 0)
	f("a\n", "ha", 0)
	f("a", "ha\x1b[2J:1", 0)
	f("a", "\xff", 4) // U+FFFD to whoever reads it
}

// TestQueues pins what queues a producer gets from a route, case by case of Java's
// MQClientInstance#topicRouteData2TopicPublishInfo.
func TestQueues(t *testing.T) {
	f := func(name string, d codec.TopicRouteData, want string, ordered bool) {
		t.Helper()
		r, err := newRoute("T", &d, nil, time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if got := targets(r); got != want || r.Ordered != ordered {
			t.Errorf("%s:\n got %s ordered %v\nwant %s ordered %v", name, got, r.Ordered, want, ordered)
		}
		for _, q := range r.Queues {
			if q.Topic != "T" {
				t.Errorf("%s: queue of topic %q", name, q.Topic)
			}
		}
	}
	ab := func() []codec.BrokerData { return []codec.BrokerData{group("b", "hb"), group("a", "ha")} }
	f("sorted by broker", codec.TopicRouteData{
		BrokerDatas: ab(), QueueDatas: []codec.QueueData{queueData("b", 1, readWrite), queueData("a", 2, readWrite)},
	}, "a:0@ha a:1@ha b:0@hb", false)
	f("read-only brokers give none", codec.TopicRouteData{
		BrokerDatas: ab(), QueueDatas: []codec.QueueData{queueData("a", 2, codec.PermRead), queueData("b", 1, codec.PermWrite)},
	}, "b:0@hb", false)
	f("write queues count, not read queues", codec.TopicRouteData{
		BrokerDatas: ab(), QueueDatas: []codec.QueueData{{BrokerName: "a", ReadQueueNums: 8, WriteQueueNums: 1, Perm: readWrite}},
	}, "a:0@ha", false)
	slaveOnly := group("b", "")
	slaveOnly.BrokerAddrs = map[int64]string{1: "slave"}
	f("no master, no queues", codec.TopicRouteData{
		BrokerDatas: []codec.BrokerData{group("a", "ha"), slaveOnly},
		QueueDatas:  []codec.QueueData{queueData("a", 1, readWrite), queueData("b", 4, readWrite)},
	}, "a:0@ha", false)
	f("a broker that is not there", codec.TopicRouteData{
		BrokerDatas: ab()[:1], QueueDatas: []codec.QueueData{queueData("a", 4, readWrite), queueData("b", 1, readWrite)},
	}, "b:0@hb", false)
	f("an acting master is read-only", codec.TopicRouteData{
		BrokerDatas: ab(), QueueDatas: []codec.QueueData{queueData("a", 4, codec.PermRead), queueData("b", 1, readWrite)},
	}, "b:0@hb", false)
	f("negative queues", codec.TopicRouteData{
		BrokerDatas: ab(), QueueDatas: []codec.QueueData{queueData("a", -3, readWrite), queueData("b", 1, readWrite)},
	}, "b:0@hb", false)
	f("nothing", codec.TopicRouteData{}, "", false)
}

// TestBothDialects: a route is the same whether its map keys are bare integers, as old and Java's
// servers write them, or strings.
func TestBothDialects(t *testing.T) {
	data := codec.TopicRouteData{
		BrokerDatas: []codec.BrokerData{group("a", "ha"), group("b", "hb")},
		QueueDatas:  []codec.QueueData{queueData("a", 2, readWrite), queueData("b", 1, readWrite)},
	}
	data.BrokerDatas[0].BrokerAddrs[3] = "slave"
	static := data
	static.TopicQueueMappingByBroker = map[string]codec.TopicQueueMappingInfo{"a": mapping("a", 1, 2, 0), "b": mapping("b", 1, 2, 1)}
	for name, d := range map[string]codec.TopicRouteData{"plain topic": data, "static topic": static} {
		var first *Route
		for _, dialect := range []codec.Dialect{codec.DialectPlain, codec.DialectStandard} {
			body := codec.AppendTopicRouteData(nil, &d, dialect)
			if json.Valid(body) != (dialect == codec.DialectStandard) {
				t.Fatalf("%s: this is no example of dialect %d: %s", name, dialect, body)
			}
			parsed, err := codec.ParseTopicRouteData(body, nil)
			if err != nil {
				t.Fatalf("%s, dialect %d: %v", name, dialect, err)
			}
			r, err := newRoute("T", &parsed, first, time.Now())
			if err != nil || len(r.Targets()) == 0 || first != nil && r.Data != first.Data {
				t.Errorf("%s, dialect %d: %v, %s", name, dialect, err, targets(r))
			}
			first = r
		}
	}
}

// TestOrderedQueues: orderTopicConf names the queues, whatever the queue data say.
func TestOrderedQueues(t *testing.T) {
	base := func(conf string) codec.TopicRouteData {
		return codec.TopicRouteData{
			OrderTopicConf: codec.NullString{String: conf, Valid: true},
			BrokerDatas:    []codec.BrokerData{group("a", "ha"), group("b", "hb")},
			QueueDatas:     []codec.QueueData{queueData("a", 8, readWrite)},
		}
	}
	f := func(conf, want string, ordered bool) {
		t.Helper()
		d := base(conf)
		r, err := newRoute("T", &d, nil, time.Now())
		if err != nil {
			t.Errorf("%q: %v", conf, err)
		} else if got := targets(r); got != want || r.Ordered != ordered {
			t.Errorf("%q: got %s ordered %v, want %s ordered %v", conf, got, r.Ordered, want, ordered)
		}
	}
	f("b:1;a:2", "b:0@hb a:0@ha a:1@ha", true)
	f("a:1;", "a:0@ha", true)
	f("a:1:6", "a:0@ha", true)
	f("gone:2;a:1", "gone:0 gone:1 a:0@ha", true)
	f(";;", "", true)
	f("a:-1;b:1", "b:0@hb", true)
	f("", "a:0@ha a:1@ha a:2@ha a:3@ha a:4@ha a:5@ha a:6@ha a:7@ha", false)

	for _, conf := range []string{"a", "a:", "a:x", ";a:1", "a:1;;b:1", "a:99999999999", "a: 1"} {
		d := base(conf)
		if r, err := newRoute("T", &d, nil, time.Now()); !errors.Is(err, ErrBadRoute) {
			t.Errorf("%q: got %v, %v, want ErrBadRoute", conf, r, err)
		}
	}
}

func mapping(bname string, epoch int64, total int32, ids ...int32) codec.TopicQueueMappingInfo {
	m := map[int32]int32{}
	for i, id := range ids {
		m[id] = int32(i)
	}
	return codec.TopicQueueMappingInfo{
		Scope: codec.NullString{String: scopeGlobal, Valid: true}, BName: codec.NullString{String: bname, Valid: bname != ""},
		TotalQueues: total, Epoch: epoch, CurrIDMap: m,
	}
}

// TestStaticQueues pins Java's ClientMetadata#topicRouteData2EndpointsForStaticTopic.
func TestStaticQueues(t *testing.T) {
	f := func(name string, m map[string]codec.TopicQueueMappingInfo, want string) {
		t.Helper()
		d := codec.TopicRouteData{
			BrokerDatas:               []codec.BrokerData{group("a", "ha"), group("b", "hb")},
			QueueDatas:                []codec.QueueData{queueData("a", 8, readWrite)},
			TopicQueueMappingByBroker: m,
		}
		r, err := newRoute("T", &d, nil, time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := strings.ReplaceAll(targets(r), "__syslo__global__", "G"); got != want || r.Ordered {
			t.Errorf("%s: got %s ordered %v, want %s", name, got, r.Ordered, want)
		}
	}
	type byBroker = map[string]codec.TopicQueueMappingInfo
	f("each its own", byBroker{"a": mapping("a", 1, 3, 0, 2), "b": mapping("b", 1, 3, 1)}, "G:0@ha G:1@hb G:2@ha")
	f("the newest epoch has it", byBroker{"a": mapping("a", 9, 2, 0, 1), "b": mapping("b", 3, 2, 0, 1)}, "G:0@ha G:1@ha")
	f("the newest epoch has it, other order", byBroker{"a": mapping("a", 3, 2, 0, 1), "b": mapping("b", 9, 2, 0)}, "G:0@hb G:1@ha")
	f("equal epochs", byBroker{"a": mapping("a", 3, 1, 0), "b": mapping("b", 3, 1, 0)}, "G:0@hb")
	f("nobody has queue 1", byBroker{"a": mapping("a", 1, 3, 0, 2)}, "G:0@ha G:1 G:2@ha")
	f("its broker is not there", byBroker{"c": mapping("c", 1, 1, 0)}, "G:0")
	f("beyond the total", byBroker{"a": mapping("a", 1, 1, 0, 5)}, "G:0@ha")
	f("no name inside", byBroker{"a": mapping("", 1, 1, 0)}, "G:0@ha")
	zone := mapping("b", 1, 2, 0, 1)
	zone.Scope.String = "z"
	f("two scopes", byBroker{"a": mapping("a", 1, 1, 0), "b": zone}, "G:0@ha __syslo__z:0@hb __syslo__z:1@hb")
	none := mapping("a", 1, 1, 0)
	none.Scope = codec.NullString{}
	f("no scope", byBroker{"a": none}, "")
	f("none", byBroker{}, "a:0@ha a:1@ha a:2@ha a:3@ha a:4@ha a:5@ha a:6@ha a:7@ha")
}

// TestQueueNumbersAreBounded: a number in an answer is not what we allocate by.
func TestQueueNumbersAreBounded(t *testing.T) {
	brokers := []codec.BrokerData{group("a", "ha"), group("b", "hb")}
	bombs := map[string]codec.TopicRouteData{
		"queue data": {BrokerDatas: brokers, QueueDatas: []codec.QueueData{queueData("a", 1<<31-1, readWrite)}},
		"sum":        {BrokerDatas: brokers, QueueDatas: []codec.QueueData{queueData("a", queuesMax, readWrite), queueData("b", 1, readWrite)}},
		"order":      {BrokerDatas: brokers, OrderTopicConf: codec.NullString{String: "a:2147483647", Valid: true}},
		"static": {BrokerDatas: brokers, TopicQueueMappingByBroker: map[string]codec.TopicQueueMappingInfo{
			"a": mapping("a", 1, 1<<31-1, 0)}},
		"brokers": {BrokerDatas: make([]codec.BrokerData, brokersMax+1)},
	}
	for name, d := range bombs {
		if r, err := newRoute("T", &d, nil, time.Now()); !errors.Is(err, ErrBadRoute) {
			t.Errorf("%s: got %v, %v, want ErrBadRoute", name, r, err)
		}
	}
	d := codec.TopicRouteData{BrokerDatas: brokers, QueueDatas: []codec.QueueData{queueData("a", queuesMax, readWrite)}}
	if _, err := newRoute("T", &d, nil, time.Now()); err != nil {
		t.Errorf("queuesMax queues: %v", err)
	}
}

// TestUnchangedRouteIsShared: the answer of a refresh that says the same in another order
// keeps the queues known, so that nobody has to look at them again.
func TestUnchangedRouteIsShared(t *testing.T) {
	answer := func(reverse bool) *codec.TopicRouteData {
		d := &codec.TopicRouteData{
			BrokerDatas: []codec.BrokerData{group("a", "ha"), group("b", "hb")},
			QueueDatas:  []codec.QueueData{queueData("a", 1, readWrite), queueData("b", 1, readWrite)},
		}
		if reverse {
			d.BrokerDatas[0], d.BrokerDatas[1] = d.BrokerDatas[1], d.BrokerDatas[0]
			d.QueueDatas[0], d.QueueDatas[1] = d.QueueDatas[1], d.QueueDatas[0]
		}
		return d
	}
	old, err := newRoute("T", answer(false), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	same, err := newRoute("T", answer(true), old, time.Now())
	if err != nil || same.Data != old.Data || len(same.Queues) != 2 {
		t.Errorf("the same answer in another order: %v, shared %v", err, same.Data == old.Data)
	}
	for name, change := range map[string]func(*codec.TopicRouteData){
		"address": func(d *codec.TopicRouteData) { d.BrokerDatas[0].BrokerAddrs[0] = "other" },
		"slave":   func(d *codec.TopicRouteData) { d.BrokerDatas[0].BrokerAddrs[1] = "slave" },
		"perm":    func(d *codec.TopicRouteData) { d.QueueDatas[0].Perm = codec.PermRead },
		"queues":  func(d *codec.TopicRouteData) { d.QueueDatas[1].WriteQueueNums = 2 },
		"order":   func(d *codec.TopicRouteData) { d.OrderTopicConf = codec.NullString{Valid: true} },
		"zone":    func(d *codec.TopicRouteData) { d.BrokerDatas[1].ZoneName = codec.NullString{String: "z", Valid: true} },
		"filter":  func(d *codec.TopicRouteData) { d.FilterServerTable = map[string][]string{"ha": {"f"}} },
		"mapping": func(d *codec.TopicRouteData) {
			d.TopicQueueMappingByBroker = map[string]codec.TopicQueueMappingInfo{"a": mapping("a", 1, 1, 0)}
		},
		"a broker": func(d *codec.TopicRouteData) { d.BrokerDatas = d.BrokerDatas[:1] },
	} {
		d := answer(false)
		change(d)
		if r, err := newRoute("T", d, old, time.Now()); err != nil || r.Data == old.Data {
			t.Errorf("%s: %v, passed for unchanged: %v", name, err, r.Data == old.Data)
		}
	}
}

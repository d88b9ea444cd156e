//go:build !race

package routetable

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// heapInUse returns the bytes that are reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // the first one may only queue what finalizers and sweeping hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// churn registers rounds generations of topics of one broker, each under names of its own,
// and takes each away again in one of the ways in which topics go.
func churn(t *testing.T, f *fleet, rounds, topics int) {
	t.Helper()
	names := make([][]byte, topics)
	rules := Rules{DeleteTopicWithBrokerRegistration: true}
	body := &codec.RegisterBody{Topics: make([]codec.TopicConfig, topics)}
	for round := range rounds {
		for i := range names {
			names[i] = fmt.Appendf(names[i][:0], "churn-%d-%d", round, i)
			// Many different shapes, too.
			body.Topics[i] = codec.TopicConfig{Name: names[i], Key: names[i], ReadQueueNums: int32(i), Perm: 6}
		}
		body.DataVersion.Counter++
		body.Mappings = []codec.TopicQueueMapping{{
			Topic: string(names[0]), Info: codec.TopicQueueMappingInfo{BName: codec.NullString{String: "broker-0900", Valid: true}},
		}}
		r := benchRegistration(900, body)
		var res RegisterResult
		f.Update(Rules{}, func(x *Txn) { res = x.RegisterBroker(r) })
		if res.Status != Registered {
			t.Fatalf("%+v", res)
		}
		dst := []byte(nil)
		for i := range names {
			route, ok := f.Snapshot().Route(names[i])
			if !ok {
				t.Fatalf("no route of %s", names[i])
			}
			dst = route.AppendBody(dst[:0], RouteOptions{})
		}
		f.Update(rules, func(x *Txn) {
			switch round % 4 {
			case 0:
				x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
			case 1:
				x.RemoveBinding(res.Binding, RemoveConnClosed)
			case 2:
				for _, n := range names {
					x.DeleteTopic(string(n), "")
				}
			case 3:
				next := benchRegistration(900, &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: -1}})
				x.RegisterBroker(next)
			}
		})
	}
	f.Update(rules, func(x *Txn) {
		x.UnregisterBroker(UnregisterRequest{Broker: benchRegistration(900, nil).Broker, Name: "broker-0900"})
	})
}

// TestNothingStaysOfVanishedTopics: after a million topics have come and gone, beside
// 100,000 that stay, the heap is what it was.
func TestNothingStaysOfVanishedTopics(t *testing.T) {
	f := newFleet(100_000, 3, alike)
	churn(t, f, 2, 10_000) // scratch space grows to its size
	before, beforeStats := heapInUse(), f.Snapshot().Stats()
	churn(t, f, 50, 20_000)
	after, afterStats := heapInUse(), f.Snapshot().Stats()
	t.Logf("heap %d kB before, %d kB after a million topics", before>>10, after>>10)
	if after > before+before/10 {
		t.Errorf("heap %d before, %d after", before, after)
	}
	afterStats.Publication, afterStats.NameBytes = beforeStats.Publication, beforeStats.NameBytes
	if afterStats != beforeStats {
		t.Errorf("before %+v, after %+v", beforeStats, afterStats)
	}
	if err := f.checkInvariants(); err != nil {
		t.Error(err)
	}
	for _, n := range f.names[:1000] {
		if _, ok := f.Snapshot().Route(n); !ok {
			t.Fatalf("%s is gone", n)
		}
	}
	runtime.KeepAlive(f)
}

// TestNothingStaysOfAllDifferentShapes: the same when everything was different and
// everything goes.
func TestNothingStaysOfAllDifferentShapes(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(10)}
	f.ingest(1, alike)
	churn(t, f, 1, 1000)
	before := heapInUse()
	churn(t, f, 2, 60_000)
	after := heapInUse()
	t.Logf("heap %d kB before, %d kB after", before>>10, after>>10)
	if after > before+before/10+(256<<10) {
		t.Errorf("heap %d before, %d after", before, after)
	}
	if err := f.checkInvariants(); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(f)
}

package routetable

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// TestNameRun: the next records are found, also behind gaps and ends of chunks; what lies
// further off, behind, or beyond the names that count, is not.
func TestNameRun(t *testing.T) {
	var a arena
	places := make(map[string]nameRun)
	for _, name := range []string{"a", "b", "c", "d", strings.Repeat("e", arenaChunkBytes-20), "f", "g"} {
		_, chunk, offset := a.add([]byte(name))
		places[name] = nameRun{chunk, offset}
	}
	if len(a.chunks) < 2 {
		t.Fatal("all names lie in one chunk")
	}
	for _, c := range []struct {
		from, name string
		names      uint32
		found      bool
	}{
		{"a", "a", 7, true}, {"a", "b", 7, true}, {"a", "c", 7, true}, {"a", "d", 7, false}, {"b", "a", 7, false},
		{"d", "d", 7, true}, {"f", "g", 7, true}, {"g", "f", 7, false}, {"a", "c", 2, false}, {"a", "x", 7, false},
	} {
		r := places[c.from]
		id, ok := r.next(a.chunks, c.names, []byte(c.name))
		if ok != c.found || ok && id != uint32(c.name[0]-'a') {
			t.Errorf("from %s: %s is %d, %v", c.from, c.name, id, ok)
		}
		if !ok && r != places[c.from] {
			t.Errorf("from %s: %s was not found, and the run went on", c.from, c.name)
		}
	}
	r := places["g"]
	if _, ok := r.next(a.chunks, 7, []byte("g")); !ok {
		t.Fatal("the last name is not found")
	}
	if _, ok := r.next(a.chunks, 7, []byte("a")); ok {
		t.Error("found behind the last record")
	}
}

// TestNameRunOrders: a broker may name its topics in any order, with some missing, some new, and
// some that other brokers have deleted meanwhile; each gets the queues that were meant for it.
func TestNameRunOrders(t *testing.T) {
	const topics = 500
	table := New(Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	order := make([]int, topics)
	for i := range order {
		order[i] = i
	}
	for round := range 60 {
		switch round % 4 {
		case 1:
			slices.Reverse(order)
		case 2:
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		case 3:
			slices.Sort(order)
		}
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: int64(round)}}
		want := make(map[string]int32)
		for _, i := range order[:rng.IntN(topics-2)+2] {
			name := fmt.Appendf(nil, "topic-%d", i)
			want[string(name)] = int32(1 + (i+round)%7)
			body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: want[string(name)], Perm: 6})
		}
		// Under this rule topics that are not named go, and their names stay as dead records.
		table.Update(Rules{DeleteTopicWithBrokerRegistration: true}, func(x *Txn) { x.RegisterBroker(benchRegistration(1, body)) })
		if st := table.Snapshot().Stats(); st.Topics != len(want) {
			t.Fatalf("round %d: %d topics, want %d", round, st.Topics, len(want))
		}
		for name, n := range want {
			got, err := queuesOf(table.Snapshot(), name)
			if err != nil || len(got) != 1 || got["broker-0001"] != n {
				t.Fatalf("round %d: %s has %v, want %d queues (%v)", round, name, got, n, err)
			}
		}
		if err := table.checkInvariants(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// TestEmptyQueuesBehindKnownTopic: a topic without queues and permission, of the first group there
// is, is written too when the topic before it needs nothing.
func TestEmptyQueuesBehindKnownTopic(t *testing.T) {
	table := New(Options{})
	config := func(name string, queues int32) codec.TopicConfig {
		return codec.TopicConfig{Name: []byte(name), Key: []byte(name), ReadQueueNums: queues, WriteQueueNums: queues}
	}
	known, other := config("known", 4), config("other", 4)
	for _, topics := range [][]codec.TopicConfig{{known, other}, {known, config("empty", 0)}} {
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: 1}, Topics: topics}
		table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(benchRegistration(0, body)) })
	}
	if got, err := queuesOf(table.Snapshot(), "empty"); err != nil || len(got) != 1 || got["broker-0000"] != 0 {
		t.Errorf("the topic has %v (%v)", got, err)
	}
}

// TestNameRunPassesRecordsTheDictionaryLeftOut: names die, the dictionary grows and leaves them
// out, and then a broker names them again in the order of their old records.
func TestNameRunPassesRecordsTheDictionaryLeftOut(t *testing.T) {
	table := New(Options{})
	counter := int64(0)
	register := func(names ...string) {
		counter++
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: counter}}
		for _, n := range names {
			body.Topics = append(body.Topics, codec.TopicConfig{Name: []byte(n), Key: []byte(n), ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6})
		}
		table.Update(Rules{DeleteTopicWithBrokerRegistration: true}, func(x *Txn) { x.RegisterBroker(benchRegistration(1, body)) })
	}
	names := func(prefix string, n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%s%d", prefix, i))
		}
		return list
	}
	old := names("t", 150)
	register(old...)
	register(old[:3]...)                              // the others die, their records stay
	register(append(old[:3:3], names("n", 60)...)...) // the dictionary grows without them
	register(old...)
	if err := table.checkInvariants(); err != nil {
		t.Error(err)
	}
	for _, n := range old {
		if _, ok := table.Snapshot().Route([]byte(n)); !ok {
			t.Fatalf("%s is not found", n)
		}
	}
}

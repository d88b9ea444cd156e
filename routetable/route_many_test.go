package routetable

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// Routes finds what Route finds: names in full slot tables, long ones, ones that are not
// there, ones whose brokers are hidden.
func TestRoutesAreRoute(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	table := New(Options{})
	var names []string
	for g := range 3 {
		body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: 1, Timestamp: 1}}
		for i := range 900 {
			name := fmt.Sprintf("T%d-%s", i*(g+1), strings.Repeat("x", i%150))
			names = append(names, name)
			body.Topics = append(body.Topics, codec.TopicConfig{Name: []byte(name), Key: []byte(name), ReadQueueNums: int32(i % 7), WriteQueueNums: 4, Perm: 6})
		}
		one := benchRegistration(g, body)
		table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(one) })
	}
	for i := range 500 {
		names = append(names, fmt.Sprint("absent", i))
	}
	s := table.Snapshot()
	if len(s.topics.dict.slots) > nearSlotsMax {
		t.Error("this tests only one way of two")
	}
	far := *s.topics.dict // with slots for many more names, so that it is not near
	far.slots = make([]uint64, 2*nearSlotsMax)
	eachRecord(s.topics.chunks, s.topics.names, func(_ uint32, name []byte, chunk, offset int) bool {
		far.insert(far.hash(name), chunk, offset)
		return true
	})
	wide, topicsOf := *s, *s.topics
	topicsOf.dict, wide.topics = &far, &topicsOf
	for i := range 4000 {
		s := s
		if i%2 == 1 {
			s = &wide
		}
		var topics [][]byte
		for range 1 + r.IntN(RoutesMax) {
			topics = append(topics, []byte(names[r.IntN(len(names))]))
		}
		o := RouteOptions{Dialect: codec.Dialect(r.IntN(2)), SupportActingMaster: r.IntN(2) == 0}
		routes := make([]Route, len(topics))
		s.Routes(topics, routes, &o)
		for i, topic := range topics {
			one, found := s.Route(topic)
			if routes[i].Found() != found {
				t.Fatalf("%s: found %v, alone %v", topic, routes[i].Found(), found)
			}
			if !found {
				continue
			}
			if got, want := string(routes[i].AppendBody(nil, o)), string(one.AppendBody(nil, o)); got != want {
				t.Fatalf("%s:\n%s\nalone:\n%s", topic, got, want)
			}
			o2 := RouteOptions{Dialect: 1 - o.Dialect}
			if got, want := string(routes[i].AppendBody(nil, o2)), string(one.AppendBody(nil, o2)); got != want {
				t.Fatalf("%s in the other dialect:\n%s\nalone:\n%s", topic, got, want)
			}
		}
	}
}

package routetable

import (
	"bytes"
	"fmt"
	"testing"
)

// The encoded list of topics stays until topics come or go, within the budget, and is then
// given back; whoever holds an old snapshot leaves nothing behind.
func TestEncodedTopicList(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(300)}
	f.ingest(2, alike)
	used := func() int64 { return f.Snapshot().Stats().BodyBytes }
	encode := func(s *Snapshot) []byte {
		t.Helper()
		want := s.appendTopics(nil, nil)
		s.EncodeTopicList()
		if got := s.EncodedTopicList(); got != nil && !bytes.Equal(got, want) {
			t.Fatalf("encoded\n%s\nappended\n%s", got, want)
		}
		return s.EncodedTopicList()
	}
	old := f.Snapshot()
	list := encode(old)
	if list == nil || used() < int64(len(list)) {
		t.Fatalf("%d bytes of list, the budget knows of %d", len(list), used())
	}
	before := used()
	for _, r := range f.parts(1, 2, different) { // other queues, no other topics
		f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
	}
	if got := f.Snapshot().EncodedTopicList(); &got[0] != &list[0] || used() != before {
		t.Errorf("a change of queues has ended the list, or its charge: %d bytes, now %d", before, used())
	}
	f.Update(Rules{}, func(x *Txn) { x.DeleteTopic(string(f.names[7]), "") })
	if f.Snapshot().EncodedTopicList() != nil || used() != 0 {
		t.Errorf("a topic has gone: %d bytes are charged", used())
	}
	if fresh := encode(f.Snapshot()); len(fresh) >= len(list) || bytes.Contains(fresh, f.names[7]) {
		t.Error("the topic is in the list still")
	}
	before = used()
	if got := encode(old); !bytes.Equal(got, list) || used() != before {
		t.Errorf("the old snapshot's list: %d bytes of %d; %d bytes are charged, %d before", len(got), len(list), used(), before)
	}
	f.Update(Rules{}, func(x *Txn) {
		for b := range 2 {
			r := benchRegistration(b, nil)
			x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
		}
	})
	if used() != 0 {
		t.Errorf("%d bytes of an empty table", used())
	}
}

// No list is kept beyond the budget, and none by a snapshot that is old already.
func TestEncodedTopicListBounds(t *testing.T) {
	f := &fleet{New(Options{BodyBytesMax: 1000}), topicNames(300)}
	f.ingest(1, alike)
	s := f.Snapshot()
	if s.EncodeTopicList(); s.EncodedTopicList() != nil || s.Stats().BodyBytes != 0 {
		t.Error("a list above the budget is kept")
	}
	f = newFleet(300, 1, alike)
	s = f.Snapshot()
	f.Update(Rules{}, func(x *Txn) { x.DeleteTopic(string(f.names[7]), "") })
	if s.EncodeTopicList(); s.EncodedTopicList() != nil || s.Stats().BodyBytes != 0 {
		t.Error("a list that nobody would give back is kept")
	}
}

// Readers encode lists while topics come and go; in the end everything is given back.
func TestEncodedTopicListUnderRace(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(40)}
	f.ingest(1, alike)
	readers(t, func() {
		for round := range 300 {
			f.Update(Rules{}, func(x *Txn) {
				if round%2 == 0 {
					x.DeleteTopic(string(f.names[round%40]), "")
					return
				}
				x.RegisterBroker(f.parts(0, int64(round+2), alike)[0])
			})
		}
	}, func() error {
		s := f.Snapshot()
		s.EncodeTopicList()
		if list := s.EncodedTopicList(); list != nil && !bytes.Equal(list, s.appendTopics(nil, nil)) {
			return fmt.Errorf("encoded %d bytes, appended %d", len(list), len(s.appendTopics(nil, nil)))
		}
		return nil
	})
	f.Update(Rules{}, func(x *Txn) {
		r := benchRegistration(0, nil)
		x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
	})
	if used := f.Snapshot().Stats().BodyBytes; used != 0 {
		t.Errorf("%d bytes of an empty table", used)
	}
}

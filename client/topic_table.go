package client

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// topicTableShards cuts the cost of adding: an addition copies one shard's map.
const topicTableShards = 64

// topicTable is a map from topic to *V for many readers and few additions: Get takes no
// lock and allocates nothing, Add copies a 64th of the table.
type topicTable[V any] struct {
	seed   maphash.Seed
	shards [topicTableShards]topicShard[V]
}

type topicShard[V any] struct {
	mu sync.Mutex // held by writers
	m  atomic.Pointer[map[string]*V]
}

func newTopicTable[V any]() *topicTable[V] {
	return &topicTable[V]{seed: maphash.MakeSeed()}
}

func (t *topicTable[V]) shard(topic string) *topicShard[V] {
	return &t.shards[maphash.String(t.seed, topic)%topicTableShards]
}

// Get returns the topic's value, nil if there is none.
func (t *topicTable[V]) Get(topic string) *V {
	m := t.shard(topic).m.Load()
	if m == nil {
		return nil
	}
	return (*m)[topic]
}

// Add returns the topic's value and makes it with create if there is none. create runs
// under the shard's lock.
func (t *topicTable[V]) Add(topic string, create func() *V) *V {
	s := t.shard(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]*V{}
	if m := s.m.Load(); m != nil {
		if v := (*m)[topic]; v != nil {
			return v
		}
		next = maps.Clone(*m)
	}
	v := create()
	next[topic] = v
	s.m.Store(&next)
	return v
}

// Remove removes the topic if its value is still v.
func (t *topicTable[V]) Remove(topic string, v *V) {
	s := t.shard(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.m.Load()
	if m == nil || (*m)[topic] != v {
		return
	}
	next := maps.Clone(*m)
	delete(next, topic)
	s.m.Store(&next)
}

// All ranges over the table as it was when its shard was reached.
func (t *topicTable[V]) All() iter.Seq2[string, *V] {
	return func(yield func(string, *V) bool) {
		for i := range t.shards {
			m := t.shards[i].m.Load()
			if m == nil {
				continue
			}
			for topic, v := range *m {
				if !yield(topic, v) {
					return
				}
			}
		}
	}
}

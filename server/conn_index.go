package server

import (
	"sync"
	"sync/atomic"

	"github.com/pharosmq/pharos/routetable"
)

const connShards = 64 // a power of two

// connIndex finds open connections by id, for effects and for the evictor. It is written
// when connections open and close, never per request.
type connIndex struct {
	last   atomic.Uint64 // the last id given out
	open   atomic.Int64
	shards [connShards]struct {
		mu sync.RWMutex
		m  map[routetable.ConnID]*connection
	}
}

func newConnIndex() *connIndex {
	x := &connIndex{}
	for i := range x.shards {
		x.shards[i].m = map[routetable.ConnID]*connection{}
	}
	return x
}

// nextID gives out the next id. Ids begin at 1 and are never given out again.
func (x *connIndex) nextID() routetable.ConnID { return routetable.ConnID(x.last.Add(1)) }

func (x *connIndex) add(c *connection) {
	s := &x.shards[c.id&(connShards-1)]
	s.mu.Lock()
	s.m[c.id] = c
	s.mu.Unlock()
}

func (x *connIndex) remove(id routetable.ConnID) {
	s := &x.shards[id&(connShards-1)]
	s.mu.Lock()
	delete(s.m, id)
	s.mu.Unlock()
}

func (x *connIndex) get(id routetable.ConnID) (*connection, bool) {
	s := &x.shards[id&(connShards-1)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.m[id]
	return c, ok
}

// each calls f for every open connection, with no lock held.
func (x *connIndex) each(f func(*connection)) {
	var some []*connection
	for i := range x.shards {
		s := &x.shards[i]
		some = some[:0]
		s.mu.RLock()
		for _, c := range s.m {
			some = append(some, c)
		}
		s.mu.RUnlock()
		for _, c := range some {
			f(c)
		}
	}
}

package routetable

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// TestDictNames: names of all lengths are found, others are not, in the dictionary that
// grew and in all snapshots on the way.
func TestDictNames(t *testing.T) {
	table := New(Options{})
	table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(benchRegistration(0, nil)) })
	var names []string
	for _, n := range []int{0, 1, 5, 127, 128, 129, 255, 300, 16384, arenaChunkBytes - 9, arenaChunkBytes, 3 * arenaChunkBytes} {
		names = append(names, strings.Repeat("n", n))
	}
	for i := range 3000 {
		names = append(names, fmt.Sprint("name-", i))
	}
	names = append(names, "\x00", "\x00\x00", "ünï", "\xff\xfe")
	type moment struct {
		s     *Snapshot
		known int
	}
	var moments []moment
	for i, n := range names {
		table.Update(Rules{}, func(x *Txn) { x.RegisterTopic(n, []codec.QueueData{{BrokerName: "broker-0000", Perm: int32(i % 5)}}) })
		if i%100 == 0 || i < 20 {
			moments = append(moments, moment{table.Snapshot(), i + 1})
		}
	}
	moments = append(moments, moment{table.Snapshot(), len(names)})
	for _, m := range moments {
		for i, n := range names {
			if _, ok := m.s.Route([]byte(n)); ok != (i < m.known) {
				t.Fatalf("snapshot with %d names: name %d (%d bytes) found: %v", m.known, i, len(n), ok)
			}
		}
		listed := 0
		for range m.s.Topics() {
			listed++
		}
		if listed != m.known {
			t.Fatalf("snapshot with %d names lists %d", m.known, listed)
		}
	}
	if err := table.checkInvariants(); err != nil {
		t.Error(err)
	}
}

// TestDictReadersDuringGrowth: readers of old and new snapshots look names up while the
// writer adds thousands to the same arrays.
func TestDictReadersDuringGrowth(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(20_000)}
	var wg sync.WaitGroup
	done := make(chan bool)
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				s := f.Snapshot()
				n := s.Stats().Topics
				for i := 0; i < n; i += 1 + n/50 {
					if _, ok := s.Route(f.names[i]); !ok {
						t.Errorf("topic %d of %d is missing", i, n)
						return
					}
				}
				if n < len(f.names) {
					if _, ok := s.Route(f.names[len(f.names)-1]); ok {
						t.Errorf("the last topic is there among %d", n)
					}
				}
			}
		})
	}
	f.ingest(1, different)
	close(done)
	wg.Wait()
}

// TestInternTable: a table of random shapes finds what is in it and nothing else, while
// shapes come and go.
func TestInternTable(t *testing.T) {
	var (
		rnd    = rand.New(rand.NewPCG(1, 2))
		table  internTable
		shapes = shapeTable{chunks: []*[shapeChunkLen]*shape{new([shapeChunkLen]*shape)}}
		seed   = maphash.MakeSeed()
		in     = map[uint32]bool{}
	)
	membersOf := func(id uint32) []member { return []member{{group: id, read: int32(id % 3)}} }
	for step := range 20_000 {
		id := uint32(1 + rnd.IntN(shapeChunkLen-1))
		hash := maphash.Bytes(seed, memberBytesOf(membersOf(id)))
		if step%2 == 0 {
			hash = uint64(id % 7) // long runs of equal homes
		}
		if s := shapes.chunks[0][id]; s != nil {
			hash = s.hash
		}
		if in[id] {
			table.remove(shapes.at(id))
			shapes.chunks[0][id] = nil
			delete(in, id)
		} else {
			s := newShape(hash, membersOf(id))
			s.id = id
			shapes.chunks[0][id] = s
			table.insert(s)
			in[id] = true
		}
		if table.count != len(in) {
			t.Fatalf("step %d: count %d of %d", step, table.count, len(in))
		}
		if got := table.find(&shapes, hash, membersOf(id)); (got == id) != in[id] {
			t.Fatalf("step %d: found %d, %d is in: %v", step, got, id, in[id])
		}
	}
	for id := range in {
		if got := table.find(&shapes, shapes.at(id).hash, membersOf(id)); got != id {
			t.Errorf("found %d for %d", got, id)
		}
	}
}

// TestBodyBudget: bodies stay within the budget, are given back when they are replaced or
// their shape goes, and a table without room answers the same bytes.
func TestBodyBudget(t *testing.T) {
	const max = 50_000
	f := &fleet{New(Options{BodyBytesMax: max}), topicNames(300)}
	g := &fleet{New(Options{BodyBytesMax: -1}), f.names}
	f.ingest(4, different)
	g.ingest(4, different)
	lookAll := func() {
		t.Helper()
		for i, n := range f.names {
			o := RouteOptions{Dialect: codec.Dialect(i % 2)}
			a, ok := f.Snapshot().Route(n)
			b, _ := g.Snapshot().Route(n)
			if !ok || !bytes.Equal(a.AppendBody(nil, o), b.AppendBody(nil, o)) {
				t.Fatalf("%s: other bytes without room", n)
			}
			if used := f.Snapshot().Stats().BodyBytes; used > max+2000 {
				t.Fatalf("%d bytes of bodies", used)
			}
		}
	}
	full := func() {
		t.Helper()
		if used := f.Snapshot().Stats().BodyBytes; used < max-2000 {
			t.Errorf("only %d bytes of bodies", used)
		}
	}
	lookAll()
	full()
	for round := range 5 { // every group change voids all bodies
		for _, table := range []*Table{f.Table, g.Table} {
			r := benchRegistration(1, nil)
			r.Zone = codec.NullString{String: fmt.Sprint("zone", round), Valid: true}
			table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
		}
		lookAll()
		full() // stale bodies have made room
		s := f.Snapshot()
		for i := range s.shapes.len() {
			if sh := s.shapes.at(uint32(i)); sh != nil && sh.bodies.Load() != nil && sh.current(s.view) == nil {
				t.Fatalf("shape %d keeps bodies that nobody can use", i)
			}
		}
	}
	old := f.Snapshot()
	f.Update(Rules{}, func(x *Txn) {
		for b := range 4 {
			r := benchRegistration(b, nil)
			x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
		}
	})
	// A reader of an old snapshot gets its body still, and leaves nothing behind.
	route, _ := old.Route(f.names[7])
	if len(route.AppendBody(nil, RouteOptions{SupportActingMaster: true})) < 100 {
		t.Error("no body from the old snapshot")
	}
	if used := f.Snapshot().Stats().BodyBytes; used != 0 {
		t.Errorf("%d bytes of bodies of an empty table", used)
	}
}

// TestBodyBudgetUnderRace: readers of different snapshots build, replace and lose bodies at
// the same time; in the end everything is given back.
func TestBodyBudgetUnderRace(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(40)}
	f.ingest(3, different)
	readers(t, func() {
		for round := range 300 {
			r := benchRegistration(round%3, nil)
			r.Zone = codec.NullString{String: fmt.Sprint(round), Valid: true}
			f.Update(Rules{}, func(x *Txn) {
				if round%10 == 9 {
					x.WipeWritePerm(r.Name)
				} else if round%10 == 4 {
					x.AddWritePerm(r.Name)
				}
				x.RegisterBroker(r)
			})
		}
	}, func() error {
		s := f.Snapshot()
		for i, n := range f.names {
			r, ok := s.Route(n)
			if !ok {
				return fmt.Errorf("%s is missing", n)
			}
			r.AppendBody(nil, RouteOptions{Dialect: codec.Dialect(i % 2)})
		}
		return nil
	})
	f.Update(Rules{}, func(x *Txn) {
		for b := range 3 {
			r := benchRegistration(b, nil)
			x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
		}
	})
	if used := f.Snapshot().Stats().BodyBytes; used != 0 {
		t.Errorf("%d bytes of bodies of an empty table", used)
	}
}

package routetable

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// readers runs read in several goroutines while write runs, and stops at the first error.
func readers(t *testing.T, write func(), read func() error) {
	t.Helper()
	var (
		wg   sync.WaitGroup
		stop atomic.Bool
		bad  atomic.Pointer[error]
	)
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
				if err := read(); err != nil {
					bad.Store(&err)
					return
				}
			}
		})
	}
	write()
	stop.Store(true)
	wg.Wait()
	if err := bad.Load(); err != nil {
		t.Error(*err)
	}
}

var limits = codec.DefaultLimits()

// queuesOf returns the number of queues of a topic at each of its brokers, as the encoded
// route says it.
func queuesOf(s *Snapshot, topic string) (map[string]int32, error) {
	r, ok := s.Route([]byte(topic))
	if !ok {
		return nil, nil
	}
	body := r.AppendBody(nil, RouteOptions{Dialect: codec.DialectStandard})
	route, err := codec.ParseTopicRouteData(body, &limits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", body, err)
	}
	known := make(map[string]bool)
	for _, b := range route.BrokerDatas {
		known[b.BrokerName] = len(b.BrokerAddrs) > 0
	}
	queues := make(map[string]int32)
	for _, q := range route.QueueDatas {
		if !known[q.BrokerName] {
			return nil, fmt.Errorf("queues on %s, whose addresses are missing: %s", q.BrokerName, body)
		}
		queues[q.BrokerName] = q.ReadQueueNums
	}
	if len(queues) != len(known) {
		return nil, fmt.Errorf("%d groups with queues, %d with addresses: %s", len(queues), len(known), body)
	}
	return queues, nil
}

// TestNoDirtyRead: a registration changes all of a broker's topics at once.
func TestNoDirtyRead(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(50)}
	whole := func(queues int32, version int64) *Registration {
		return f.parts(0, version, func(int) int32 { return queues })[0]
	}
	f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(whole(4, 0)) })
	readers(t, func() {
		for i := range int64(400) {
			r := whole(4+4*int32(i%2), i)
			f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
		}
	}, func() error {
		s := f.Snapshot()
		want := int32(0)
		for _, name := range f.names {
			q, err := queuesOf(s, string(name))
			if err != nil {
				return err
			}
			if want == 0 {
				want = q["broker-0000"]
			}
			if q["broker-0000"] != want || (want != 4 && want != 8) {
				return fmt.Errorf("%s has %d queues, others of the same snapshot %d", name, q["broker-0000"], want)
			}
		}
		return nil
	})
}

// TestNoNonRepeatableRead: a snapshot answers the same bytes as long as it is held,
// whatever happens meanwhile: also when ids, indexes and bodies are used anew.
func TestNoNonRepeatableRead(t *testing.T) {
	f := &fleet{New(Options{}), topicNames(3000)}
	f.ingest(3, alike)
	var round atomic.Int64
	readers(t, func() {
		for i := range 60 {
			round.Store(int64(i))
			// Everybody leaves: names die, the dictionary is rebuilt, group indexes and
			// shape ids come back for others.
			f.Update(Rules{}, func(x *Txn) {
				for b := range 3 {
					r := benchRegistration(b, nil)
					x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
				}
			})
			for b := range 3 {
				for _, r := range f.parts((b+i)%3, int64(i), func(n int) int32 { return int32(n%7 + i%5 + 1) }) {
					f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
				}
			}
		}
	}, func() error {
		s := f.Snapshot()
		first := int(round.Load()) % 10
		look := func() (out []byte) {
			for i := first; i < len(f.names); i += 97 {
				if r, ok := s.Route(f.names[i]); ok {
					out = r.AppendBody(append(out, '\n'), RouteOptions{})
				} else {
					out = append(out, "\nmissing"...)
				}
			}
			out = s.AppendClusterInfo(out)
			return append(out, fmt.Sprint(s.Stats().Topics, s.Stats().Shapes)...)
		}
		if a, b := look(), look(); !bytes.Equal(a, b) {
			return fmt.Errorf("the same snapshot answered\n%s\nand then\n%s", a, b)
		}
		return nil
	})
}

// TestNoPhantomGroup: a route never names a broker without its data, nor lists a topic that
// has no route, while whole groups come and go and are hidden.
func TestNoPhantomGroup(t *testing.T) {
	h := newHistory(99, Options{BodyBytesMax: 4000})
	readers(t, func() {
		for range 3000 {
			fn := h.step()
			h.Update(h.rules, fn)
		}
	}, func() error {
		s := h.Snapshot()
		for topic := range s.Topics() {
			q, err := queuesOf(s, topic)
			if err != nil {
				return err
			}
			if len(q) == 0 {
				return fmt.Errorf("topic %q is listed without a route", topic)
			}
		}
		return nil
	})
	if err := h.checkInvariants(); err != nil {
		t.Error(err)
	}
}

// TestReadYourWrites: when Update returns, its effect is in the current snapshot, for
// callers that share transactions too; and nothing is lost.
func TestReadYourWrites(t *testing.T) {
	table := New(Options{})
	const writers, rounds = 8, 60
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				name := fmt.Sprintf("topic-%d-%d", w, i)
				body := &codec.RegisterBody{DataVersion: codec.DataVersion{Counter: int64(i)}}
				for _, n := range []string{name, "shared"} {
					body.Topics = append(body.Topics, codec.TopicConfig{Name: []byte(n), Key: []byte(n), Perm: 6, ReadQueueNums: 4})
				}
				r := benchRegistration(w, body)
				var res RegisterResult
				table.Update(Rules{}, func(x *Txn) { res = x.RegisterBroker(r) })
				if res.Status != Registered {
					t.Errorf("%+v", res)
				}
				if q, err := queuesOf(table.Snapshot(), name); err != nil || len(q) != 1 {
					t.Errorf("%s after its registration: %v %v", name, q, err)
				}
				if info, ok := table.Snapshot().Live(r.Broker); !ok || info.Generation != res.Binding.Generation {
					t.Errorf("%+v is not bound as %+v", info, res.Binding)
				}
			}
		})
	}
	wg.Wait()
	st := table.Snapshot().Stats()
	if st.Topics != writers*rounds+1 || st.Groups != writers {
		t.Errorf("%+v", st)
	}
	if st.Publication > writers*rounds {
		t.Errorf("%d publications for %d updates", st.Publication, writers*rounds)
	}
	if q, _ := queuesOf(table.Snapshot(), "shared"); len(q) != writers {
		t.Errorf("shared: %v", q)
	}
	if err := table.checkInvariants(); err != nil {
		t.Error(err)
	}
}

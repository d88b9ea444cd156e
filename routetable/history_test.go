package routetable

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// history makes random operations over few names, so that everything collides.
type history struct {
	*Table
	rnd      *rand.Rand
	rules    Rules
	now      int64
	conn     ConnID
	bindings []Binding
	digester *Digester
}

func newHistory(seed uint64, o Options) *history {
	t := New(o)
	return &history{Table: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: 1, conn: 1, digester: t.NewDigester()}
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (h *history) key() BrokerKey {
	return BrokerKey{pick(h.rnd, "c1", "c1", "c1", "c2"), pick(h.rnd, "h:1", "h:2", "h:3", "h:4", "h:5")}
}

func (h *history) name() string { return pick(h.rnd, "d", "b", "a", "c") }

func (h *history) topic() string { return pick(h.rnd, "T1", "T2", "T3", "T4", "T5", "T6", "") }

func (h *history) registration() *Registration {
	body := &codec.RegisterBody{
		DataVersion:        codec.DataVersion{StateVersion: h.rnd.Int64N(2), Counter: h.rnd.Int64N(2)},
		FilterServersNull:  h.rnd.IntN(3) > 0,
		DataVersionStamped: h.rnd.IntN(10) == 0,
	}
	if h.rnd.IntN(5) == 0 {
		body.FilterServers = []string{"f:1"}
	}
	for range h.rnd.IntN(4) {
		topic := []byte(h.topic())
		body.Topics = append(body.Topics, codec.TopicConfig{
			Name: topic, Key: topic, ReadQueueNums: pick[int32](h.rnd, 4, 8), WriteQueueNums: 4, Perm: pick[int32](h.rnd, 6, 6, 4, 7),
		})
		if h.rnd.IntN(6) == 0 {
			body.Mappings = append(body.Mappings, codec.TopicQueueMapping{
				Topic: string(topic), Info: codec.TopicQueueMappingInfo{BName: codec.NullString{String: h.name(), Valid: true}},
			})
		}
	}
	return &Registration{
		Broker: h.key(), Name: h.name(), ID: pick[int64](h.rnd, 0, 0, 1, 2, -1),
		HAServerAddr: codec.NullString{String: "ha", Valid: h.rnd.IntN(2) == 0},
		Zone:         codec.NullString{String: "z", Valid: h.rnd.IntN(8) == 0},
		ActingMaster: pick(h.rnd, ActingMasterAbsent, ActingMasterFalse, ActingMasterTrue, ActingMasterTrue),
		TimeoutSet:   h.rnd.IntN(2) == 0, TimeoutMillis: 50, Body: body, Conn: h.conn, NowMillis: h.now,
	}
}

// step returns the next operation. It may be run more than once.
func (h *history) step() func(*Txn) {
	h.now += h.rnd.Int64N(4)
	h.conn += ConnID(h.rnd.IntN(2))
	k, name, topic := h.key(), h.name(), h.topic()
	switch h.rnd.IntN(16) {
	case 0:
		r := UnregisterRequest{Broker: k, Name: name, Conn: h.conn - ConnID(h.rnd.IntN(3))}
		return func(x *Txn) { x.UnregisterBroker(r) }
	case 1, 2:
		if len(h.bindings) == 0 {
			return func(*Txn) {}
		}
		b := pick(h.rnd, h.bindings[max(0, len(h.bindings)-8):]...)
		return func(x *Txn) { x.RemoveBinding(b, RemoveConnClosed) }
	case 3:
		expired := h.Snapshot().ScanNotActive(h.now)
		return func(x *Txn) {
			for _, e := range expired {
				x.ExpireBroker(e)
			}
		}
	case 4:
		return func(x *Txn) { x.WipeWritePerm(name) }
	case 5:
		return func(x *Txn) { x.AddWritePerm(name) }
	case 6:
		cluster := pick(h.rnd, "", "c1", "c2")
		return func(x *Txn) { x.DeleteTopic(topic, cluster) }
	case 7:
		q := []codec.QueueData{{BrokerName: name, Perm: 6}, {BrokerName: h.name(), Perm: 4}}
		return func(x *Txn) { x.RegisterTopic(topic, q) }
	case 8:
		return func(x *Txn) { x.Hold(k, 0) }
	case 9:
		return func(x *Txn) { x.Park(k, 0) }
	case 10:
		now := h.now
		return func(x *Txn) { x.Restore(k, 0, now) }
	case 11:
		h.Heartbeat([]byte(k.Cluster), []byte(k.Addr), h.now)
		h.rules = Rules{DeleteTopicWithBrokerRegistration: h.rnd.IntN(4) == 0, NotifyMinBrokerIDChanged: h.rnd.IntN(2) == 0}
		return func(*Txn) {}
	default:
		return h.register()
	}
}

func (h *history) register() func(*Txn) {
	r := h.registration()
	hdr := header(r)
	h.digester.Reset()
	h.digester.WriteHeader(hdr)
	fmt.Fprintf(h.digester, "%+v", *r.Body)
	r.Digest = h.digester.Sum()
	if res, ok := h.RenewUnchanged(hdr, r.Digest, r.Conn, h.now, h.rules); ok {
		h.bindings = append(h.bindings, res.Binding)
		return func(*Txn) {}
	}
	i := len(h.bindings)
	h.bindings = append(h.bindings, Binding{})
	return func(x *Txn) { h.bindings[i] = x.RegisterBroker(r).Binding }
}

// checkBodies compares the encoded routes in all forms with the decoded ones.
func (t *Table) checkBodies() error {
	s := t.Snapshot()
	for topic := range s.Topics() {
		r, ok := s.Route([]byte(topic))
		if !ok {
			return fmt.Errorf("topic %q is listed but not found", topic)
		}
		for _, o := range []RouteOptions{
			{}, {SupportActingMaster: true}, {Dialect: codec.DialectStandard},
			{Dialect: codec.DialectStandard, SupportActingMaster: true, OrderTopicConf: codec.NullString{String: "\"o\"", Valid: true}},
		} {
			data := r.TopicRouteData(o)
			got, want := r.AppendBody(nil, o), codec.AppendTopicRouteData(nil, &data, o.Dialect)
			if !bytes.Equal(got, want) {
				return fmt.Errorf("topic %q, %+v:\n got %s\nwant %s", topic, o, got, want)
			}
			if n := r.BodyBytes(o); n < len(got) {
				return fmt.Errorf("topic %q: BodyBytes %d, body has %d", topic, n, len(got))
			}
		}
	}
	info := s.ClusterInfo()
	if got, want := s.AppendClusterInfo(nil), codec.AppendClusterInfo(nil, &info); !bytes.Equal(got, want) {
		return fmt.Errorf("cluster info:\n got %s\nwant %s", got, want)
	}
	return nil
}

// updatePanicking runs fn in a transaction that then panics, and reports what came out.
func (t *Table) updatePanicking(rules Rules, fn func(*Txn)) (got any) {
	defer func() { got = recover() }()
	t.Update(rules, func(x *Txn) {
		fn(x)
		panic("on purpose")
	})
	return nil
}

// TestRandomHistories runs random operations, some of them in transactions that panic
// after having done everything, and compares all derived state after each.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(16) {
		h := newHistory(seed, Options{BodyBytesMax: pick(rand.New(rand.NewPCG(seed, 2)), int64(0), 2000, -1)})
		for i := range 250 {
			fn := h.step()
			if h.rnd.IntN(5) == 0 {
				before := visible(h.Snapshot())
				if h.updatePanicking(h.rules, fn) == nil {
					t.Fatal("the panic was swallowed")
				}
				if after := visible(h.Snapshot()); !slices.Equal(before, after) {
					t.Fatalf("seed %d step %d: a transaction that panicked changed\n%v\nto\n%v", seed, i, before, after)
				}
			} else {
				h.Update(h.rules, func(x *Txn) {
					fn(x)
					if h.rnd.IntN(3) == 0 {
						h.step()(x)
					}
				})
			}
			if err := h.checkInvariants(); err != nil {
				t.Fatalf("seed %d step %d: %v", seed, i, err)
			}
			if err := h.checkBodies(); err != nil {
				t.Fatalf("seed %d step %d: %v", seed, i, err)
			}
		}
		// Nothing stays once everybody has left.
		h.Update(h.rules, func(x *Txn) {
			for _, g := range slices.Clone(x.view.groups) {
				if g != nil {
					for _, a := range g.addrs {
						x.UnregisterBroker(UnregisterRequest{Broker: a.live.key, Name: g.name})
					}
				}
			}
		})
		if err := h.checkInvariants(); err != nil {
			t.Fatalf("seed %d at the end: %v", seed, err)
		}
		st := h.Snapshot().Stats()
		st.NameBytes, st.Publication = 0, 0
		if st != (Stats{}) {
			t.Fatalf("seed %d: %+v left", seed, st)
		}
	}
}

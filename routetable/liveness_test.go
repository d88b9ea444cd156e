package routetable

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pharosmq/pharos/codec"
)

func TestLeafWord(t *testing.T) {
	f := func(s State, generation uint32, seen int64) {
		t.Helper()
		w := makeLeafWord(s, generation, seen)
		if w.state() != s || w.generation() != generation || w.seenMillis() != seen {
			t.Errorf("%d %d %d came out as %d %d %d", s, generation, seen, w.state(), w.generation(), w.seenMillis())
		}
		if h := w.withState(StateHeld); h.state() != StateHeld || h.generation() != generation || h.seenMillis() != seen {
			t.Errorf("withState changed more than the state of %x: %x", w, h)
		}
		if later := w.seenAt(seen - 1); later != w {
			t.Errorf("seen at %d went back: %x", seen, later)
		}
	}
	f(StateLive, 1, 1)
	f(StateRemoved, generationMask, leafSeenMask)
	f(StateParked, 1<<21, 0)
	if w := makeLeafWord(StateLive, 7, -5); w.seenMillis() != 0 || w.generation() != 7 {
		t.Errorf("a negative time made %x", w)
	}
	if w := makeLeafWord(StateLive, 7, 1<<60); w.state() != StateLive || w.generation() != 7 {
		t.Errorf("a huge time made %x", w)
	}
	if g := nextGeneration(generationMask); g != 1 {
		t.Errorf("after the last generation came %d", g)
	}
}

// TestConnWordKeepsTheLaterBinder: binders store after the leaf has granted them a
// generation, in any order.
func TestConnWordKeepsTheLaterBinder(t *testing.T) {
	f := func(first, second uint32, want ConnID) {
		t.Helper()
		var c connWord
		c.word.Store(makeConnWord(first-1&generationMask, 9))
		c.bind(first, 1)
		c.bind(second, 2)
		if _, conn := c.load(); conn != want {
			t.Errorf("generations %d, %d: bound to %d", first, second, conn)
		}
	}
	f(5, 6, 2)
	f(6, 5, 1)
	f(generationMask, 1, 2)
	f(2, generationMask, 1)
}

// raceWorld registers one broker with a digest, bound to connection 1.
func raceWorld(t *testing.T) (*Table, *RegistrationHeader, *Registration, RegisterResult) {
	t.Helper()
	table := New(Options{})
	r := benchRegistration(0, topicsBody("a", "b"))
	r.Digest = Digest{1, 2}
	var res RegisterResult
	table.Update(Rules{}, func(x *Txn) { res = x.RegisterBroker(r) })
	return table, header(r), r, res
}

// TestRebindLeavesARenewalAlone: between the two steps of a renewal, the drawing of a
// generation and the storing of the connection, a heartbeat reads the new generation with
// the old connection. Were it to bind, the connection that renewed would not be the bound one.
func TestRebindLeavesARenewalAlone(t *testing.T) {
	table, h, r, _ := raceWorld(t)
	l := table.Snapshot().live.findBytes(h.Cluster, h.Addr)
	generation, ok := l.renew(2)
	if !ok {
		t.Fatal("not renewed")
	}
	const renewing, other ConnID = 7, 8
	between, status := table.Heartbeat(h.Cluster, h.Addr, 3)
	if status != HeartbeatRenewed || between.Generation != generation || between.Conn != r.Conn {
		t.Fatalf("%d, %+v", status, between)
	}
	if _, ok := table.Rebind(between.Binding(), other); ok {
		t.Error("rebound between the steps of a renewal")
	}
	l.conn.bind(generation, renewing)
	if _, ok := table.Rebind(between.Binding(), other); ok {
		t.Error("rebound by what was read between the steps")
	}
	after, _ := table.Snapshot().Live(r.Broker)
	if after.Conn != renewing || after.Generation != generation {
		t.Errorf("bound to %d in generation %d, want %d, %d", after.Conn, after.Generation, renewing, generation)
	}
	if b, ok := table.Rebind(after.Binding(), other); !ok || b.Conn != other {
		t.Errorf("not rebound after the renewal: %+v", b)
	}
}

// TestRenewalAndRemovalExclude: a skip on a loop and a removal by the writer, at the same
// time, never both succeed; and the table agrees with who won.
func TestRenewalAndRemovalExclude(t *testing.T) {
	won := [2]int{}
	for range 400 {
		table, h, r, res := raceWorld(t)
		var wg sync.WaitGroup
		var renewed, removed bool
		wg.Go(func() { _, renewed = table.RenewUnchanged(h, r.Digest, 2, 5, Rules{}) })
		table.Update(Rules{}, func(x *Txn) { removed = x.RemoveBinding(res.Binding, RemoveConnClosed) })
		wg.Wait()
		info, live := table.Snapshot().Live(r.Broker)
		if renewed == removed || live != renewed {
			t.Fatalf("renewed %v, removed %v, live %v", renewed, removed, live)
		}
		if renewed {
			won[0]++
			if info.Conn != 2 || info.LastSeenMillis != 5 {
				t.Fatalf("renewed as %+v", info)
			}
		} else {
			won[1]++
		}
		if err := table.checkInvariants(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("renewals won %d, removals %d", won[0], won[1])
}

// TestHeartbeatAndExpiryExclude: the same for a heartbeat and an expiry.
func TestHeartbeatAndExpiryExclude(t *testing.T) {
	for range 400 {
		table, _, r, _ := raceWorld(t)
		expired := table.Snapshot().ScanNotActive(200_000)
		if len(expired) != 1 {
			t.Fatalf("%+v", expired)
		}
		var wg sync.WaitGroup
		var status HeartbeatStatus
		var removed bool
		wg.Go(func() {
			_, status = table.Heartbeat([]byte(r.Broker.Cluster), []byte(r.Broker.Addr), 200_000)
		})
		table.Update(Rules{}, func(x *Txn) { removed = x.ExpireBroker(expired[0]) })
		wg.Wait()
		_, live := table.Snapshot().Live(r.Broker)
		if (status == HeartbeatRenewed) == removed || live == removed {
			t.Fatalf("heartbeat %d, removed %v, live %v", status, removed, live)
		}
	}
}

// TestBindersRace: many connections renew one broker at the same time; the table ends up
// bound to the one that drew the last generation, whose binding is good.
func TestBindersRace(t *testing.T) {
	table, h, r, _ := raceWorld(t)
	const binders, rounds = 4, 300
	var results [binders]RegisterResult
	var wg sync.WaitGroup
	for i := range binders {
		wg.Go(func() {
			for range rounds {
				var ok bool
				if results[i], ok = table.RenewUnchanged(h, r.Digest, ConnID(10+i), 5, Rules{}); !ok {
					t.Error("not renewed")
				}
			}
		})
	}
	wg.Wait()
	info, _ := table.Snapshot().Live(r.Broker)
	good := 0
	for i, res := range results {
		if res.Binding == info.Binding() {
			good++
		} else if i+10 == int(info.Conn) {
			t.Errorf("bound to %d under %d, whose last binding is %+v", info.Conn, info.Generation, res.Binding)
		}
	}
	if good != 1 {
		t.Errorf("%d bindings are the present one of %+v", good, info)
	}
	removed := 0
	table.Update(Rules{}, func(x *Txn) {
		removed = 0
		for _, res := range results {
			if x.RemoveBinding(res.Binding, RemoveConnClosed) {
				removed++
			}
		}
	})
	if removed != 1 {
		t.Errorf("%d of %d closes removed the broker", removed, binders)
	}
}

// TestLateUnregistrationInOneBatch: a 104 of an old connection that shares a transaction
// with the registration on the new one is void, and the new one's counts.
func TestLateUnregistrationInOneBatch(t *testing.T) {
	table, _, r, _ := raceWorld(t)
	again := *r
	again.Conn = 7
	var old, unknown bool
	table.Update(Rules{}, func(x *Txn) {
		x.RegisterBroker(&again)
		old = x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name, Conn: 6})
		unknown = x.UnregisterBroker(UnregisterRequest{Broker: r.Broker, Name: r.Name})
	})
	if old || !unknown {
		t.Errorf("104 of connection 6 counted: %v, of none: %v", old, unknown)
	}
}

// TestDigestIsRememberedAfterPublicationOnly: within the transaction a digest does not
// count, and what is done later in the same transaction voids it.
func TestDigestIsRememberedAfterPublicationOnly(t *testing.T) {
	table, h, r, _ := raceWorld(t)
	d := Digest{3, 4}
	again := *r
	again.Digest = d
	table.Update(Rules{}, func(x *Txn) {
		x.RegisterBroker(&again)
		if _, ok := table.RenewUnchanged(h, d, 1, 5, Rules{}); ok {
			t.Error("remembered before publication")
		}
		x.DeleteTopic("a", "")
	})
	if _, ok := table.RenewUnchanged(h, d, 1, 5, Rules{}); ok {
		t.Error("remembered although a topic was deleted in the same transaction")
	}
	table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(&again) })
	if _, ok := table.RenewUnchanged(h, d, 1, 5, Rules{}); !ok {
		t.Error("not remembered")
	}
	if _, ok := table.Snapshot().Route([]byte("a")); !ok {
		t.Error("the topic did not come back")
	}
}

// TestRememberedDigestsAreBounded: the oldest part of too many is processed again.
func TestRememberedDigestsAreBounded(t *testing.T) {
	table, h, r, _ := raceWorld(t)
	for i := range uint64(rememberedMax) {
		part := *r
		part.Digest = Digest{i + 100, 1}
		table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(&part) })
	}
	recalled := 0
	for i := range uint64(rememberedMax) {
		if _, ok := table.RenewUnchanged(h, Digest{i + 100, 1}, 1, 5, Rules{}); ok {
			recalled++
		}
	}
	if _, ok := table.RenewUnchanged(h, r.Digest, 1, 5, Rules{}); ok || recalled != rememberedMax {
		t.Errorf("%d recalled, the oldest too: %v", recalled, ok)
	}
}

// TestDigestCoversTheHeader: each field of the header, and its absence, makes a
// difference; the borders of the body's pieces make none.
func TestDigestCoversTheHeader(t *testing.T) {
	table := New(Options{})
	d := table.NewDigester()
	sum := func(h RegistrationHeader, body ...string) Digest {
		d.Reset()
		d.WriteHeader(&h)
		for _, p := range body {
			d.Write([]byte(p))
		}
		return d.Sum()
	}
	h := RegistrationHeader{Version: 1, Cluster: []byte("c"), Addr: []byte("a"), Name: []byte("n")}
	seen := map[Digest]string{}
	f := func(what string, change func(h *RegistrationHeader), body ...string) {
		t.Helper()
		c := h
		change(&c)
		s := sum(c, body...)
		if other, dup := seen[s]; dup {
			t.Errorf("%s and %s have one digest", what, other)
		}
		seen[s] = what
	}
	f("plain", func(*RegistrationHeader) {})
	f("body", func(*RegistrationHeader) {}, "x")
	f("version", func(h *RegistrationHeader) { h.Version = codec.Version5_5_0 })
	f("compressed", func(h *RegistrationHeader) { h.Compressed = true })
	f("cluster", func(h *RegistrationHeader) { h.Cluster = []byte("ca") })
	f("cluster and address", func(h *RegistrationHeader) { h.Cluster, h.Addr = []byte("ca"), []byte("") })
	f("address and name", func(h *RegistrationHeader) { h.Addr, h.Name = []byte("an"), []byte("") })
	f("id", func(h *RegistrationHeader) { h.ID = 1 })
	f("ha empty", func(h *RegistrationHeader) { h.HAServerAddr = []byte{} })
	f("zone empty", func(h *RegistrationHeader) { h.Zone = []byte{} })
	f("zone", func(h *RegistrationHeader) { h.Zone = []byte("z") })
	f("timeout 0", func(h *RegistrationHeader) { h.TimeoutSet = true })
	f("timeout 1", func(h *RegistrationHeader) { h.TimeoutSet, h.TimeoutMillis = true, 1 })
	f("acting false", func(h *RegistrationHeader) { h.ActingMaster = ActingMasterFalse })
	f("acting true", func(h *RegistrationHeader) { h.ActingMaster = ActingMasterTrue })
	if sum(h, "abc", "", "d") != sum(h, "a", "bcd") {
		t.Error("the pieces of the body change the digest")
	}
	if New(Options{}).NewDigester().Sum() == table.NewDigester().Sum() {
		t.Error("two tables have the same seeds")
	}
}

// TestHeartbeatDuringThrownAwayRestore: a broker is restored, heard of, and then the
// transaction panics: it is parked again, under what it was heard of.
func TestHeartbeatDuringThrownAwayRestore(t *testing.T) {
	table, h, r, _ := raceWorld(t)
	table.Update(Rules{}, func(x *Txn) {
		if !x.Park(r.Broker, 0) {
			t.Error("not parked")
		}
	})
	panicked := table.updatePanicking(Rules{}, func(x *Txn) {
		x.Restore(r.Broker, 0, 10)
		if _, s := table.Heartbeat(h.Cluster, h.Addr, 20); s != HeartbeatRenewed {
			t.Errorf("heartbeat met %d", s)
		}
	})
	if _, ok := panicked.(*UpdatePanic); !ok {
		t.Fatalf("panicked with %v", panicked)
	}
	if info, _ := table.Snapshot().Live(r.Broker); info.State != StateParked || info.LastSeenMillis != 20 {
		t.Errorf("%+v", info)
	}
	if err := table.checkInvariants(); err != nil {
		t.Error(err)
	}
	if !table.restores(r.Broker) {
		t.Error("it cannot be restored")
	}
}

func (t *Table) restores(key BrokerKey) (ok bool) {
	t.Update(Rules{}, func(x *Txn) { ok = x.Restore(key, 0, 30) })
	return ok
}

// TestBrokers: every registration once, by name and id, the hidden and the outnamed too.
func TestBrokers(t *testing.T) {
	table := New(Options{})
	add := func(name, addr string, id int64) {
		r := benchRegistration(0, nil)
		r.Name, r.Broker.Addr, r.ID = name, addr, id
		table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
	}
	add("b", "h:1", 0)
	add("a", "h:2", 1)
	add("a", "h:3", 0)
	add("c", "h:1", 0)
	table.Update(Rules{}, func(x *Txn) { x.Park(BrokerKey{"DefaultCluster", "h:2"}, 0) })
	got := ""
	for b := range table.Snapshot().Brokers() {
		got += fmt.Sprintf("%s %d %s %v; ", b.Name, b.ID, b.Broker.Addr, b.State)
	}
	if want := "a 0 h:3 live; a 1 h:2 parked; b 0 h:1 live; c 0 h:1 live; "; got != want {
		t.Errorf("got %s", got)
	}
	for b := range table.Snapshot().Brokers() {
		if b.Name != "a" {
			t.Error("went on after break")
		}
		break
	}
}

// A broker's key is the same, whether the table has it or not.
func TestBrokerKey(t *testing.T) {
	table := New(Options{})
	table.Update(Rules{}, func(x *Txn) { x.RegisterBroker(benchRegistration(1, &codec.RegisterBody{})) })
	known := benchRegistration(1, nil).Broker
	for _, key := range []BrokerKey{known, {}, {"", known.Addr}, {known.Cluster, ""}, {known.Cluster, known.Addr + "1"}} {
		if got := table.Snapshot().BrokerKey([]byte(key.Cluster), []byte(key.Addr)); got != key {
			t.Errorf("got %v, want %v", got, key)
		}
	}
}

//go:build !race

package routetable

import (
	"testing"

	"github.com/pharosmq/pharos/codec"
)

// zeroAllocs returns a check that a function allocates nothing.
func zeroAllocs(t *testing.T) func(name string, fn func()) {
	return func(name string, fn func()) {
		t.Helper()
		if n := testing.AllocsPerRun(200, fn); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestReadersAllocateNothing: what event loops answer from a snapshot must not allocate,
// once the bodies are built and dst is big enough.
func TestReadersAllocateNothing(t *testing.T) {
	f := newFleet(1000, 20, alike)
	dst := make([]byte, 0, 1<<20)
	order := codec.NullString{String: "broker-0001:4;broker-0002:4", Valid: true}
	zero := zeroAllocs(t)
	for _, o := range []RouteOptions{
		{},
		{SupportActingMaster: true, OrderTopicConf: order},
		{Dialect: codec.DialectStandard, SupportActingMaster: true},
	} {
		zero("Route and AppendBody", func() {
			r, ok := f.Snapshot().Route(f.names[17])
			if !ok || len(r.AppendBody(dst, o)) < 100 || r.BodyBytes(o) < 100 {
				t.Fatal("no route")
			}
		})
	}
	zero("Route, missing", func() {
		if _, ok := f.Snapshot().Route([]byte("nobody")); ok {
			t.Fatal("found")
		}
	})
	zero("AppendClusterInfo", func() {
		if len(f.Snapshot().AppendClusterInfo(dst)) < 1000 {
			t.Fatal("short")
		}
	})
	zero("ScanNotActive", func() {
		if f.Snapshot().ScanNotActive(10) != nil {
			t.Fatal("expired")
		}
	})
	zero("Stats", func() { f.Snapshot().Stats() })
}

// TestRenewalAllocatesNothing: what event loops do for a registration that says nothing
// new, and for a heartbeat, must not allocate.
func TestRenewalAllocatesNothing(t *testing.T) {
	f := newFleet(1000, 20, alike)
	r := f.parts(7, 1, alike)[0]
	h := header(r)
	h.Zone, h.TimeoutSet, h.TimeoutMillis = []byte{}, true, 10_000
	d := f.NewDigester()
	raw := make([]byte, 10_000)
	digest := func() Digest {
		d.Reset()
		d.WriteHeader(h)
		d.Write(raw)
		return d.Sum()
	}
	r.Digest = digest()
	slave := *r
	slave.Broker.Addr, slave.ID = "10.9.9.9:10911", 1
	f.Update(Rules{}, func(x *Txn) {
		x.RegisterBroker(&slave) // so that there is an answer with addresses
		x.RegisterBroker(r)
		x.RegisterBroker(&slave)
	})
	hs := *h
	hs.Addr, hs.ID = []byte(slave.Broker.Addr), 1

	zero := zeroAllocs(t)
	zero("Digester", func() {
		if digest() != r.Digest {
			t.Fatal("digest")
		}
	})
	zero("Digester of a short body", func() {
		d.Reset()
		d.WriteHeader(h)
		d.Write(raw[:500])
		d.Sum()
	})
	zero("RenewUnchanged", func() {
		if _, ok := f.RenewUnchanged(h, r.Digest, 7, 2, Rules{}); !ok {
			t.Fatal("not remembered")
		}
	})
	zero("RenewUnchanged of a slave", func() {
		res, ok := f.RenewUnchanged(&hs, r.Digest, 7, 2, Rules{})
		if !ok || res.MasterAddr.String != r.Broker.Addr || !res.HAServerAddr.Valid {
			t.Fatalf("%+v", res)
		}
	})
	zero("Heartbeat and Rebind", func() {
		info, s := f.Heartbeat(h.Cluster, h.Addr, 3)
		if s != HeartbeatRenewed {
			t.Fatal(s)
		}
		if _, ok := f.Rebind(info.Binding(), info.Conn+1); !ok {
			t.Fatal("not rebound")
		}
	})
}

// TestRouteBeyondBudgetAllocatesNothing: without room for bodies each request joins its own.
func TestRouteBeyondBudgetAllocatesNothing(t *testing.T) {
	f := &fleet{New(Options{BodyBytesMax: -1}), topicNames(10)}
	f.ingest(5, alike)
	dst := make([]byte, 0, 1<<20)
	if n := testing.AllocsPerRun(200, func() {
		r, _ := f.Snapshot().Route(f.names[3])
		r.AppendBody(dst, RouteOptions{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := f.Snapshot().Stats().BodyBytes; n != 0 {
		t.Errorf("%d bytes of bodies", n)
	}
}

// TestRegistrationOfKnownTopicsAllocatesLittle: the cost of a registration of 10,000
// topics that are known is in the registration, not in the topics.
func TestRegistrationOfKnownTopicsAllocatesLittle(t *testing.T) {
	f := newFleet(10_000, 5, alike)
	body := &codec.RegisterBody{}
	for _, r := range f.parts(2, 1, alike) {
		body.Topics = append(body.Topics, r.Body.Topics...)
	}
	r := benchRegistration(2, body)
	n := testing.AllocsPerRun(20, func() {
		body.DataVersion.Counter++
		for i := range body.Topics {
			body.Topics[i].ReadQueueNums = int32(body.DataVersion.Counter)
		}
		f.Update(Rules{}, func(x *Txn) { x.RegisterBroker(r) })
	})
	if n > 100 {
		t.Errorf("%v allocations for 10,000 changed topics", n)
	}
}

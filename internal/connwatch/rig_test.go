package connwatch

import (
	"log/slog"
	"net/netip"
	"sync"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// fakeServer is a server as a Watch sees it: connections are what the test says.
type fakeServer struct {
	mu    sync.Mutex
	conns map[routetable.ConnID]server.ConnectionInfo
	asked chan routetable.ConnID // if not nil: who was asked for on its loop
	fd    int                    // of all connections, 0: none of them is open
}

func (f *fakeServer) HoldBroker(routetable.RegistrationKey, uint32)          {}
func (f *fakeServer) ParkBroker(routetable.RegistrationKey, uint32)          {}
func (f *fakeServer) RestoreBroker(routetable.RegistrationKey, uint32, bool) {}
func (f *fakeServer) RemoveBroker(routetable.RegistrationKey, uint32)        {}
func (f *fakeServer) CloseHalfDead(routetable.ConnID)                        {}
func (f *fakeServer) NowMillis() int64                                       { return 5000 }

func (f *fakeServer) OnConnections(ids []routetable.ConnID, do func(routetable.ConnID, int)) {
	for _, id := range ids {
		if f.asked != nil {
			f.asked <- id
		}
		if f.fd != 0 {
			do(id, f.fd)
		}
	}
}

func (f *fakeServer) OnConnectionsSoon(ids []routetable.ConnID, do func(routetable.ConnID, int)) {
	f.OnConnections(ids, do)
}

func (f *fakeServer) EventLoops() int { return 1 }

func (f *fakeServer) ConnectionIDs() (ids []routetable.ConnID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.conns {
		ids = append(ids, id)
	}
	return ids
}

func (f *fakeServer) Connection(id routetable.ConnID) (server.ConnectionInfo, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.conns[id]
	return c, ok
}

// rig is a Watch without its goroutine's clock: the test tells it what happens and when, in
// the last half minute before now, and a goroutine answers questions.
type rig struct {
	*Watch
	srv     *fakeServer
	t       *testing.T
	millis  int64 // the simulated time
	working sync.Mutex
}

// simulated is how long before now a rig's time begins.
const simulated = 30_000

func newRig(t *testing.T, log slog.Handler) *rig {
	t.Helper()
	r := &rig{t: t, srv: &fakeServer{conns: map[routetable.ConnID]server.ConnectionInfo{}}}
	p := connhealth.DefaultParams()
	p.DialBack = false
	r.Watch = New(Options{Mode: Evict, Params: p, Log: slog.New(log)})
	r.Watch.srv, r.Watch.table = r.srv, routetable.New(routetable.Options{})
	r.det = connhealth.New(p, nil)
	r.millis = r.now() - simulated
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case q := <-r.queries:
				r.working.Lock()
				r.answer(q)
				r.working.Unlock()
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return r
}

// happens tells the watch of a note, now in simulated time.
func (r *rig) happens(n note) {
	r.working.Lock()
	defer r.working.Unlock()
	n.atMillis = r.millis
	r.perform(r.tell(&n))
	r.tally.note(&n)
}

// passes lets simulated time pass.
func (r *rig) passes(millis int64) {
	r.working.Lock()
	defer r.working.Unlock()
	r.millis += millis
	r.perform(r.det.Tick(r.at(r.millis)))
}

// opens accepts a connection from an address.
func (r *rig) opens(id connhealth.ConnID, peer string) {
	ap := netip.MustParseAddrPort(peer)
	r.srv.mu.Lock()
	r.srv.conns[routetable.ConnID(id)] = server.ConnectionInfo{Peer: peer, Spoke: true, Language: codec.LanguageJava, Version: 513}
	r.srv.mu.Unlock()
	r.happens(note{kind: noteOpened, conn: id, peer: ap, local: netip.MustParseAddrPort("10.9.9.9:9876")})
}

func (r *rig) registers(id connhealth.ConnID, name, addr string) {
	r.happens(note{kind: noteBound, conn: id, by: connhealth.NamedByRegister, broker: connhealth.Broker{Cluster: "c1", Name: name, Addr: addr, Generation: 1}})
}

// peer makes the samples of a connection that sends nothing: the kernel probes it each
// second.
type peer struct {
	id     connhealth.ConnID
	segsIn uint32
	silent int64 // milliseconds since it was last heard, 0: it answers
}

func (p *peer) sample(dead bool, step int64) connhealth.Sample {
	s := connhealth.Sample{State: 1, RTOMicros: 204_000, RTTMicros: 400, MinRTTMicros: 300, SndWndBytes: 64_000}
	if !dead {
		p.silent = 0
		p.segsIn++
		s.SegsIn = p.segsIn
		return s
	}
	p.silent += step
	s.SegsIn, s.LastAckRecvMillis, s.LastDataRecvMillis = p.segsIn, uint32(p.silent), uint32(p.silent)
	s.Probes = uint8(p.silent / 1000)
	return s
}

// silence is a broker that vanishes after 5 s beside one that lives, until it is parked.
func (r *rig) silence() {
	r.opens(1, "10.0.0.1:4001")
	r.opens(2, "10.0.0.2:4002")
	r.registers(1, "broker-a", "10.0.0.1:10911")
	r.registers(2, "broker-b", "10.0.0.2:10911")
	dead, alive := peer{id: 1}, peer{id: 2}
	for at := int64(0); at < 20_000; at += 250 {
		r.passes(250)
		s := dead.sample(at >= 5000, 250)
		r.happens(note{kind: noteSample, conn: 1, sample: s})
		s = alive.sample(false, 250)
		r.happens(note{kind: noteSample, conn: 2, sample: s})
	}
}

var discard = slog.DiscardHandler

func keyOf(addr string) connhealth.BrokerKey {
	return connhealth.BrokerKey{Cluster: "c1", Name: "n", Addr: addr}
}

func brokerAt(addr string) connhealth.Broker {
	return connhealth.Broker{Cluster: "c1", Name: "n", Addr: addr, Generation: 1}
}

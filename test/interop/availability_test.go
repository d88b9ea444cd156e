package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// What a fault may cost, and how much must have been tried while it lasted.
const (
	sendsPerFault     = 100_000
	lookupsPerFault   = 20_000
	sendsFailedMax    = 0.0001 // with the client's default retries
	lookupsFailedMax  = 0.001  // with as many requests as a send makes
	healthyP99Max     = 100 * time.Millisecond
	lookupAttempts    = 3
	healthyBefore     = 5 * time.Second
	healthyAfterwards = 10 * time.Second
)

// fault is something that happens to one process for a while.
type fault struct {
	name   string
	lasts  time.Duration // at least: beyond a client's 30 s between two route polls
	inject func(t *testing.T, w *world)
	heal   func(t *testing.T, w *world)
	// hangs: 4.8.0 keeps the connection of a silent server for two minutes, and its lookups
	// fail meanwhile whatever a name server does; they are only reported.
	hangs bool
}

var faults = []fault{
	{name: "NamesrvKilled", lasts: 40 * time.Second,
		inject: func(_ *testing.T, w *world) { w.servers[w.victim].Kill() },
		heal: func(t *testing.T, w *world) {
			dead := w.servers[w.victim]
			w.servers[w.victim] = dead.Succeed(t, dead.Kind, dead.Name+"-again")
		}},
	{name: "NamesrvFrozen", lasts: 60 * time.Second, hangs: true,
		inject: func(t *testing.T, w *world) { w.servers[w.victim].Freeze(t) },
		heal:   func(t *testing.T, w *world) { w.servers[w.victim].Thaw(t) }},
	{name: "BrokerKilled", lasts: 40 * time.Second,
		inject: func(_ *testing.T, w *world) { w.brokers[1].Kill() },
		heal:   func(t *testing.T, w *world) { w.brokers[1].Restart(t) }},
}

// world is three name servers and two brokers.
type world struct {
	servers []*Namesrv
	brokers []*Broker
	victim  int // the server a fault is for: the one most clients use
}

// TestAvailability measures what real producers notice of a fault.
func TestAvailability(t *testing.T) {
	RequireFull(t)
	for _, version := range []string{V550, V480} {
		for _, f := range faults {
			sub(t, version+"/"+f.name, func(t *testing.T) { underFault(t, version, f) })
		}
	}
}

func underFault(t *testing.T, version string, f fault) {
	w := startWorld(t)
	l := startLoad(t, StartDriver(t, version), loadSpec{
		Producers: 6, Senders: 2, Lookers: 1, Topic: "Avail", Attempts: lookupAttempts,
		SendPause: time.Millisecond, LookPause: 5 * time.Millisecond,
	}, Addrs(w.servers...))
	time.Sleep(healthyBefore)
	w.chooseVictim(t)
	probes := w.startProbes(t, f)

	before := l.stats(t)
	begin := time.Now()
	f.inject(t, w)
	l.await(t, before.Sends+sendsPerFault, before.Lookups+lookupsPerFault, 10*time.Minute)
	time.Sleep(f.lasts - time.Since(begin))
	during := l.stats(t)
	f.heal(t, w)
	time.Sleep(healthyAfterwards)
	p99 := stopProbes(t, probes)
	s := l.stop(t)

	note(t, "during the fault: %d sends, %d failed; %d lookups, %d failed", during.Sends-before.Sends,
		during.SendsFailed-before.SendsFailed, during.Lookups-before.Lookups, during.LookupsFailed-before.LookupsFailed)
	note(t, "in all: %v", s)
	note(t, "P99 of a route request at a healthy server: %v", p99)
	if bad := float64(s.SendsFailed) / float64(s.Sends); bad > sendsFailedMax {
		t.Errorf("%.4f %% of the sends failed, at most %.4f %% may\n%s", 100*bad, 100*sendsFailedMax, l.failures())
	}
	lookupsCount := version != V480 || !f.hangs
	if bad := float64(s.LookupsFailed) / float64(s.Lookups); lookupsCount && bad > lookupsFailedMax {
		t.Errorf("%.3f %% of the lookups failed, at most %.3f %% may\n%s", 100*bad, 100*lookupsFailedMax, l.failures())
	}
	if p99 > healthyP99Max {
		t.Errorf("P99 of a route request at a healthy server is %v, want at most %v", p99, healthyP99Max)
	}
	w.awaitAgreement(t)
}

func startWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	for i := range 3 {
		w.servers = append(w.servers, StartNamesrv(t, Subject(t), NamesrvOptions{Name: fmt.Sprint("namesrv-", i)}))
	}
	for _, name := range []string{"broker-a", "broker-b"} {
		w.brokers = append(w.brokers, LaunchBroker(t, BrokerOptions{Name: name, Addrs: Addrs(w.servers...)}))
	}
	w.awaitAgreement(t)
	for _, b := range w.brokers {
		b.CreateTopic(t, "Avail", 4)
	}
	for _, n := range w.servers {
		n.Ask(t).Await(t, "Avail is on both brokers", onGroups(t, "Avail", "broker-a", "broker-b"))
	}
	return w
}

// awaitAgreement waits until all servers know both brokers and answer alike.
func (w *world) awaitAgreement(t *testing.T) {
	t.Helper()
	first := w.servers[0].Ask(t)
	for _, n := range w.servers {
		a := n.Ask(t)
		a.AwaitMembers(t, "broker-a", "0")
		a.AwaitMembers(t, "broker-b", "0")
		a.Await(t, "it answers as the others do", func(a *Asker) bool {
			return spell(a.Everything(t)) == spell(first.Everything(t))
		})
	}
}

// chooseVictim picks the server with the most connections: the clients choose by chance, and
// a fault nobody is connected to would show nothing.
func (w *world) chooseVictim(t *testing.T) {
	t.Helper()
	most := -1
	for i, n := range w.servers {
		if c := connections(t, n.Port); c > most {
			w.victim, most = i, c
		}
	}
	note(t, "the chosen server, of three, has %d connections", most)
}

// probe asks one healthy server for the route, one request after the other.
type probe struct {
	client *testkit.Client
	stop   chan struct{}
	done   chan error
	took   []time.Duration
}

// startProbes starts a probe at each server that stays healthy.
func (w *world) startProbes(t *testing.T, f fault) []*probe {
	t.Helper()
	var probes []*probe
	for i, n := range w.servers {
		if i == w.victim && f.name != "BrokerKilled" {
			continue
		}
		c, err := testkit.Dial(t.Context(), n.Addr(), testkit.ClientOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		p := &probe{client: c, stop: make(chan struct{}), done: make(chan error, 1)}
		go func() { p.done <- p.run(t) }()
		probes = append(probes, p)
	}
	return probes
}

func (p *probe) run(t *testing.T) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return nil
		case <-tick.C:
		}
		begin := time.Now()
		m, err := p.client.Call(t.Context(), codec.CodeGetRouteInfoByTopic, testkit.Ext("topic", "Avail"), nil)
		if err != nil {
			return err
		}
		if m.Code != codec.Success {
			return fmt.Errorf("answered with code %d %s", m.Code, m.Remark)
		}
		p.took = append(p.took, time.Since(begin))
	}
}

// stopProbes returns the P99 over all probes.
func stopProbes(t *testing.T, probes []*probe) time.Duration {
	t.Helper()
	var all []time.Duration
	for _, p := range probes {
		close(p.stop)
		if err := <-p.done; err != nil {
			t.Errorf("route request at a healthy server: %v", err)
		}
		all = append(all, p.took...)
	}
	if len(all) < 1000 {
		t.Fatalf("only %d requests to healthy servers", len(all))
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

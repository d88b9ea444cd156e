package client

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/pharosmq/pharos/codec"
)

// testRoute is a route over brokers with so many queues each.
func testRoute(t interface{ Fatal(...any) }, queues map[string]int) *Route {
	d := &codec.TopicRouteData{}
	for name, n := range queues {
		d.BrokerDatas = append(d.BrokerDatas, group(name, name+":10911"))
		d.QueueDatas = append(d.QueueDatas, queueData(name, int32(n), readWrite))
	}
	r, err := newRoute("T", d, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// testBrokers makes one Broker for each broker group, as a producer does.
type testBrokers map[string]*Broker

func (m testBrokers) of(g Target) *Broker {
	if m[g.Broker] == nil {
		m[g.Broker] = &Broker{name: g.Broker, addr: g.Addr}
	}
	return m[g.Broker]
}

func selectors() map[string]Selector {
	return map[string]Selector{
		"RoundRobin":    RoundRobin{},
		"LeastInFlight": LeastInFlight{},
		"LatencyFault":  NewLatencyFault(nil),
		"Weighted":      Weighted{StaticWeights{"a": 0, "b": 3}, ByInFlight{}, ByLatency{}},
		"NoWeight":      Weighted{WeigherFunc(func(*Broker) float64 { return 0 })},
	}
}

var errTest = errors.New("for the test")

// TestNeverAnEmptyChoice: whatever happened to brokers, as long as a topic has a queue with a
// broker there is something to choose, every selector chooses it, on a broker in the best
// state there is, and not on the one that has just failed if another is in that state.
func TestNeverAnEmptyChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		queues := rapid.MapOfN(name, rapid.IntRange(0, 3), 0, 4).Draw(t, "queues")
		r := testRoute(t, queues)
		brokers := testBrokers{}
		for _, g := range r.Targets() {
			brokers.of(g)
		}
		names := slices.Sorted(func(yield func(string) bool) {
			for n := range brokers {
				if !yield(n) {
					return
				}
			}
		})
		now := time.Now()
		var cursor atomic.Uint64
		sels := selectors()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if len(names) > 0 {
				disturb(t, brokers[rapid.SampledFrom(names).Draw(t, "broker")], now)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			cursor.Add(rapid.Uint64Max(1<<50).Draw(t, "cursor")) // never past its end: it starts below 2^32
			c := newCandidates(r, brokers.of, &cursor, 0, now, brokerUp)
			if len(r.Targets()) == 0 {
				if c != nil {
					t.Fatalf("candidates of nothing: %+v", c)
				}
				return
			}
			checkCandidates(t, c, brokers, now)
			last := rapid.SampledFrom(append(names, "", "gone")).Draw(t, "last")
			for kind, s := range sels {
				checkChoice(t, kind, s, c, last)
			}
		}
	})
}

// disturb does something to a broker.
func disturb(t *rapid.T, b *Broker, now time.Time) {
	switch rapid.IntRange(0, 5).Draw(t, "event") {
	case 0:
		b.health.lost(now, errTest, true, 200*time.Millisecond, 3*time.Second)
	case 1:
		b.health.lost(now, errTest, false, 200*time.Millisecond, 3*time.Second)
	case 2:
		b.health.rest(now, errTest, 20*time.Millisecond, time.Second)
	case 3:
		b.health.answered(now)
	case 4:
		b.inFlight.Store(int64(rapid.IntRange(0, 5).Draw(t, "inflight")))
	case 5:
		b.took(time.Duration(rapid.IntRange(0, 1000).Draw(t, "latency")) * time.Millisecond)
	}
}

func checkCandidates(t *rapid.T, c *Candidates, brokers testBrokers, now time.Time) {
	if c == nil || len(c.Queues) == 0 || len(c.Brokers) == 0 {
		t.Fatalf("an empty choice: %+v", c)
	}
	best := brokerDown
	for _, b := range brokers {
		state, _ := b.health.state(now)
		best = min(best, state)
	}
	for _, q := range c.Queues {
		if state, _ := q.Broker.health.state(now); state != best || !slices.Contains(c.Brokers, q.Broker) {
			t.Fatalf("%s is in state %d, there is one in %d; brokers %v", q.Broker.name, state, best, c.Brokers)
		}
	}
}

func checkChoice(t *rapid.T, kind string, s Selector, c *Candidates, last string) {
	q := s.Select(c, last)
	if q == nil || !slices.Contains(c.Queues, *q) {
		t.Fatalf("%s chose %+v of %+v", kind, q, c.Queues)
	}
	if another := slices.ContainsFunc(c.Brokers, func(b *Broker) bool { return b.name != last }); another && q.Broker.name == last {
		t.Fatalf("%s chose %s again, which has just failed, of %d brokers", kind, last, len(c.Brokers))
	}
	s.Done(q, Outcome{
		Result:  Result(rapid.IntRange(int(ResultStored), int(ResultAbandoned)).Draw(t, "result")),
		Latency: time.Duration(rapid.IntRange(0, 20000).Draw(t, "took")) * time.Millisecond,
	})
}

// choose lets eight goroutines choose n queues in all, and counts them.
func choose(s Selector, c *Candidates, n int) map[MessageQueue]int {
	var mu sync.Mutex
	got := map[MessageQueue]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine := map[MessageQueue]int{}
			for range n / 8 {
				q := s.Select(c, "")
				mine[q.Queue]++
				s.Done(q, Outcome{Latency: time.Millisecond})
			}
			mu.Lock()
			defer mu.Unlock()
			for q, k := range mine {
				got[q] += k
			}
		})
	}
	wg.Wait()
	return got
}

// checkEven holds every queue to within 1 % of its share.
func checkEven(t *testing.T, kind string, got map[MessageQueue]int, n, queues int) {
	t.Helper()
	share := n / queues
	for q, k := range got {
		if k < share-share/100 || k > share+share/100 {
			t.Errorf("%s: %s:%d was chosen %d times of %d, its share is %d", kind, q.BrokerName, q.QueueID, k, n, share)
		}
	}
	if len(got) != queues {
		t.Errorf("%s: %d queues were chosen, there are %d", kind, len(got), queues)
	}
}

// TestEvenness: 100,000 choices of eight goroutines are within 1 % of even over queues, also
// when a broker is left out by the candidates or passed over by the selector.
func TestEvenness(t *testing.T) {
	const n = 100_000
	r := testRoute(t, map[string]int{"a": 4, "b": 4, "c": 4})
	brokers := testBrokers{}
	var cursor atomic.Uint64
	now := time.Now()
	all := newCandidates(r, brokers.of, &cursor, 0, now, brokerUp)
	checkEven(t, "RoundRobin", choose(RoundRobin{}, all, n), n, 12)
	checkEven(t, "LeastInFlight", choose(LeastInFlight{}, all, n), n, 12)
	checkEven(t, "LatencyFault", choose(NewLatencyFault(nil), all, n), n, 12)

	slow := NewLatencyFault(nil)
	slow.Done(&all.Queues[5], Outcome{Latency: 20 * time.Second}) // broker b rests for 30 s
	if b := all.Queues[5].Broker.name; b != "b" {
		t.Fatalf("queue 5 lies on %s", b)
	}
	checkEven(t, "LatencyFault with one resting", choose(slow, all, n), n, 8)

	brokers["a"].health.lost(now, errTest, true, time.Second, time.Second)
	left := newCandidates(r, brokers.of, &cursor, 0, now, brokerUp)
	checkEven(t, "RoundRobin with one down", choose(RoundRobin{}, left, n), n, 8)
	// Queues in turn, also where brokers are chosen first, and in turn from time to time only.
	brokers["b"].inFlight.Store(1)
	checkEven(t, "LeastInFlight with one busier", choose(LeastInFlight{}, left, n), n, 4)
	checkEven(t, "Weighted by nothing", sumBrokers(choose(Weighted{}, all, 8*n)), 8*n, 3)
}

// sumBrokers adds up what the queues of a broker got: Weighted is random, and 1 % of a
// broker's third of 800,000 is six standard deviations.
func sumBrokers(got map[MessageQueue]int) map[MessageQueue]int {
	sum := map[MessageQueue]int{}
	for q, n := range got {
		sum[MessageQueue{BrokerName: q.BrokerName}] += n
	}
	return sum
}

// TestWeightedShares: brokers get what their weights say.
func TestWeightedShares(t *testing.T) {
	r := testRoute(t, map[string]int{"a": 1, "b": 8, "c": 2})
	brokers := testBrokers{}
	var cursor atomic.Uint64
	c := newCandidates(r, brokers.of, &cursor, 0, time.Now(), brokerUp)
	got := sumBrokers(choose(Weighted{StaticWeights{"a": 2, "c": 5, "b": 1}}, c, 800_000))
	for name, want := range map[string]int{"a": 200_000, "b": 100_000, "c": 500_000} {
		if k := got[MessageQueue{BrokerName: name}]; k < want*98/100 || k > want*102/100 {
			t.Errorf("%s got %d, want %d", name, k, want)
		}
	}
	on := map[int32]int{}
	for range 80 {
		on[c.NextOn(brokers["b"]).Queue.QueueID]++
	}
	if len(on) != 8 || on[0] != 10 || on[7] != 10 || c.NextOn(&Broker{name: "b"}) != nil {
		t.Errorf("80 times a queue on b: %v", on)
	}
	brokers["a"].inFlight.Store(9)
	for range 8 {
		brokers["b"].took(100 * time.Millisecond)
	}
	f := func(w Weigher, b string, want float64) {
		t.Helper()
		if got := w.Weight(brokers[b]); got < want*0.99 || got > want*1.01 {
			t.Errorf("%T of %s is %v, want %v", w, b, got, want)
		}
	}
	f(ByInFlight{}, "a", 0.1)
	f(ByInFlight{}, "b", 1)
	f(ByLatency{}, "a", 1)
	f(ByLatency{}, "b", 0.01)
	f(StaticWeights{"a": 4}, "a", 4)
	f(StaticWeights{"a": 4}, "b", 1)
}

// TestLatencyTable pins Java's table, and that only a worse rest replaces one.
func TestLatencyTable(t *testing.T) {
	s := NewLatencyFault(nil)
	for latencyMillis, restMillis := range map[int]int{
		0: 0, 49: 0, 50: 0, 100: 0, 549: 0, 550: 2000, 1799: 2000, 1800: 5000, 2999: 5000, 3000: 6000,
		4999: 6000, 5000: 10000, 14999: 10000, 15000: 30000, 1 << 20: 30000,
	} {
		if got := s.rest(time.Duration(latencyMillis) * time.Millisecond); got != time.Duration(restMillis)*time.Millisecond {
			t.Errorf("latency %d ms: rest %v, want %d ms", latencyMillis, got, restMillis)
		}
	}
}

// TestLatencyFault follows one broker: slow, resting, available again; failed, unreachable
// until a probe is answered or a message taken.
func TestLatencyFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := testRoute(t, map[string]int{"a": 1, "b": 1})
		brokers := testBrokers{}
		var cursor atomic.Uint64
		c := newCandidates(r, brokers.of, &cursor, 0, time.Now(), brokerUp)
		s := NewLatencyFault(nil)
		share := func(last string) string {
			n := map[string]int{}
			for range 100 {
				n[s.Select(c, last).Broker.name]++
			}
			return fmt.Sprintf("%d:%d", n["a"], n["b"])
		}
		expect := func(when, last, want string) {
			t.Helper()
			if got := share(last); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		a, b := &c.Queues[0], &c.Queues[1]
		expect("fresh", "", "50:50")
		expect("fresh, a has just failed", "a", "0:100")
		s.Done(a, Outcome{Latency: 600 * time.Millisecond})
		expect("a took 600 ms", "", "0:100")
		s.Done(a, Outcome{Latency: time.Millisecond})
		time.Sleep(1999 * time.Millisecond)
		expect("a was quick, its rest is not over", "", "0:100")
		time.Sleep(time.Millisecond)
		expect("after 2 s", "", "50:50")

		s.Done(a, Outcome{Result: ResultLost})
		if !s.WantsProbe(a.Broker) || s.WantsProbe(b.Broker) {
			t.Error("a alone is to be probed")
		}
		s.Done(b, Outcome{Latency: 2 * time.Second})
		expect("b rests, a cannot be reached", "", "0:100")
		expect("b rests and has just failed", "b", "100:0")
		s.Probed(a.Broker)
		expect("both rest, both reachable", "", "50:50")
		s.Done(b, Outcome{Result: ResultAbandoned, Latency: time.Hour})
		time.Sleep(5 * time.Second)
		expect("b is available, a rests", "", "0:100")
		time.Sleep(5 * time.Second)
		expect("after 10 s", "", "50:50")
		s.Done(a, Outcome{Result: ResultRefused, Code: 1})
		if !s.WantsProbe(a.Broker) {
			t.Error("a broker that refused is to be probed")
		}
		s.Done(a, Outcome{Latency: time.Millisecond})
		if s.WantsProbe(a.Broker) {
			t.Error("a took a message: it is reachable")
		}
	})
}

// TestLatencyFaultForgets: brokers that nobody sends to any more do not stay for ever, those that
// are sent to do.
func TestLatencyFaultForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewLatencyFault(nil)
		fail := func(name string) {
			s.Done(&Candidate{Broker: &Broker{name: name}}, Outcome{Result: ResultLost})
		}
		fail("sent to")
		for i := range 100 {
			fail(fmt.Sprint("gone ", i))
			time.Sleep(10 * time.Minute)
			s.Done(&Candidate{Broker: &Broker{name: "sent to"}}, Outcome{Latency: time.Millisecond})
		}
		kept := 0
		for range s.items.All() {
			kept++
		}
		if kept > 10 || s.items.Get("sent to") == nil {
			t.Errorf("%d brokers are remembered, the one that is sent to: %v", kept, s.items.Get("sent to") != nil)
		}
	})
}

// healthScript drives one broker's state machine by a clock of milliseconds.
type healthScript struct {
	*testing.T
	h     brokerHealth
	start time.Time
}

func (s *healthScript) at(ms int) time.Time { return s.start.Add(time.Duration(ms) * time.Millisecond) }

func (s *healthScript) expect(ms int, want brokerState) {
	s.Helper()
	if got, _ := s.h.state(s.at(ms)); got != want {
		s.Errorf("at %d ms: state %d, want %d", ms, got, want)
	}
}

func (s *healthScript) lost(ms int, silent, want bool) {
	s.Helper()
	if got := s.h.lost(s.at(ms), errTest, silent, 200*time.Millisecond, 2*time.Second); got != want {
		s.Errorf("at %d ms: lost changed %v, want %v", ms, got, want)
	}
}

func (s *healthScript) rest(ms int, want bool) {
	s.Helper()
	if got := s.h.rest(s.at(ms), errTest, 20*time.Millisecond, 100*time.Millisecond); got != want {
		s.Errorf("at %d ms: rest changed %v, want %v", ms, got, want)
	}
}

func (s *healthScript) probes(wantMillis ...int) {
	s.Helper()
	for i, want := range wantMillis {
		if got := s.h.probePause(200*time.Millisecond, 2*time.Second); got != time.Duration(want)*time.Millisecond {
			s.Errorf("pause before probe %d is %v, want %d ms", i+1, got, want)
		}
	}
}

// TestBrokerDown: silence makes a broker down at once, three time-outs in a row of a living
// connection too; it is probed at doubling distances until it answers, and at once at the
// long ones if it fails again soon.
func TestBrokerDown(t *testing.T) {
	s := healthScript{T: t, start: time.Now()}
	s.expect(0, brokerUp)
	s.lost(0, false, false)
	s.lost(1, false, false)
	s.expect(1, brokerUp)
	s.h.answered(s.at(2)) // the row of time-outs is broken
	s.lost(3, false, false)
	s.lost(4, false, false)
	s.lost(5, false, true) // the third in a row
	s.expect(5, brokerDown)
	s.lost(6, true, false) // no news
	s.probes(200, 400, 800, 1600, 2000, 2000)
	if !s.h.answered(s.at(6000)) {
		t.Error("the return changed nothing")
	}
	s.expect(6000, brokerUp)
	s.probes(2000)           // for another reason
	s.lost(7000, true, true) // it flaps: no short distance this time
	s.probes(2000)
	s.h.answered(s.at(10_000))
	s.h.answered(s.at(40_000)) // 30 s without a fault
	s.lost(41_000, true, true)
	s.probes(200, 400)
}

// TestBrokerRests: a broker that refuses rests, each time in a row twice as long; one
// that was down is there again.
func TestBrokerRests(t *testing.T) {
	s := healthScript{T: t, start: time.Now()}
	s.rest(0, true)
	s.expect(19, brokerResting)
	s.rest(10, false) // an answer to what was sent before
	s.expect(20, brokerUp)
	s.rest(20, true) // again: 40 ms, then 80, 100, 100
	s.expect(59, brokerResting)
	s.expect(60, brokerUp)
	s.rest(60, true)
	s.rest(140, true)
	s.expect(239, brokerResting)
	s.rest(240, true)
	s.expect(339, brokerResting)
	s.expect(340, brokerUp)
	s.h.answered(s.at(341))
	s.rest(400, true)
	s.expect(419, brokerResting)
	if state, _, why := s.h.report(s.at(410)); state != brokerResting || why != errTest {
		t.Errorf("report: %d, %v", state, why)
	}
	s.expect(420, brokerUp)
	s.lost(420, true, true)
	s.expect(421, brokerDown)
	s.rest(421, true) // it answers
	s.expect(460, brokerResting)
	s.expect(461, brokerUp)
}

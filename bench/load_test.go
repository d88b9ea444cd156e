package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
)

func runPlan(t *testing.T, p Plan) *Result {
	t.Helper()
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lookups(w *World) Group { return Group{Name: "lookups", World: w, Conns: 4, Depth: 1} }

// Every combination of header form, dialect and loop gets right answers to everything, and
// the bodies that are checked are.
func TestEveryKindOfRequestIsAnsweredAndChecked(t *testing.T) {
	w := &World{Topics: 30, Brokers: 3, Distinct: true}
	for name, change := range map[string]func(*Group){
		"json":   func(*Group) {},
		"binary": func(g *Group) { g.Serialize = codec.SerializeRocketMQ },
		"old":    func(g *Group) { g.Version = 317 },
		"deep":   func(g *Group) { g.Depth = 7 },
		"open":   func(g *Group) { g.Rate, g.Depth = 2000, 64 },
		"bursts": func(g *Group) { g.Rate, g.Depth, g.Burst = 2000, 64, 8 },
		"mix":    func(g *Group) { g.Mix = Mix{Route: 5, Cluster: 1, TopicList: 1, Unknown: 0.3, Zipf: 1.2} },
		"slow":   func(g *Group) { g.ReadBytesPerSecond = 100_000 },
		"many":   func(g *Group) { g.RequestsMax, g.Reconnect = 3, true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFakeServer(t, w)
			g := lookups(w)
			change(&g)
			r := runPlan(t, Plan{To: s.addr, Fill: []*World{w}, Groups: []Group{g}, Duration: 300 * time.Millisecond})
			got := r.Windows[0].Group("lookups")
			if got.Good == 0 || got.Failed() != 0 || got.Good != got.Replies {
				t.Errorf("%d replies, %d good, errors %v", got.Replies, got.Good, got.Errors)
			}
			if got.Checked == 0 && g.ReadBytesPerSecond == 0 && got.BytesIn > 2*sampleFromBytes {
				t.Errorf("no body of %d bytes was checked", got.BytesIn)
			}
			if got.Latency.Count == 0 || got.Latency.P50 <= 0 || got.Latency.Max < got.Latency.P99 {
				t.Errorf("latency %+v", got.Latency)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if n := len(s.registrations); n != w.Brokers {
				t.Errorf("%d brokers registered, not %d", n, w.Brokers)
			}
		})
	}
}

// What the server does wrong is counted by its kind.
func TestWrongAnswersAreCounted(t *testing.T) {
	f := func(kind string, wrong func(*fakeServer)) {
		t.Helper()
		w := &World{Topics: 10, Brokers: 2}
		s := newFakeServer(t, w)
		wrong(s)
		g := lookups(w)
		r := runPlan(t, Plan{To: s.addr, Groups: []Group{g}, Duration: 300 * time.Millisecond})
		got := r.Windows[0].Group("lookups")
		if got.Failed() == 0 || !strings.Contains(strings.Join(keys(got.Errors), "|"), kind) {
			t.Errorf("errors %v, want some with %q", got.Errors, kind)
		}
	}
	f("code 17", func(s *fakeServer) { s.world = &World{Name: "other", Topics: 2, Brokers: 1} })
	f("unanswered when the connection ended", func(s *fakeServer) { s.closeAfter = 5 })
	f("wrong body: topic bench-topic", func(s *fakeServer) { s.wrongBody = true })
}

func keys(m map[string]uint64) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

// A server that stands still for a while delays every request that was due meanwhile: an
// open loop must see them all, from when they were due. A closed loop sees one.
func TestOpenLoopCountsFromWhenRequestsWereDue(t *testing.T) {
	w := &World{Topics: 10, Brokers: 1}
	onAQuietMoment(t, func() error {
		s := newFakeServer(t, w)
		s.stall, s.stallAt = 400*time.Millisecond, 100
		g := Group{Name: "lookups", World: w, Conns: 1, Depth: 4, Rate: 500}
		r := runPlan(t, Plan{To: s.addr, Groups: []Group{g}, Duration: time.Second})
		got := r.Windows[0].Group("lookups")
		// 200 of some 500 requests were due while it stood still; half of them waited 200 ms.
		if got.Latency.P90 < 100_000 || got.Latency.Max < 390_000 {
			return fmt.Errorf("P90 %.0f us and max %.0f us: the pause is not seen by those that waited for it", got.Latency.P90, got.Latency.Max)
		}
		if got.Latency.Count < 450 {
			return fmt.Errorf("%d latencies for some 500 due requests", got.Latency.Count)
		}
		return nil
	})
}

// An open loop keeps its rate.
func TestOpenLoopRate(t *testing.T) {
	w := &World{Topics: 10, Brokers: 1}
	s := newFakeServer(t, w)
	for _, spin := range []bool{false, true} {
		onAQuietMoment(t, func() error {
			g := Group{Name: "lookups", World: w, Conns: 3, Depth: 64, Rate: 1000}
			r := runPlan(t, Plan{To: s.addr, Groups: []Group{g}, Duration: time.Second, Spin: spin})
			if got := r.Windows[0].Group("lookups"); got.Due < 950 || got.Due > 1050 {
				return fmt.Errorf("spin %v: %d requests due in %.2f s at 1000 a second", spin, got.Due, r.Windows[0].Seconds)
			}
			return nil
		})
	}
}

// onAQuietMoment fails the test if check, which depends on time, fails again and again: once,
// it may be that others had the processor.
func onAQuietMoment(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for range 5 {
		if err = check(); err == nil {
			return
		}
		t.Log(err)
	}
	t.Error(err)
}

// A broker with too many topics for a frame registers in parts, none of which has one topic.
func TestSplitRegistration(t *testing.T) {
	w := &World{Topics: splitFrom + 1, Brokers: 1}
	total := 0
	for i, part := range w.parts() {
		n := part[1] - part[0]
		if n < 2 || n > splitTopics+1 || part[0] != total {
			t.Fatalf("part %d is %v", i, part)
		}
		total += n
	}
	if total != w.Topics {
		t.Errorf("the parts have %d topics of %d", total, w.Topics)
	}
	small := &World{Topics: 1000, Brokers: 2}
	if parts := small.parts(); len(parts) != 1 || parts[0] != [2]int{0, 1000} {
		t.Errorf("a small registration is cut: %v", parts)
	}
}

// A group that asks a number of times is done then, and the window with it.
func TestUntilDone(t *testing.T) {
	w := &World{Topics: 10, Brokers: 1}
	s := newFakeServer(t, w)
	g := Group{Name: "storm", World: w, Conns: 20, Depth: 1, RequestsMax: 5, Late: true}
	begin := time.Now()
	r := runPlan(t, Plan{To: s.addr, Groups: []Group{g}, Duration: time.Minute, UntilDone: "storm"})
	got := r.Windows[0].Group("storm")
	if got.Replies != 100 || got.Good != 100 || got.Opened != 20 || got.Failed() != 0 || got.Connect == nil {
		t.Errorf("%+v", got)
	}
	if time.Since(begin) > 10*time.Second {
		t.Error("the window did not end when the group was done")
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	w := &World{Topics: 10, Brokers: 1}
	f := func(want string, p Plan) {
		t.Helper()
		_, err := Run(t.Context(), p)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	g := lookups(w)
	f("connection refused", Plan{To: "127.0.0.1:1", Groups: []Group{g}, Duration: time.Second})
	f("server address", Plan{To: "nowhere", Groups: []Group{g}})
	f("no world", Plan{To: "127.0.0.1:1", Groups: []Group{{Conns: 1}}})
	f("topics", Plan{To: "127.0.0.1:1", Groups: []Group{{World: &World{Topics: 1, Brokers: 1}, Conns: 1}}})
	f("Zipf", Plan{To: "127.0.0.1:1", Groups: []Group{{World: w, Conns: 1, Mix: Mix{Zipf: 0.5}}}})
	f("unknown topics", Plan{To: "127.0.0.1:1", Groups: []Group{{World: w, Conns: 1, Mix: Mix{Unknown: 2}}}})
	f("prepared", Plan{To: "127.0.0.1:1", Groups: []Group{{World: w, Conns: 1, Mix: Mix{Register: 1}}}})
	f("burst", Plan{To: "127.0.0.1:1", Groups: []Group{{World: w, Conns: 1, Depth: 1, Burst: 2, Rate: 1}}})
}

func TestRunEndsWhenTold(t *testing.T) {
	w := &World{Topics: 10, Brokers: 1}
	s := newFakeServer(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, Plan{To: s.addr, Groups: []Group{lookups(w)}, Duration: time.Minute})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

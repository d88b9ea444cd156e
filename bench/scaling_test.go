package bench

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scalingPage is docs/scaling.md and what it states.
func scalingPage(t *testing.T) (page []byte, s Scaling) {
	t.Helper()
	page, err := os.ReadFile("../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	if s, err = ReadScaling(page); err != nil {
		t.Fatal(err)
	}
	return page, s
}

// All that docs/scaling.md calculates follows from the costs and points that it states.
func TestScalingPageFollowsFromItsCosts(t *testing.T) {
	page, s := scalingPage(t)
	again, err := s.Place(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(again), "\n"), strings.Split(string(page), "\n")); diff != "" {
		t.Errorf("docs/scaling.md is not what is calculated (-) of its costs; nsbench scaling -page writes it:\n%s", diff)
	}
	other := s
	other.Costs.RegisterByteNanos = digits3(2 * other.Costs.RegisterByteNanos)
	if changed, err := other.Place(page); err != nil || string(changed) == string(page) {
		t.Errorf("twice the cost of a registration changes nothing: %v", err)
	}
	if read, err := ReadScaling([]byte(other.String())); err != nil || read.Costs != other.Costs || read.Of != s.Of {
		t.Errorf("blocks are not read as they are written: %+v, %v", read, err)
	}
}

// The calculation comes near to what the page says was measured.
func TestScalingAgainstMeasuredPoints(t *testing.T) {
	_, s := scalingPage(t)
	independent := 0
	for i := range s.points {
		m := &s.points[i]
		p, tolerance := &pointLines[m.line], 0.1
		if !p.in {
			independent++
			tolerance = 0.25
		}
		if ratio := m.calculated(s.Costs) / m.measured; ratio < 1/(1+tolerance) || ratio > 1+tolerance {
			t.Errorf("%s: calculated %.4g, measured %.4g", p.name(), m.calculated(s.Costs), m.measured)
		}
	}
	if independent < 2 {
		t.Errorf("only %d points did not go into the costs", independent)
	}
}

// A page that does not state everything is none.
func TestReadScalingErrors(t *testing.T) {
	page, _ := scalingPage(t)
	f := func(old, new, want string) {
		t.Helper()
		text := strings.Replace(string(page), old, new, 1)
		if text == string(page) {
			t.Fatalf("the page has no %q", old)
		}
		if _, err := ReadScaling([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %q for %q: error %v, want %q in it", new, old, err, want)
		}
	}
	f(blockBegin(blockCosts), "", "no line")
	f(blockBegin(blockPoints), "", "no line")
	f("| memory of a topic | ", "| memory of a subject | ", "no number for \"memory of a topic\"")
	f("| memory of a topic | ", "| memory of a topic | about ", "no number for")
	_, s := scalingPage(t)
	if _, err := s.Place([]byte(blockBegin(blockCosts))); err == nil || !strings.Contains(err.Error(), "no end") {
		t.Errorf("a block without end: %v", err)
	}
}

// windowOf is a sample of a server that had a core, with one group of lookups.
func windowOf(perSecond, replyBytes, share, rssMB float64) Sample {
	return Sample{Window: &Window{Seconds: 1, Server: &ProcessUse{CPUShare: share, CPUSeconds: share, RSSBytes: int64(rssMB * 1e6), PeakBytes: int64(rssMB * 1e6)},
		Groups: []GroupResult{{Name: "lookups", PerSecond: perSecond, Replies: uint64(perSecond), Good: uint64(perSecond), Due: uint64(perSecond), BytesIn: uint64(perSecond * replyBytes), ElapsedSeconds: 0.9}}}}
}

// Costs are those that the measured numbers were made of.
func TestCosts(t *testing.T) {
	want := Costs{LookupNanos: 4000, WakeNanos: 10_000, SettleNanos: 1e6, ReplyByteNanos: 0.1, RegisterByteNanos: 1, ChangedByteNanos: 1.5, NewTopicNanos: 800, ClusterByteNanos: 0.123, ReplyHeaderBytes: 150, RouteBrokerBytes: 200,
		ClusterGroupBytes: 130, ProcessBytes: 15e6, ConnectionBytes: 1300, TopicBytes: 80, OwnTopicBytes: 350, FrameRooms: 20, IntakeBytes: digits3(134.217728) * 1e6, SegmentOverheadShare: 0.05}
	w, big := &World{Topics: smallTopics, Brokers: smallBrokers}, &World{Topics: largeTopics, Brokers: largeBrokers}
	templates := w.templates(thisVersion, 0)
	want.LookupRequestBytes = float64(len(templates[opRoute].frame))
	perTopic := float64(len(big.Body(0, largeTopics, 0, 1, thisVersion).bytes)) / largeTopics
	want.RegisterTopicBytes = digits3(perTopic)
	memory := func(conns, topics, frameTopics float64) float64 {
		return (want.ProcessBytes + conns*want.ConnectionBytes + topics*want.TopicBytes + frameTopics*perTopic*want.FrameRooms) / 1e6
	}
	c := &Comparison{records: map[string]map[string]*Record{}}
	keep := func(scenario, server string, s Sample) {
		c.keep(&Record{Scenario: scenario, Server: server, Samples: []Sample{s}})
	}
	if _, err := c.Costs(); err == nil || !strings.Contains(err.Error(), small1) || !strings.Contains(err.Error(), besideName) {
		t.Errorf("of nothing: %v", err)
	}
	// seen is the x that work + asleep*(1-x) is, of what is asked perSecond and takes nanos, waking up apart
	seen := func(perSecond, nanos, wakesPerSecond, wakeNanos float64) float64 {
		work, asleep := perSecond*nanos/1e9, wakesPerSecond*wakeNanos/1e9
		return (work + asleep) / (1 + asleep)
	}
	keep(small1, "pharos", windowOf(245_000, 950, 245_000*(4000+80)/1e9, 0))
	keep(large, "pharos", windowOf(100_000, 60_150, 1, 0))
	keep(largeOpenScenario, "pharos", windowOf(62_000, 60_150, seen(62_000, 4000.0/4+6000, 62_000/4, 10_000), 0))
	keep(clusterScenario, "pharos", windowOf(200, 130_000, seen(200, 4000+130_000*0.123, 200, 10_000), 0))
	keep(silentScenario, "pharos", windowOf(15, 100, seen(15, 4000, 15, 10_000+1e6), 0))
	keep(unchangedScenario, "pharos", windowOf(10, 100, seen(10, 4000+largeTopics*perTopic, 10, 10_000+1e6), memory(largeBrokers, largeTopics, largeTopics)))
	restart := windowOf(10, 100, 1, 200)
	restart.Window.Groups[0].Name, restart.Window.Groups[0].ElapsedSeconds = "restart", (largeBrokers*largeTopics*perTopic*1.5+largeTopics*800)/1e9
	keep(restartScenario, "pharos", restart)
	keep(quietScenario, "pharos", windowOf(5000, 950, seen(5000, 4000+80, 5000, 10_000), memory(clients+smallBrokers, smallTopics, smallTopics)))
	keep(idleScenario, "pharos", windowOf(5000, 950, 0.1, memory(idleConns+clients+smallBrokers, smallTopics, smallTopics)))
	keep(millionScenario, besideName, windowOf(200_000, 950, 1, 20))
	keep(millionScenario, "pharos", windowOf(200_000, 950, 1, 20+80*0.999))
	keep(ownScenario, besideName, windowOf(200_000, 950, 1, 20))
	keep(ownScenario, "pharos", windowOf(200_000, 950, 1, 20+350*0.999))
	keep(ingestScenario, "pharos", Sample{Fill: []Filled{{Seconds: (ingestBrokers*ingestTopics*perTopic*1.5 + ingestTopics*800) / 1e9}}})
	got, err := c.Costs()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range costLines {
		if g, w := *line.at(&got), *line.at(&want); math.Abs(g/w-1) > 0.006 { // three digits
			t.Errorf("%s: %v, want %v", line.what, g, w)
		}
	}
	s, err := c.Scaling()
	if err != nil || len(s.points) != 14 {
		t.Fatalf("%d points, %v", len(s.points), err)
	}
	for i := range s.points {
		m := &s.points[i]
		if ratio := m.calculated(s.Costs) / m.measured; pointLines[m.line].in && math.Abs(ratio-1) > 0.02 {
			t.Errorf("%s: calculated by measured is %v", pointLines[m.line].name(), ratio)
		}
	}
	keep(idleScenario, "pharos", windowOf(5000, 950, 0.1, 1))
	if _, err := c.Costs(); err == nil || !strings.Contains(err.Error(), "disturbed") {
		t.Errorf("a connection that costs less than nothing: %v", err)
	}
}

// Waking up, by hand: a server that is busy for x of the time sleeps for 1-x of what arrives.
func TestWakeCores(t *testing.T) {
	c := Costs{WakeNanos: 20_000, SettleNanos: 980_000}
	for _, f := range []struct {
		work, arrivals, want float64
		what                 string
	}{
		{0.5, 50_000, 0.25, "asleep 1: x = 0.5 + 1*(1-x) = 0.75"},
		{0.2, 50_000, 0.4, "x = 0.2 + 1*(1-x) = 0.6"},
		{0.04, 10_000, 0.16, "asleep 0.2: x = 0.04 + 0.2*(1-x) = 0.2"},
		{0, 100, 0.002 / 1.002, "asleep 0.002; one comes every 10 ms"},
		{0, 50, 0.05 / 1.05, "asleep 50 * 1 ms = 0.05, since the next one comes after 20 ms"},
		{1, 50_000, 0, "it never sleeps"},
		{1.2, 50_000, 0, "it cannot"},
		{0, 0, 0, "nothing arrives"},
	} {
		if got := c.wakeCores(f.work, f.arrivals); math.Abs(got-f.want) > 1e-12 {
			t.Errorf("%v of work, %v a second: %v, want %v (%s)", f.work, f.arrivals, got, f.want, f.what)
		}
	}
}

// What comes together is one turn and one wake-up, and has all its bytes.
func TestLookupsTogether(t *testing.T) {
	c := Costs{LookupNanos: 8000, ReplyByteNanos: 0.1, RouteBrokerBytes: 200, WakeNanos: 20_000}
	f := Fleet{Brokers: 10, Topics: 10, BrokersPerTopic: 10, Clients: 50_000, TopicsPerClient: 1, PollSeconds: 1}
	// alone: 50,000 * (8 us + 2,000 bytes * 0.1 ns) = 0.41, asleep 50,000 * 20 us = 1
	// 5 together: 10,000 * 8 us + 50,000 * 0.2 us = 0.09, asleep 0.2
	for together, want := range map[float64][2]float64{0: {0.41, 0.295}, 1: {0.41, 0.295}, 5: {0.09, 0.2 * 0.91 / 1.2}} {
		f.LookupsTogether = together
		n := f.Each(1, c)
		if math.Abs(n.LookupCores-want[0]) > 1e-12 || math.Abs(n.WakeCores-want[1]) > 1e-12 || n.WorkCores() != n.LookupCores {
			t.Errorf("%v together: %v and %v for waking up, want %v", together, n.LookupCores, n.WakeCores, want)
		}
	}
	f.LookupsTogether, f.RegisterSeconds, f.ClusterSeconds = 5, 1, 1 // 10,000 turns, and 10 a second each
	if got, want := f.Each(1, c).WakeCores, c.wakeCores(f.Each(1, c).WorkCores(), 10_020); got != want {
		t.Errorf("with registrations and cluster lists %v, want %v", got, want)
	}
}

// What is measured for costs and points exists.
func TestScalingNamesWhatExists(t *testing.T) {
	exists := map[string]*Scenario{}
	for _, s := range Stages() {
		for i := range s.Scenarios {
			exists[s.Scenarios[i].Name] = &s.Scenarios[i]
		}
	}
	names := []string{small1, large, largeOpenScenario, silentScenario, clusterScenario, unchangedScenario, restartScenario, quietScenario, idleScenario, millionScenario, ownScenario, ingestScenario}
	for i := range pointLines {
		names = append(names, pointLines[i].scenario)
	}
	for _, name := range names {
		if sc := exists[name]; sc == nil || !sc.measures(&Server{Name: "pharos"}, false) {
			t.Errorf("Pharos is not measured in a scenario %q", name)
		}
	}
}

// What clients ask is shared by servers, what brokers register is not.
func TestScalingByServers(t *testing.T) {
	_, s := scalingPage(t)
	c := s.Costs
	one, ten := largeFleet.Each(1, c), largeFleet.Each(10, c)
	if math.Abs(ten.LookupCores*10-one.LookupCores) > 1e-9 || ten.RegisterCores != one.RegisterCores {
		t.Errorf("lookups %v and %v, registrations %v and %v", one.LookupCores, ten.LookupCores, one.RegisterCores, ten.RegisterCores)
	}
	if ten.InGbit >= one.InGbit || ten.ResidentMB >= one.ResidentMB || ten.Cores() >= one.Cores() {
		t.Errorf("one of ten needs no less than the only one: %+v, %+v", one, ten)
	}
	if third := (Fleet{Clients: 300_000, TopicsPerClient: 1, PollSeconds: 30, Brokers: 1}).Each(10, c); third.WakeCores <= 0 || third.Cores() != third.LookupCores+third.WakeCores {
		t.Errorf("1,000 lookups a second wake nobody up: %+v", third)
	}
	never := Fleet{Brokers: 10, Clients: 10, Topics: 10, BrokersPerTopic: 1}
	if n := never.Each(1, c); n.Cores() != 0 {
		t.Errorf("who asks nothing costs %v cores", n.Cores())
	}
}

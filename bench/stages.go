package bench

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Stages is everything that is compared. The short form leaves out what is Full.
func Stages() []Stage { return slices.Clone(allStages()) }

// allStages are made once: their registrations are encoded.
var allStages = sync.OnceValue(func() []Stage {
	stages := []Stage{smallStage(), loopsStage()}
	stages = append(stages, emptyStage(), ingestStage(), restartStage())
	for _, size := range []struct {
		name            string
		topics, brokers int
		distinct, full  bool
		body            int
	}{
		{"20k x 1", 20_000, 1, false, true, 240}, {"20k x 1, all different", 20_000, 1, true, true, 245},
		{"100k x 4", 100_000, 4, false, false, smallBodyBytes}, {"100k x 4, all different", 100_000, 4, true, true, 880},
		{"100k x 16", 100_000, 16, false, true, 3_280}, {"100k x 16, all different", 100_000, 16, true, true, 3_350},
		{"1M x 4", topicsMost, 4, false, false, smallBodyBytes}, {"1M x 4, all different", topicsMost, 4, true, false, 885},
	} {
		stages = append(stages, sizeStage(size.name, &World{Topics: size.topics, Brokers: size.brokers, Distinct: size.distinct}, size.full, size.body))
	}
	return append(stages, largeStages()...)
})

// topicsMost are those of the largest world.
const topicsMost = 1_000_000

// idleConns is how many connections do nothing in the scenario about them.
const idleConns = 18_000

// sweepShareMax: a server is not asked for more than that share of what it can.
const sweepShareMax = 0.9

// small1 and small16 are what other scenarios are measured by.
const small1, small16 = "small, depth 1", "small, depth 16"

// peers are the servers that Pharos is to be faster than, and how many times at depth 16.
var peers = []struct {
	name string
	deep float64
}{{"java", 20}, {"java-g1", 20}, {"rust", 30}, {"rust-tuned", 30}}

// peerShares are how much of what a peer can it is offered when slowest answers are compared.
var peerShares = []float64{0.5, 0.8}

func peerScenario(peer string, share float64) string {
	return fmt.Sprintf("small, %.0f %% of %s", share*100, peer)
}

func smallStage() Stage {
	w := &World{Topics: 1000, Brokers: 4}
	s := Stage{Name: "small", About: "1,000 topics on 4 brokers", Worlds: []*World{w}, Scenarios: []Scenario{
		{Name: small1, About: "closed loop, 64 connections, one request in flight", Groups: closedLoop(w, 1)},
		offered(small1, w, 1, smallBodyBytes),
		{Name: small16, About: "closed loop, 64 connections, 16 requests in flight", Groups: closedLoop(w, 16)},
		offered(small16, w, 16, smallBodyBytes),
		unknownAtOneRate(w),
		{Name: unknownTopics, About: "half of the lookups name topics nobody has; depth 16", BodyBytes: 500, Short: ours,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Mix: Mix{Unknown: 0.5}}}},
		{Name: "Zipf", About: "popularity by Zipf's law (1.1), depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Mix: Mix{Zipf: 1.1}}}},
		{Name: "binary headers", About: "ROCKETMQ headers, depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Serialize: 1}}},
		{Name: "old clients", About: "version 4.4.0: bodies with bare integer keys, depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Version: 293}}},
		{Name: "small, quiet", About: "open loop, 5,000 a second", Groups: openLoop(w, quietRate), Short: yardsticked},
		{Name: "flood", About: "one connection with 1,000 requests in flight beside the quiet lookups", Short: yardsticked,
			Groups: beside(w, Group{Name: "flood", World: w, Conns: 1, Depth: 1000})},
		{Name: "slow readers", About: "50 connections that ask 100 at a time and read 10 kB a second", Full: true,
			Groups: beside(w, Group{Name: "slow", World: w, Conns: 50, Depth: 100, ReadBytesPerSecond: 10_000, ReceiveBufferBytes: 4096})},
		{Name: "idle connections", About: "18,000 connections that do nothing beside the quiet lookups", Alone: true, Short: ours,
			Groups: beside(w, Group{Name: "idle", World: w, Conns: idleConns})},
	}}
	for _, peer := range peers {
		for _, share := range peerShares {
			s.Scenarios = append(s.Scenarios, Scenario{
				Name: peerScenario(peer.name, share), About: fmt.Sprintf("open loop at %.0f %% of what %s can, for it and Pharos", share*100, peer.name),
				Groups: openLoop(w, 0), RateOf: small1, RateShare: share, RateBy: []string{peer.name}, Only: []string{"pharos", peer.name}, Full: !slices.Contains(ShortNames, peer.name),
			})
		}
	}
	for _, rate := range []float64{2000, 10_000, 20_000, 40_000, 80_000, 120_000} {
		s.Scenarios = append(s.Scenarios, Scenario{
			Name: fmt.Sprintf("rate %.0f", rate), About: "open loop", Groups: openLoop(w, rate), Full: true, RateOf: small1, OwnShareMax: sweepShareMax,
		})
	}
	for i := range s.Scenarios {
		if sc := &s.Scenarios[i]; sc.BodyBytes == 0 {
			sc.BodyBytes = smallBodyBytes
		}
	}
	return s
}

// unknownTopics is the scenario with names that nobody has.
const unknownTopics = "unknown topics"

// unknownAtOneRate asks as many a second as are asked of known topics alone.
func unknownAtOneRate(w *World) Scenario {
	sc := offered(small16, w, 16, 0)
	sc.Name, sc.About = unknownTopics+", the same rate", "half of the lookups name topics nobody has; as many a second, and as many due together, as in \""+sc.Name+"\""
	sc.Groups[0].Mix, sc.Only = Mix{Unknown: 0.5}, ours
	return sc
}

// loopsClosed and loopsOpen compare Pharos with itself: one event loop and two.
const loopsClosed, loopsOpen = "loops, depth 1", "loops, 60 % of one"

// loopsStage has servers of its own, which are not bound to a processor, and a load that sleeps:
// two loops are to run side by side. What is due in two milliseconds comes together, so that either
// server wakes up for many requests at a time, and not two loops twice as often as one.
func loopsStage() Stage {
	w := &World{Topics: 1000, Brokers: 4}
	return Stage{Name: "loops", About: "1,000 topics on 4 brokers; servers may use all processors", Worlds: []*World{w}, Sleeps: true,
		Only: []string{"pharos-1-loop", "pharos-2-loops"}, Scenarios: []Scenario{
			{Name: loopsClosed, About: "closed loop, 64 connections, one request in flight", Groups: closedLoop(w, 1)},
			{Name: loopsOpen, About: "open loop at 60 % of what one loop can, those of 2 ms due together", RateOf: loopsClosed, RateShare: 0.6, RateBy: []string{"pharos-1-loop"}, Alike: true,
				Groups: []Group{{Name: "lookups", World: w, Conns: 4 * clients, Depth: 16, Every: 2 * time.Millisecond}}},
		}}
}

func emptyStage() Stage {
	return Stage{Name: "empty", About: "a server without routes: start, memory after 10 s, stop", Fresh: true, Beside: map[string]*World{untracedName: nil},
		Scenarios: []Scenario{{Name: "start, idle, stop", About: "from exec to the first answer; resident after 10 s; from SIGTERM to the end", Idle: 10 * time.Second,
			Short: append([]string{untracedName}, ours...)}}}
}

func ingestStage() Stage {
	w := &World{Topics: 100_000, Brokers: 4}
	return Stage{Name: "ingest", About: "100,000 topics on 4 brokers register in parts of 800", Fresh: true, Worlds: []*World{w},
		Scenarios: []Scenario{{Name: "ingest 100k x 4", About: "400,000 topic registrations; resident 5 s later", Idle: 5 * time.Second, Short: []string{"pharos", "java"}}}}
}

func restartStage() Stage {
	small := &World{Name: "small", Topics: 1000, Brokers: 4, Base: 1 << 16}
	big := &World{Name: "mass", Topics: 10_000, Brokers: 300}
	restart := big.FillGroup(thisVersion, 0)
	restart.Name = "restart"
	return Stage{Name: "restart", About: "300 brokers with 10,000 topics each register at once, lookups of small topics meanwhile", Fresh: true,
		Worlds: []*World{small}, Scenarios: []Scenario{{Name: "mass restart", About: "until all have their answers",
			Groups:    append([]Group{{Name: "lookups", World: small, Conns: clients, Depth: 256, Rate: 1000}}, restart),
			UntilDone: "restart", Window: time.Minute, Short: []string{"pharos", "java"}}}}
}

// topicList is the scenario of the largest answer that is often asked for.
const topicList = "topic list"

// offeredLists is it at the same rate for Pharos and the yardstick.
func offeredLists(w *World) Scenario {
	sc := offered(topicList, w, 1, listBodyBytes)
	sc.Groups = []Group{{Name: "lists", World: w, Conns: listClients, Depth: 1, Mix: Mix{TopicList: 1}}}
	return sc
}

func sizeStage(name string, w *World, full bool, body int) Stage {
	s := Stage{Name: name, About: fmt.Sprintf("%d topics on %d brokers", w.Topics, w.Brokers), Worlds: []*World{w}, Full: full}
	sc := Scenario{Name: name + ", depth 16", About: "uniform lookups of all topics", Groups: closedLoop(w, 16), BodyBytes: body, Only: leaders}
	if w.Distinct && w.Topics < topicsMost { // what other servers do with it, a million says
		sc.Only = yardsticked
	}
	if w.Topics == topicsMost {
		s.Beside = map[string]*World{besideName: {Topics: 1000, Brokers: w.Brokers}}
		s.About += "; beside them a Pharos with 1,000 topics"
		sc.Only, sc.Short = append([]string{besideName}, leaders...), append([]string{besideName}, ours...)
		s.Scenarios = append(s.Scenarios, sc, besideAtOneRate(sc.Name, w, body))
		return s
	}
	if w.Topics == 100_000 && w.Brokers == 4 && !w.Distinct {
		sc.Full = true
		s.Scenarios = append(s.Scenarios, Scenario{Name: topicList, About: "the list of 100,000 topics (206), one at a time; bodies are not looked at", BodyBytes: listBodyBytes, Only: leaders, Short: yardsticked, Alike: true,
			Groups: []Group{{Name: "lists", World: w, Conns: listClients, Depth: 1, Mix: Mix{TopicList: 1}}}}, offeredLists(w))
	}
	s.Scenarios = append(s.Scenarios, sc)
	return s
}

// besideAtOneRate is the closed loop of that name at the same rate for Pharos with all topics and
// with 1,000.
func besideAtOneRate(of string, w *World, body int) Scenario {
	sc := offered(of, w, 16, body)
	sc.About = "open loop at 70 % of what the slower of the two can, for Pharos with 1,000 topics and with all, 16 due together on a connection"
	sc.RateBy, sc.Only = []string{"pharos", besideName}, []string{"pharos", besideName}
	return sc
}

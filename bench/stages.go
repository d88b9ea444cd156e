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
		{"20k x 1", 20_000, 1, false, true, 240}, {"100k x 4", 100_000, 4, false, false, smallBodyBytes},
		{"100k x 16", 100_000, 16, false, true, 3_280}, {"1M x 4", topicsMost, 4, false, false, smallBodyBytes},
		{"1M x 4, all different", topicsMost, 4, true, false, 885},
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

func smallStage() Stage {
	w := &World{Topics: 1000, Brokers: 4}
	s := Stage{Name: "small", About: "1,000 topics on 4 brokers", Worlds: []*World{w}, Scenarios: []Scenario{
		{Name: small1, About: "closed loop, 64 connections, one request in flight", Groups: closedLoop(w, 1)},
		offered(small1, w, 1, smallBodyBytes),
		{Name: small16, About: "closed loop, 64 connections, 16 requests in flight", Groups: closedLoop(w, 16)},
		offered(small16, w, 16, smallBodyBytes),
		{Name: "unknown topics", About: "half of the lookups name topics nobody has; depth 16", BodyBytes: 500, Short: ours,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Mix: Mix{Unknown: 0.5}}}},
		{Name: "Zipf", About: "popularity by Zipf's law (1.1), depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Mix: Mix{Zipf: 1.1}}}},
		{Name: "binary headers", About: "ROCKETMQ headers, depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Serialize: 1}}},
		{Name: "old clients", About: "version 4.4.0: bodies with bare integer keys, depth 16", Full: true,
			Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 16, Version: 293}}},
		{Name: "small, 50 %", About: "open loop at half of what the slowest can", Groups: openLoop(w, 0), RateOf: small1, RateShare: 0.5},
		{Name: "small, 80 %", About: "open loop at 80 % of what the slowest can", Groups: openLoop(w, 0), RateOf: small1, RateShare: 0.8},
		{Name: "small, quiet", About: "open loop, 5,000 a second", Groups: openLoop(w, quietRate), Short: yardsticked},
		{Name: "flood", About: "one connection with 1,000 requests in flight beside the quiet lookups", Short: yardsticked,
			Groups: beside(w, Group{Name: "flood", World: w, Conns: 1, Depth: 1000})},
		{Name: "slow readers", About: "50 connections that ask 100 at a time and read 10 kB a second", Full: true,
			Groups: beside(w, Group{Name: "slow", World: w, Conns: 50, Depth: 100, ReadBytesPerSecond: 10_000, ReceiveBufferBytes: 4096})},
		{Name: "idle connections", About: "18,000 connections that do nothing beside the quiet lookups", Alone: true, Short: ours,
			Groups: beside(w, Group{Name: "idle", World: w, Conns: idleConns})},
	}}
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
	return Stage{Name: "empty", About: "a server without routes: start, memory after 10 s, stop", Fresh: true,
		Scenarios: []Scenario{{Name: "start, idle, stop", About: "from exec to the first answer; resident after 10 s; from SIGTERM to the end", Idle: 10 * time.Second, Short: ours}}}
}

func ingestStage() Stage {
	w := &World{Topics: 100_000, Brokers: 4}
	return Stage{Name: "ingest", About: "100,000 topics on 4 brokers register in parts of 800", Fresh: true, Worlds: []*World{w},
		Scenarios: []Scenario{{Name: "ingest 100k x 4", About: "400,000 topic registrations; resident 5 s later", Idle: 5 * time.Second}}}
}

func restartStage() Stage {
	small := &World{Name: "small", Topics: 1000, Brokers: 4, Base: 1 << 16}
	big := &World{Name: "mass", Topics: 10_000, Brokers: 300}
	restart := big.FillGroup(thisVersion, 0)
	restart.Name = "restart"
	return Stage{Name: "restart", About: "300 brokers with 10,000 topics each register at once, lookups of small topics meanwhile", Fresh: true,
		Worlds: []*World{small}, Scenarios: []Scenario{{Name: "mass restart", About: "until all have their answers",
			Groups:    append([]Group{{Name: "lookups", World: small, Conns: clients, Depth: 256, Rate: 1000}}, restart),
			UntilDone: "restart", Window: 5 * time.Minute, Short: []string{"pharos", "java"}}}}
}

func sizeStage(name string, w *World, full bool, body int) Stage {
	s := Stage{Name: name, About: fmt.Sprintf("%d topics on %d brokers", w.Topics, w.Brokers), Worlds: []*World{w}, Full: full}
	sc := Scenario{Name: name + ", depth 16", About: "uniform lookups of all topics", Groups: closedLoop(w, 16), BodyBytes: body, Only: leaders}
	if w.Topics == topicsMost {
		s.Beside = map[string]*World{besideName: {Topics: 1000, Brokers: w.Brokers}}
		s.About += "; beside them a Pharos with 1,000 topics"
		sc.Only, sc.Short = append([]string{besideName}, leaders...), append([]string{besideName}, ours...)
	}
	if w.Topics == 100_000 && w.Brokers == 4 {
		sc.Full = true
		s.Scenarios = append(s.Scenarios, Scenario{Name: "topic list", About: "the list of 100,000 topics (206), one at a time", BodyBytes: 2_200_000, Only: leaders, Short: yardsticked,
			Groups: []Group{{Name: "lists", World: w, Conns: 4, Depth: 1, Mix: Mix{TopicList: 1}}}})
	}
	s.Scenarios = append(s.Scenarios, sc)
	return s
}

// large is what other scenarios are measured by.
const large = "60 kB bodies"

// largeStages are those with 300 brokers of 10,000 topics each, and those with a thousand
// brokers and more.
func largeStages() []Stage {
	w := &World{Topics: 10_000, Brokers: 300}
	load := func(name, about string) []Scenario {
		return []Scenario{
			{Name: name + ", quiet lookups", About: "200 lookups a second, of 60 kB each; " + about, BodyBytes: largeBodyBytes, Short: ours,
				Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 64, Rate: 200, Variants: 2}}},
			{Name: name + ", brokers alone", About: about, Short: ours},
		}
	}
	oneChanged := load("one changed", "a broker a second with one topic changed")
	oneChanged[1].Slowest, oneChanged[1].Window = true, 10*time.Second // ten brokers
	rate := float64(w.Brokers) / renewSeconds
	many := &World{Topics: 10, Brokers: 1000}
	return []Stage{
		{Name: "300 x 10,000", About: "300 brokers, 10,000 topics on each", Worlds: []*World{w}, Scenarios: append([]Scenario{
			{Name: large, About: "closed loop, depth 4; bodies are not looked at", Groups: closedLoop(w, 4), BodyBytes: largeBodyBytes, Alike: true},
			offered(large, w, 4, largeBodyBytes),
			{Name: large + ", 70 % of the slowest", About: "open loop at 70 % of what the slowest can", Groups: openLoop(w, 0), BodyBytes: largeBodyBytes,
				RateOf: large, RateShare: offeredShare, Alike: true},
		}, load("300 x 10,000", "brokers silent")...)},
		{Name: "300 x 10,000 unchanged", About: "every broker re-registers unchanged each 30 s", Worlds: []*World{w},
			Renew: []Renewal{{World: w, Rate: rate}}, Scenarios: load("unchanged", "10 brokers a second re-register unchanged")},
		{Name: "300 x 10,000 one changed", About: "a broker a second registers with one topic changed", Worlds: []*World{w},
			Renew:     []Renewal{{World: w, Rate: 1, Registrations: renewals(w, w.BodyOneChanged(7, 2, thisVersion), w.Body(0, w.Topics, 0, 3, thisVersion))}},
			Scenarios: oneChanged},
		{Name: "300 x 10,000 all changed", About: "a broker a second registers with all topics changed", Full: true, Worlds: []*World{w},
			Renew:     []Renewal{{World: w, Rate: 1, Registrations: renewals(w, w.Body(0, w.Topics, 1, 2, thisVersion), w.Body(0, w.Topics, 0, 3, thisVersion))}},
			Scenarios: load("all changed", "a broker a second with all topics changed")},
		{Name: "1,000 brokers", About: "1,000 brokers ask 106 every 5 s", Worlds: []*World{many}, Scenarios: []Scenario{
			{Name: "106 every 5 s", About: "200 cluster questions a second", BodyBytes: 130_000, Short: yardsticked,
				Groups: []Group{{Name: "brokers", World: many, Conns: many.Brokers, Depth: 1, Rate: 200, Mix: Mix{Cluster: 1}}}}}},
		stormStage(), churnStage(),
	}
}

func stormStage() Stage {
	w := &World{Topics: 1000, Brokers: 4}
	return Stage{Name: "storm", About: "10,000 clients connect at once and ask 20 topics each", Fresh: true, Worlds: []*World{w},
		Scenarios: []Scenario{{Name: "reconnect storm", About: "until the last has its answers", UntilDone: "clients", Window: 2 * time.Minute, Short: ours,
			Groups: []Group{{Name: "clients", World: w, Conns: 10_000, Depth: 20, RequestsMax: 20, Late: true}}}}}
}

func churnStage() Stage {
	w := &World{Topics: 1000, Brokers: 4}
	comers := &World{Name: "churn", Topics: 1000, Brokers: 50, Base: 1 << 16}
	const kinds = 20
	all := make([][]*Registration, comers.Brokers)
	for k := range kinds {
		other := *comers
		other.Name = fmt.Sprintf("churn%02d", k)
		body := other.Body(0, other.Topics, 0, 1, thisVersion)
		for b := range all {
			all[b] = append(all[b], other.Registration(b, body, 0))
		}
	}
	return Stage{Name: "churn", About: "brokers with other topics each time come and go, ten a second", Full: true, Worlds: []*World{w},
		Scenarios: []Scenario{{Name: "churn", About: "10 minutes, once", Window: 10 * time.Minute, Pairs: 1, Only: []string{"pharos", "java"}, Groups: beside(w, Group{
			Name: "comers", World: comers, Conns: comers.Brokers, Depth: 1, Rate: 10, RequestsMax: 1, Reconnect: true, Mix: Mix{Register: 1},
			Registrations: func(conn, nth int) *Registration { return all[conn][nth%kinds] }})}}}
}

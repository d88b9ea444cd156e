package bench

import (
	"fmt"
	"time"
)

// largeWindow has a thousand lookups, so that their P99 is not that of the third slowest.
const largeWindow = 5 * time.Second

// brokersSettle is how long brokers were alone before that is measured. A server may do less when
// little was asked of it for a while, and what is asked of it before a sample, so that its brokers'
// connections are not closed as idle, is not little: Pharos is quiet after 5 s (quieting in
// server/processors.go).
const brokersSettle = 6 * time.Second

// large is what other scenarios are measured by.
const large = "60 kB bodies"

// largeStages are those with 300 brokers of 10,000 topics each, and those with a thousand
// brokers and more.
func largeStages() []Stage {
	w := &World{Topics: 10_000, Brokers: 300}
	load := func(name, about string) []Scenario {
		return []Scenario{
			{Name: name + ", quiet lookups", About: "200 lookups a second, of 60 kB each; " + about, BodyBytes: largeBodyBytes, Short: ours,
				Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: 64, Rate: 200, Variants: 2}}, Window: largeWindow},
			{Name: name + ", brokers alone", About: about, Short: ours, Settle: brokersSettle},
		}
	}
	oneChanged := load("one changed", "a broker a second with one topic changed")
	oneChanged[1].Slowest, oneChanged[1].Window = true, 10*time.Second // ten brokers
	rate := float64(w.Brokers) / renewSeconds
	many := &World{Topics: 10, Brokers: 1000}
	slow := "its fill in \"300 x 10,000\" tells why"
	not := map[string]string{"rust": slow, "rust-tuned": slow}
	return []Stage{
		wideStage(),
		{Name: "300 x 10,000", About: "300 brokers, 10,000 topics on each", Worlds: []*World{w}, Scenarios: load("300 x 10,000", "brokers silent")},
		{Name: "300 x 10,000 unchanged", About: "every broker re-registers unchanged each 30 s", Worlds: []*World{w}, Not: not,
			Renew: []Renewal{{World: w, Rate: rate}}, Scenarios: load("unchanged", "10 brokers a second re-register unchanged")},
		{Name: "300 x 10,000 one changed", About: "a broker a second registers with one topic changed", Worlds: []*World{w}, Not: not,
			Renew:     []Renewal{{World: w, Rate: 1, Registrations: renewals(w, w.BodyOneChanged(7, 2, thisVersion), w.Body(0, w.Topics, 0, 3, thisVersion))}},
			Scenarios: oneChanged},
		{Name: "300 x 10,000 all changed", About: "a broker a second registers with all topics changed", Full: true, Worlds: []*World{w}, Not: not,
			Renew:     []Renewal{{World: w, Rate: 1, Registrations: renewals(w, w.Body(0, w.Topics, 1, 2, thisVersion), w.Body(0, w.Topics, 0, 3, thisVersion))}},
			Scenarios: load("all changed", "a broker a second with all topics changed")},
		{Name: "1,000 brokers", About: "1,000 brokers ask 106 every 5 s", Worlds: []*World{many}, Scenarios: []Scenario{
			{Name: "106 every 5 s", About: "200 cluster questions a second", BodyBytes: 137_600, Short: yardsticked,
				Groups: []Group{{Name: "brokers", World: many, Conns: many.Brokers, Depth: 1, Rate: 200, Mix: Mix{Cluster: 1}}}}}},
		stormStage(), churnStage(),
	}
}

// wideStage has few topics, so that every server is soon filled: what counts is how many brokers
// have them.
func wideStage() Stage {
	w := &World{Topics: 100, Brokers: 300}
	beside := offered(large, w, 4, largeBodyBytes)
	beside.Name, beside.About, beside.RateBy, beside.Only = large+", 70 % of java", "the same at 70 % of what java can, for it and Pharos", []string{"java"}, []string{"pharos", "java"}
	return Stage{Name: large, About: "100 topics on 300 brokers", Worlds: []*World{w}, Scenarios: []Scenario{
		{Name: large, About: "closed loop, depth 4; bodies are not looked at", Groups: closedLoop(w, 4), BodyBytes: largeBodyBytes, Alike: true},
		offered(large, w, 4, largeBodyBytes),
		beside,
	}}
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

package bench

import "math"

// point is something that was measured and can be calculated too.
type point struct {
	what     string
	unit     string
	scenario string
	metric   string
	in       bool // it went into the costs
	// fleet is who was there; with rate it is asked for that many lookups a second, of the
	// scenario, by as many clients.
	fleet Fleet
	rate  bool
	need  func(Need) float64
}

// pointLines are all points, in the order in which they are shown.
var pointLines = func() []point {
	small := Fleet{Brokers: smallBrokers, Topics: smallTopics, BrokersPerTopic: smallBrokers, TopicsPerClient: 1, PollSeconds: 1}
	wide := Fleet{Brokers: largeBrokers, Topics: 100, BrokersPerTopic: largeBrokers, TopicsPerClient: 1, PollSeconds: 1}
	unchanged := Fleet{Brokers: largeBrokers, Topics: largeTopics, BrokersPerTopic: largeBrokers, RegisterSeconds: renewSeconds}
	cluster := Fleet{Brokers: clusterBrokers, Topics: 10, BrokersPerTopic: clusterBrokers, ClusterSeconds: clusterAskSeconds}
	filled := func(topics, brokers, conns int) Fleet {
		return Fleet{Brokers: brokers, Topics: topics, BrokersPerTopic: float64(brokers), Clients: conns}
	}
	together := func(f Fleet, n float64) Fleet {
		f.LookupsTogether = n
		return f
	}
	silent := Fleet{Brokers: largeBrokers, TopicsPerClient: 1, PollSeconds: 1} // what brokers ask now and then: lookups of nothing
	cores := func(n Need) float64 { return n.Cores() }
	resident := func(n Need) float64 { return n.ResidentMB }
	restart := func(n Need) float64 { return n.MassRestartSeconds }
	return []point{
		{what: "lookups one at a time", unit: "cores", scenario: small1, metric: "cpu_share", fleet: small, need: cores, in: true, rate: true},
		{what: "the same at 70 %", unit: "cores", scenario: small1 + ", 70 %", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: "rate 80000", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: "rate 40000", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: peerScenario("java", 0.8), metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: "rate 20000", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: "rate 10000", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: quietScenario, metric: "cpu_share", fleet: small, need: cores, in: true, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: "rate 2000", metric: "cpu_share", fleet: small, need: cores, rate: true},
		{what: "lookups, 16 together on a connection", unit: "cores", scenario: small16, metric: "cpu_share", fleet: together(small, 16), need: cores, rate: true},
		{what: "the same at 70 %", unit: "cores", scenario: small16 + ", 70 %", metric: "cpu_share", fleet: together(small, 16), need: cores, rate: true},
		{what: "lookups of 60 kB, up to 4 together, counted as if alone", unit: "cores", scenario: large, metric: "cpu_share", fleet: wide, need: cores, rate: true},
		{what: "lookups of 60 kB, 4 together on a connection", unit: "cores", scenario: largeOpenScenario, metric: "cpu_share", fleet: together(wide, largeTogether), need: cores, in: true, rate: true},
		{what: "the same at a fixed rate", unit: "cores", scenario: large + ", 70 % of java", metric: "cpu_share", fleet: together(wide, largeTogether), need: cores, rate: true},
		{what: "300 brokers that ask a little now and then", unit: "cores", scenario: silentScenario, metric: "cpu_share", fleet: silent, need: cores, in: true, rate: true},
		{what: "300 x 10,000 unchanged each 30 s", unit: "cores", scenario: unchangedScenario, metric: "cpu_share", fleet: unchanged, need: cores, in: true},
		{what: "the same", unit: "MB", scenario: unchangedScenario, metric: "rss_mb", fleet: unchanged, need: resident, in: true},
		{what: "300 x 10,000 coming back at once", unit: "s", scenario: restartScenario, metric: "elapsed_s", fleet: unchanged, need: restart, in: true},
		{what: "the same, at most", unit: "MB", scenario: restartScenario, metric: "peak_mb", fleet: unchanged, need: func(n Need) float64 { return n.MassRestartMB }},
		{what: "1,000 brokers that ask 106 each 5 s", unit: "cores", scenario: clusterScenario, metric: "cpu_share", fleet: cluster, need: cores, in: true},
		{what: "18,000 idle connections", unit: "MB", scenario: idleScenario, metric: "rss_mb", fleet: filled(smallTopics, smallBrokers, idleConns+clients), need: resident, in: true},
		{what: "100,000 topics on 4 brokers register", unit: "s", scenario: ingestScenario, metric: "fill_s", fleet: filled(ingestTopics, ingestBrokers, 0), need: restart, in: true},
		{what: "100,000 topics on 16 brokers register", unit: "s", scenario: "100k x 16, depth 16", metric: "fill_s", fleet: filled(100_000, 16, 0), need: restart},
		{what: "100,000 topics on 4 brokers", unit: "MB", scenario: ingestScenario, metric: "idle_mb", fleet: filled(ingestTopics, ingestBrokers, 0), need: resident},
		{what: "100,000 topics on 16 brokers", unit: "MB", scenario: "100k x 16, depth 16", metric: "rss_mb", fleet: filled(100_000, 16, clients), need: resident},
		{what: "1,000,000 topics on 4 brokers", unit: "MB", scenario: millionScenario, metric: "rss_mb", fleet: filled(topicsMost, 4, clients), need: resident, in: true},
		{what: "the same, every topic with queue numbers of its own", unit: "MB", scenario: ownScenario, metric: "rss_mb", fleet: filled(topicsMost, 4, clients), need: func(n Need) float64 { return n.ResidentOwnMB }, in: true},
	}
}()

// measuredPoint is one of pointLines, by its place there, and what came out.
type measuredPoint struct {
	line      int
	perSecond float64 // lookups
	measured  float64
}

// points are those that were measured.
func (c *Comparison) points() (all []measuredPoint) {
	for i := range pointLines {
		p, r := &pointLines[i], &reader{c: c}
		m := measuredPoint{line: i, measured: digits3(r.median(p.scenario, p.metric))}
		if p.rate {
			if record := c.Record(p.scenario, "pharos"); record != nil {
				m.perSecond = digits3(record.Spread("per_second").Median) // it need not have had the whole core
			}
		}
		if len(r.lacks) == 0 {
			all = append(all, m)
		}
	}
	return all
}

// calculated is what the costs say about a point.
func (m *measuredPoint) calculated(c Costs) float64 {
	p := &pointLines[m.line]
	fleet := p.fleet
	if p.rate {
		fleet.Clients = int(math.Round(m.perSecond)) // as it is written down
	}
	return digits3(p.need(fleet.Each(1, c)))
}

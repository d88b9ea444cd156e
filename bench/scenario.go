package bench

import "time"

// Stage is a filled server and what is measured on it: every server of a comparison is
// started and filled once for all scenarios of a stage.
type Stage struct {
	Name   string
	About  string
	Full   bool // only in full runs
	Worlds []*World
	Renew  []Renewal
	// Fresh: every sample has a server of its own, started for it.
	Fresh     bool
	Scenarios []Scenario
	// Only names the servers that take part, which are in no other stage; nil: all others.
	Only []string
	// Not names servers that are left out, and why.
	Not map[string]string
}

// Scenario is one row of a comparison.
type Scenario struct {
	Name  string
	About string
	Full  bool
	// Groups make the load; the first is the one whose throughput and latency are shown.
	// None: the brokers alone.
	Groups []Group
	// RateOf takes the first group's rate from another scenario: RateShare of the lowest
	// throughput that a name server had there.
	RateOf    string
	RateShare float64
	// OwnShareMax leaves out a server when the rate is more than that share of its own
	// throughput in RateOf: it could not keep up.
	OwnShareMax float64
	// BodyBytes is how large the yardstick's bodies are: those of this scenario.
	BodyBytes int
	// UntilDone is Plan.UntilDone; such a scenario runs once on each fresh server.
	UntilDone string
	// Alone: one server at a time has this load, since its connections are too many for the
	// load to hold them to all servers at once.
	Alone bool
	// Idle is how long nothing happens before memory is read.
	Idle time.Duration
	// Window overrides how long is measured.
	Window time.Duration
}

// The bodies of route replies: what the yardstick has to send too.
const (
	smallBodyBytes = 865
	largeBodyBytes = 60_000
)

// The depths and numbers of the scenarios.
const (
	clients   = 64
	quietRate = 5000 // lookups a second beside whatever else happens: every server can do it
)

func closedLoop(w *World, depth int) []Group {
	return []Group{{Name: "lookups", World: w, Conns: clients, Depth: depth}}
}

func openLoop(w *World, rate float64) []Group {
	return []Group{{Name: "lookups", World: w, Conns: clients, Depth: 256, Rate: rate}}
}

// beside is quiet lookups of w and something else.
func beside(w *World, others ...Group) []Group { return append(openLoop(w, quietRate), others...) }

// renewals are the bodies that changing brokers send in turn.
func renewals(w *World, bodies ...RegisterBody) func(broker, nth int) *Registration {
	all := make([][]*Registration, w.Brokers)
	for b := range all {
		for _, body := range bodies {
			all[b] = append(all[b], w.Registration(b, body, 0))
		}
	}
	return func(broker, nth int) *Registration { return all[broker][nth%len(bodies)] }
}

const (
	thisVersion  = 513
	renewSeconds = 30
)

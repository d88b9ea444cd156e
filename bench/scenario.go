package bench

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

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
	// Beside names servers that are Apart and take part too, filled with another world, if it is
	// not nil, and asked about that: what the others are compared with at the same time.
	Beside map[string]*World
	// Sleeps: the load sleeps while nothing is due, so that servers may have its processor, too.
	Sleeps bool
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
	// Only names the known servers that are measured, Short those of the short form; nil: all, as
	// in the full form. Servers that are no known ones always are.
	Only, Short []string
	// RateOf takes the first group's rate from another scenario: RateShare of the lowest
	// throughput there of the servers in RateBy; nil: of all name servers.
	RateOf    string
	RateShare float64
	RateBy    []string
	// Alike: the load looks at no server's bodies, as it cannot look at a yardstick's: so that it
	// has the same work with all of them.
	Alike bool
	// Slowest: the slowest request counts, so that a little of a disturbance is too much.
	Slowest bool
	// Pairs overrides how many samples are taken.
	Pairs int
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
	// Window overrides how long is measured, and Settle how long the load runs before that, after a rest.
	Window, Settle time.Duration
}

// The bodies of route replies, as Pharos sends them: what the yardstick has to send too.
const (
	smallBodyBytes = 867
	largeBodyBytes = 61_391
	listBodyBytes  = 2_200_000
)

// The depths and numbers of the scenarios.
const (
	clients     = 64
	listClients = 4
	quietRate   = 5000 // lookups a second beside whatever else happens: every server can do it
)

func closedLoop(w *World, depth int) []Group {
	return []Group{{Name: "lookups", World: w, Conns: clients, Depth: depth}}
}

func openLoop(w *World, rate float64) []Group {
	return []Group{{Name: "lookups", World: w, Conns: clients, Depth: 256, Rate: rate}}
}

// beside is quiet lookups of w and something else.
func beside(w *World, others ...Group) []Group { return append(openLoop(w, quietRate), others...) }

// ours is Pharos alone, leaders the first of each kind of name server, besides the yardstick.
var (
	ours    = []string{"pharos"}
	leaders = []string{"pharos", "limit", "java", "rust"}
)

// yardsticked are those whose processor time is compared at the same offered work.
var yardsticked = []string{"pharos", "limit"}

// offeredShare is how much of what the slower one can they are offered.
const offeredShare = 0.7

// offered is a closed loop's scenario as an open one, at the same fixed rate for Pharos and the
// yardstick: depth requests are due together on a connection.
func offered(of string, w *World, depth, bodyBytes int) Scenario {
	return Scenario{
		Name: of + ", 70 %", About: fmt.Sprintf("open loop at 70 %% of what the slower of Pharos and the yardstick can, %d due together on a connection", depth),
		Groups: []Group{{Name: "lookups", World: w, Conns: clients, Depth: depth, Burst: depth}}, BodyBytes: bodyBytes,
		RateOf: of, RateShare: offeredShare, RateBy: yardsticked, Only: yardsticked, Alike: true,
	}
}

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

// settles is how long the load runs after a rest before it is measured.
func (sc *Scenario) settles() time.Duration {
	return cmp.Or(sc.Settle, settle)
}

// measures reports whether a server of the stage is measured in sc.
func (sc *Scenario) measures(server *Server, short bool) bool {
	chosen := sc.Only
	if short && sc.Short != nil {
		chosen = sc.Short
	}
	switch {
	case server.Scenarios != nil && !slices.Contains(server.Scenarios, sc.Name):
		return false
	case chosen == nil || server.Custom:
		return true
	}
	return slices.Contains(chosen, server.Name)
}

package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench/results"
)

// todo is a stage with the scenarios that are to be measured, and who takes part.
type todo struct {
	Stage
	servers []Server
}

// short reports whether this is the short form: neither everything nor something was asked for.
func (c *Comparison) short() bool { return !c.Full && c.Only == nil }

// plan finds what there is and what is missing. A server that lacks a record has the scenario
// measured with all servers: in turn with each other, or not comparable.
func (c *Comparison) plan() ([]todo, error) {
	var list []todo
	for _, s := range Stages() {
		t := todo{Stage: c.chosen(s)}
		t.servers = t.takePart(c.Servers)
		if len(t.servers) == 0 || len(t.Scenarios) == 0 {
			continue
		}
		var missing []Scenario
		for i := range t.Scenarios {
			lacks, err := c.lacks(&t, &t.Scenarios[i])
			if err != nil {
				return nil, err
			}
			if lacks {
				missing = append(missing, t.Scenarios[i])
			}
		}
		if len(missing) == 0 {
			c.say("%s: measured before", s.Name)
			continue
		}
		t.Scenarios = missing
		t.servers = slices.DeleteFunc(t.servers, func(server Server) bool {
			return !slices.ContainsFunc(missing, func(sc Scenario) bool { return sc.measures(&server, c.short()) })
		})
		list = append(list, t)
	}
	return list, nil
}

// takePart are those of all servers that take part in s.
func (s *Stage) takePart(all []Server) []Server {
	return slices.DeleteFunc(slices.Clone(all), func(server Server) bool {
		switch {
		case s.Only != nil:
			return !slices.Contains(s.Only, server.Name)
		case server.Apart:
			_, beside := s.Beside[server.Name]
			return !beside
		}
		return false
	})
}

// chosen is the part of the stage that is asked for.
func (c *Comparison) chosen(s Stage) Stage {
	s.Scenarios = slices.DeleteFunc(slices.Clone(s.Scenarios), func(sc Scenario) bool {
		if sc.RateBy != nil && !slices.ContainsFunc(c.Servers, func(server Server) bool { return slices.Contains(sc.RateBy, server.Name) }) {
			return true // its rate is that of nobody who is there
		}
		if c.Only != nil {
			return !c.Only.MatchString(sc.Name)
		}
		return !c.Full && (s.Full || sc.Full)
	})
	return s
}

// lacks reads the records of a scenario, and reports whether a server has none.
func (c *Comparison) lacks(t *todo, sc *Scenario) (lacks bool, err error) {
	for i := range t.servers {
		server := &t.servers[i]
		if !sc.measures(server, c.short()) {
			continue
		}
		r, err := loadRecord(c.Dir, sc.Name, server.Name)
		switch {
		case err != nil:
			return false, err
		case r == nil:
			lacks = true
			continue
		case r.Build != "" && server.Build != "" && !results.SameBuild(r.Build, server.Build):
			return false, fmt.Errorf("%s has results of %s with %q, and this is %q: give another folder, or remove it",
				recordPath(c.Dir, sc.Name, server.Name), server.Name, r.Build, server.Build)
		}
		c.keep(r)
	}
	return lacks, nil
}

// What things take, about: only to tell beforehand how long it will be.
const (
	startsAbout      = time.Second // a server; a JVM three times that
	registersAbout   = 3_000_000   // topics a second; others a tenth
	warmStepsAbout   = 4           // windows until a JVM is warm
	switchAbout      = time.Second // other connections, and their end
	freshAbout       = 2 * time.Second
	othersSlowness   = 10
	rustSlowness     = 300
	connectionsAbout = 10_000 // opened a second
)

// lasts is about how long it takes to measure what is missing.
func (c *Comparison) lasts(list []todo) (all time.Duration) {
	for i := range list {
		t := &list[i]
		for j := range t.servers {
			server := &t.servers[j]
			if server.Unavailable != "" || t.Not[server.Name] != "" {
				continue
			}
			enters := c.entering(t, server)
			if !t.Fresh {
				all += enters
			}
			for k := range t.Scenarios {
				sc := &t.Scenarios[k]
				if !sc.measures(server, c.short()) {
					continue
				}
				all += c.scenarioLasts(t, sc, server, enters)
			}
		}
	}
	return all
}

// scenarioLasts is about how long all samples of a server take in a scenario.
func (c *Comparison) scenarioLasts(t *todo, sc *Scenario, server *Server, enters time.Duration) time.Duration {
	each, rounds := sc.settles()+c.window(sc), time.Duration(c.pairs(sc))
	if t.Fresh {
		each = enters + freshAbout + c.idle(sc)
		registers := registering(sc, server)
		if enters > c.FillMax && c.FillMax > 0 || registers > c.window(sc) {
			rounds = 1 // and that is what is said of it
		}
		each += min(registers, c.window(sc))
	} else if sc.Alone {
		each += c.Warmup + 2*idleConns*time.Second/connectionsAbout
	}
	return switchAbout + c.Warmup + rounds*each
}

// entering is about how long a server takes to start, to be filled and to get warm.
func (c *Comparison) entering(t *todo, server *Server) time.Duration {
	starts := startsAbout
	if server.Warms {
		starts *= 3
	}
	if server.Yardstick {
		return starts
	}
	worlds := t.Worlds
	if w := t.Beside[server.Name]; w != nil {
		worlds = []*World{w}
	}
	for _, w := range worlds {
		fills := filling(w, server)
		if c.FillMax > 0 {
			fills = min(fills, c.FillMax)
		}
		starts += fills
	}
	if server.Warms && !t.Fresh {
		starts += min(c.WarmMax, warmStepsAbout*c.WarmStep)
	}
	return starts
}

// filling is about how long w takes to come into a server.
func filling(w *World, server *Server) time.Duration {
	slowness := othersSlowness
	if server.Name == "pharos" || server.Apart {
		slowness = 1
	} else if strings.HasPrefix(server.Name, "rust") {
		slowness = rustSlowness
	}
	return time.Duration(w.Topics*w.Brokers*slowness) * time.Second / registersAbout
}

// registering is about how long brokers take that register at once in a scenario.
func registering(sc *Scenario, server *Server) (all time.Duration) {
	for i := range sc.Groups {
		if g := &sc.Groups[i]; g.Mix.Register > 0 && g.Stay {
			all += filling(g.World, server)
		}
	}
	return all
}

// over reports whether no scenario is to be begun any more.
func (c *Comparison) over() bool { return c.Budget > 0 && time.Since(c.began) > c.Budget }

func (c *Comparison) pairs(sc *Scenario) int {
	if sc.Pairs > 0 {
		return min(sc.Pairs, c.Pairs)
	}
	return c.Pairs
}

func (c *Comparison) window(sc *Scenario) time.Duration {
	if sc.Window != 0 {
		return sc.Window
	}
	return c.Window
}

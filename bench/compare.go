package bench

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Comparison measures servers in the scenarios of Stages, and keeps what it measured in a
// folder: one that was interrupted goes on where it was.
type Comparison struct {
	Servers  []Server
	Dir      string // of records, reports and the servers' homes
	Full     bool
	Only     *regexp.Regexp // scenarios; nil: all
	Pairs    int            // samples of each server
	Window   time.Duration
	Warmup   time.Duration // of each scenario
	WarmMax  time.Duration // of a server that warms up, once
	WarmStep time.Duration // its windows
	// FillMax is how long a server may take to be filled; 0: the default of Plan.FillTimeout.
	FillMax time.Duration
	// IdleMax cuts how long servers idle before their memory is read; 0: not.
	IdleMax time.Duration
	// Budget is how long scenarios are begun; what is left then is measured by the next call.
	// 0: to the end.
	Budget time.Duration
	// Read: what the folder has is read, and nothing measured.
	Read bool
	// ServerCore and LoadCore are processors; -1: not bound.
	ServerCore, LoadCore int
	Progress             func(line string)

	began  time.Time
	left   int          // scenarios that the budget did not suffice for
	live   []*contender // of the stage
	tended time.Time    // when all of them were last kept from being idle
	// untended: but for one, which was busy then.
	untended bool
	records  map[string]map[string]*Record // scenario -> server
	order    []string                      // scenarios as they were met
	digests  map[string]map[string]string  // stage -> server -> what it answers
	absent   []Absence
}

func (c *Comparison) say(format string, args ...any) {
	if c.Progress != nil {
		c.Progress(fmt.Sprintf(format, args...))
	}
}

// Run measures what is not measured yet. A server that fails in a scenario is a record that
// says so; an error is of the comparison itself.
func (c *Comparison) Run(ctx context.Context) error {
	c.records, c.digests = map[string]map[string]*Record{}, map[string]map[string]string{}
	if err := c.loadMicro(); err != nil {
		return err
	}
	if err := errors.Join(c.loadAbsences(), c.kept(answersFile, &c.digests)); err != nil {
		return err
	}
	list, err := c.plan()
	if err != nil || c.Read {
		return err
	}
	if len(list) > 0 {
		if err := c.watchProcessors(ctx); err != nil {
			return err
		}
	}
	if c.LoadCore >= 0 {
		if err := BindSelf(c.LoadCore); err != nil {
			return err
		}
	}
	all := c.Servers
	defer func() { c.Servers = all }()
	c.began, c.left = time.Now(), 0
	if len(list) > 0 {
		c.say("%d scenarios to do, about %v", scenarios(list), c.lasts(list).Round(time.Minute))
	}
	for i := range list {
		if c.over() {
			c.left += len(list[i].Scenarios)
			continue
		}
		c.Servers = list[i].servers
		if err := c.stage(ctx, &list[i].Stage, list[i].servers); err != nil {
			return err
		}
	}
	if c.left > 0 {
		c.say("the budget is used up with %d scenarios to do; the next call goes on", c.left)
	}
	return ctx.Err()
}

func scenarios(list []todo) (n int) {
	for i := range list {
		n += len(list[i].Scenarios)
	}
	return n
}

func (c *Comparison) keep(r *Record) {
	if c.records[r.Scenario] == nil {
		c.records[r.Scenario] = map[string]*Record{}
		c.order = append(c.order, r.Scenario)
	}
	c.records[r.Scenario][r.Server] = r
}

// Record is what is known of a server in a scenario; nil: nothing.
func (c *Comparison) Record(scenario, server string) *Record { return c.records[scenario][server] }

func (c *Comparison) stage(ctx context.Context, s *Stage, servers []Server) error {
	c.say("stage %s: %s", s.Name, s.About)
	c.tended = time.Now()
	if s.Fresh {
		return c.freshStage(ctx, s, servers)
	}
	c.live = nil
	defer func() {
		for _, l := range c.live {
			l.end()
		}
		c.live = nil
	}()
	for i := range servers {
		l, err := c.enter(ctx, s, &servers[i])
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := c.noRecords(s, &servers[i], err); err != nil {
				return err
			}
			continue
		}
		c.live = append(c.live, l)
	}
	for i := range s.Scenarios {
		if c.over() {
			c.left++
			continue
		}
		if err := c.scenario(ctx, &s.Scenarios[i], c.live); err != nil {
			return err
		}
	}
	return nil
}

// noRecords says in a record for each scenario of s why there is nothing of the server.
func (c *Comparison) noRecords(s *Stage, server *Server, why error) error {
	c.say("  %s: %v", server.Name, why)
	for i := range s.Scenarios {
		sc := &s.Scenarios[i]
		if !sc.measures(server, c.short()) {
			continue
		}
		r := &Record{Scenario: sc.Name, Server: server.Name, Build: server.Build, Missing: why.Error()}
		c.keep(r)
		if err := r.save(c.Dir); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comparison) progress(server *Server) func(string) {
	return func(line string) {
		c.say("    %s: %s", server.Name, line)
		c.tend(server, 0)
	}
}

// tendPeriod is well below the two minutes after which servers close what is idle.
const tendPeriod = 30 * time.Second

// tend keeps the brokers of all contenders but busy from being idle, if that is due before ahead is
// over: a window begins with it, so that it does not fall into one, but for those that are longer
// than the period. Who was busy then is tended when nobody is.
func (c *Comparison) tend(busy *Server, ahead time.Duration) {
	due := time.Since(c.tended)+ahead >= tendPeriod || busy == nil && c.untended
	if !due {
		return
	}
	c.tended, c.untended = time.Now(), busy != nil
	for _, l := range c.live {
		if l.server != busy && l.session != nil && !l.server.Yardstick {
			l.resume()
			if err := l.session.Tend(); err != nil {
				c.say("    %s: its brokers lost touch: %v", l.server.Name, err)
			}
			l.pause()
		}
	}
}

// scenario measures all contenders in turn, there and back: ABBA.
func (c *Comparison) scenario(ctx context.Context, sc *Scenario, live []*contender) error {
	c.say("  scenario %s: %s", sc.Name, sc.About)
	groups, rate := c.rated(sc)
	records := map[*contender]*Record{}
	var ready []*contender
	for _, l := range live {
		if !sc.measures(l.server, c.short()) {
			continue
		}
		r := &Record{Scenario: sc.Name, Server: l.server.Name, Build: l.server.Build, Rate: rate, Warm: l.warm}
		records[l] = r
		c.keep(r)
		if r.Missing = c.cannot(sc, l, rate); r.Missing == "" {
			if err := c.prepare(ctx, sc, l, groups); err != nil {
				r.Missing = err.Error()
			} else if sc.Alone {
				c.drop(l)
			}
		}
		if r.Missing != "" {
			c.say("    %s: %s", l.server.Name, r.Missing)
			continue
		}
		ready = append(ready, l)
	}
	for round := range c.pairs(sc) {
		for _, l := range ready {
			r := records[l]
			if r.Missing != "" {
				continue
			}
			phase := fmt.Sprintf("%s, round %d of %d", sc.Name, round+1, c.pairs(sc))
			sample, err := c.undisturbed(ctx, sc, l.server, func() (Sample, error) {
				w, err := c.inTurn(ctx, sc, l, groups, phase)
				return Sample{Round: round, Fill: l.fill, Window: &w}, err
			})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.Missing = fmt.Sprintf("it failed in round %d: %v", round+1, err)
				continue
			}
			r.Samples = append(r.Samples, sample)
		}
		slices.Reverse(ready)
	}
	for _, l := range live {
		r := records[l]
		if r == nil {
			continue
		}
		if sc.RateOf != "" && rate == 0 && c.unrated(sc) == "" {
			continue // it can be measured once the other scenario is
		}
		if err := r.save(c.Dir); err != nil {
			return err
		}
		c.say("    %s", r.line())
	}
	return nil
}

// inTurn takes a sample; a load that only one server can have is made for it.
func (c *Comparison) inTurn(ctx context.Context, sc *Scenario, l *contender, groups []Group, phase string) (Window, error) {
	if sc.Alone {
		if err := c.prepare(ctx, sc, l, groups); err != nil {
			return Window{}, err
		}
		defer c.drop(l)
	}
	return c.measure(sc, l, phase)
}

// cannot is why a server is not measured in a scenario.
func (c *Comparison) cannot(sc *Scenario, l *contender, rate float64) string {
	switch {
	case sc.RateOf != "" && rate == 0 && c.unrated(sc) != "":
		return c.unrated(sc)
	case l.process.Exited():
		return "the server has ended: " + l.process.Output()
	case l.server.Yardstick && len(sc.Groups) == 0:
		return "a yardstick has no brokers"
	case l.server.Yardstick && sc.BodyBytes == 0:
		return "a yardstick has no such answers"
	case sc.RateOf != "" && rate == 0:
		return fmt.Sprintf("its rate is a share of what servers reach in %q, which was not measured", sc.RateOf)
	}
	if own := c.Record(sc.RateOf, l.server.Name); sc.OwnShareMax > 0 && own != nil {
		if most := own.Spread("per_second").Median; rate > sc.OwnShareMax*most {
			return fmt.Sprintf("%.0f a second are more than %.0f %% of the %.0f it can", rate, sc.OwnShareMax*100, most)
		}
	}
	return ""
}

// unrated is why none of those that a scenario's rate is of will ever have one; "" if they may.
func (c *Comparison) unrated(sc *Scenario) (why string) {
	for _, name := range sc.RateBy {
		r := c.Record(sc.RateOf, name)
		if r == nil || r.Missing == "" {
			return ""
		}
		why = fmt.Sprintf("its rate is that of %s, of which there is none: %s", name, r.Missing)
	}
	return why
}

// rated sets the rate of groups that depends on other scenarios.
func (c *Comparison) rated(sc *Scenario) ([]Group, float64) {
	groups := slices.Clone(sc.Groups)
	if sc.RateShare > 0 {
		least := 0.0
		for _, server := range c.Servers {
			r := c.Record(sc.RateOf, server.Name)
			if r == nil || sc.RateBy == nil && server.Yardstick || sc.RateBy != nil && !slices.Contains(sc.RateBy, server.Name) {
				continue
			}
			if m := r.Spread("per_second"); m.Count > 0 && (least == 0 || m.Median < least) {
				least = m.Median
			}
		}
		groups[0].Rate = least * sc.RateShare
	}
	if len(groups) == 0 {
		return nil, 0
	}
	return groups, groups[0].Rate
}

// line is what is said of a record when it is complete.
func (r *Record) line() string {
	if r.Missing != "" {
		return fmt.Sprintf("%s: %s", r.Server, r.Missing)
	}
	line := fmt.Sprintf("%s: %.0f/s, %.0f ns of the server a request, P99 %.0f us, %.1f MB", r.Server, r.Spread("per_second").Median,
		r.Spread("server_ns").Median, r.Spread("p99_us").Median, r.Spread("rss_mb").Median)
	if failed := r.Spread("failed"); failed.Most > 0 {
		line += fmt.Sprintf(", %.0f FAILED", failed.Most)
	}
	if n := r.disturbed(); n > 0 {
		line += fmt.Sprintf(", %d of %d samples disturbed", n, len(r.Samples))
	}
	return line
}

package bench

import (
	"context"
	"fmt"
	"time"
)

// A sample that somebody else disturbed is taken again. What others had is measured by the bench
// itself, and never judged by what came out.
const (
	// othersMax is the share of the server's core that others may have. The kernel counts a core's
	// time in ticks: with little load the two do not match exactly. Where the scheduler's own count
	// of all other tasks is less, it is the better one.
	othersMax = 0.1
	// stolenMax is the share that the hypervisor may take away.
	stolenMax = 0.02
	// retries is how often a disturbed sample is taken again.
	retries = 3
)

// The same where the slowest request counts.
const (
	othersMaxSlowest = 0.01
	stolenMaxSlowest = 0.002
	awayMaxSlowest   = time.Millisecond
)

// disturbance says who disturbed a sample of sc; "": nobody. anyCore: the server may have all
// processors, and the load sleeps while it has nothing to do.
func (sc *Scenario) disturbance(w *Window, anyCore bool) string {
	others, othersAtMost, stolenAtMost := 0.0, othersMax, stolenMax
	s := w.Server
	switch {
	case s == nil:
	case s.Core >= 0:
		others = s.CoreBusy - s.CPUShare
	case anyCore:
		others = s.MachineBusy - s.CPUShare - w.Load.BusyShare
	}
	if s != nil && s.Others.known() {
		others = min(others, s.Others.Ran)
	}
	if sc.Slowest {
		othersAtMost, stolenAtMost = othersMaxSlowest, stolenMaxSlowest
		if s != nil && s.Core >= 0 {
			others = s.CoreAwake - s.CPUShare
		}
		if away := time.Duration(w.Load.AwayMicros * 1e3); away > awayMaxSlowest {
			return fmt.Sprintf("the load did not come to its sockets for %v", away.Round(10*time.Microsecond))
		}
	}
	switch {
	case others > othersAtMost:
		return fmt.Sprintf("others had %.3f of a processor", others)
	case s != nil && s.CoreSteal > stolenAtMost:
		return fmt.Sprintf("the hypervisor took %.3f of its core away", s.CoreSteal)
	}
	return ""
}

// undisturbed takes a sample, again while somebody disturbs it; the last one is returned as it is,
// and says so.
func (c *Comparison) undisturbed(ctx context.Context, sc *Scenario, server *Server, take func() (Sample, error)) (s Sample, err error) {
	for range 1 + retries {
		if s, err = take(); err != nil || ctx.Err() != nil || s.Window == nil {
			return s, err
		}
		if s.Disturbed = sc.disturbance(s.Window, server.AnyCore); s.Disturbed == "" {
			return s, nil
		}
		c.say("    %s: disturbed: %s", server.Name, s.Disturbed)
	}
	return s, nil
}

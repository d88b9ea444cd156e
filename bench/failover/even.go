package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
)

// The cases of evenness.
const (
	evenRoundRobin = "even-round-robin"
	evenLeast      = "even-least-in-flight"
)

const (
	evenSendsPerSecond = 2000
	evenWithin         = 0.01                  // of an equal share, for round robin
	evenSlow           = 50 * time.Millisecond // how much farther away broker-a is for a while
	evenMoved          = 0.8                   // of its share, that go elsewhere meanwhile
	evenReturned       = 0.9                   // of its share, that it has again afterwards
)

// Phase is the sends that each broker confirmed in a time.
type Phase struct {
	Name  string
	Sends map[string]int64
}

// share is a broker's part of the phase's sends.
func (p *Phase) share(broker string) float64 {
	all := int64(0)
	for _, n := range p.Sends {
		all += n
	}
	return float64(p.Sends[broker]) / float64(max(all, 1))
}

// even measures how sends spread over brokers.
func (w *world) even(ctx context.Context, j job, l launch, r *Record) error {
	l.sends, l.selector = evenSendsPerSecond, "round-robin"
	if j.c.Name == evenLeast {
		l.selector, l.sends = "least-in-flight", w.o.Sends
	}
	c, err := w.startChild(j.k, l)
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := c.awaitReady(ctx); err != nil {
		return err
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	begin := time.Now()
	if j.c.Name == evenLeast {
		err = w.leastPhases(ctx, c, r)
	} else {
		err = w.roundRobinPhase(ctx, c, r)
	}
	fault := window{begin, time.Now(), l.lookups, l.sends}
	lines, ended := c.end()
	if err := errors.Join(err, ended); err != nil {
		return err
	}
	r.take(lines, fault, "")
	// A broker that hangs, which happens where the machine is busy, is left out of the choice:
	// rightly, but that is no evenness.
	if r.SendWait > 0 {
		r.Disturbed = fmt.Sprintf("a send took %.2f s", r.SendWait)
	}
	r.disturbedBy(w.o.Lateness)
	return w.ended()
}

// roundRobinPhase waits until there are enough sends.
func (w *world) roundRobinPhase(ctx context.Context, c *child, r *Record) error {
	patience := 2 * time.Duration(float64(w.o.EvenSends)/evenSendsPerSecond*1e9)
	var from, to map[string]int64
	from = c.confirmed()
	err := c.Await(ctx, patience+10*time.Second, func() error {
		to = c.confirmed()
		if n := total(to) - total(from); n < int64(w.o.EvenSends) {
			return fmt.Errorf("%d of %d sends were confirmed", n, w.o.EvenSends)
		}
		return nil
	})
	r.Phases = append(r.Phases, Phase{"all alike", difference(from, to)})
	return err
}

// leastPhases makes broker-a slow for a while. The first third of each phase is for getting
// used to it.
func (w *world) leastPhases(ctx context.Context, c *child, r *Record) error {
	for _, p := range []struct {
		name string
		rtt  time.Duration
	}{{"all alike", 0}, {"broker-a slow", evenSlow}, {"all alike again", 0}} {
		w.star.Line.SetRTT(p.rtt)
		if err := sleep(ctx, w.o.Phase/3); err != nil {
			return err
		}
		from := c.confirmed()
		if err := sleep(ctx, w.o.Phase*2/3); err != nil {
			return err
		}
		r.Phases = append(r.Phases, Phase{p.name, difference(from, c.confirmed())})
	}
	return nil
}

// confirmed are the sends that each broker has confirmed so far.
func (c *child) confirmed() map[string]int64 {
	if l := c.find(func(l *openloop.Line) bool { return l.Count != nil }); l != nil {
		return l.Count.Brokers
	}
	return nil
}

func total(sends map[string]int64) (n int64) {
	for _, each := range sends {
		n += each
	}
	return n
}

func difference(from, to map[string]int64) map[string]int64 {
	d := map[string]int64{}
	for broker, n := range to {
		d[broker] = n - from[broker]
	}
	return d
}

// evenVerdict says how evenly it went, and whether that is as wanted.
func evenVerdict(r *Record) (found string, met bool) {
	if r.Case == evenRoundRobin && len(r.Phases) == 1 {
		worst := 0.0
		for _, b := range brokerNames {
			worst = max(worst, abs(r.Phases[0].share(b)*float64(len(brokerNames))-1))
		}
		return fmt.Sprintf("%d sends, at most %.3f %% from an equal share", total(r.Phases[0].Sends), 100*worst), worst <= evenWithin
	}
	if r.Case == evenLeast && len(r.Phases) == 3 {
		var shares [3]float64
		for i := range r.Phases {
			shares[i] = r.Phases[i].share(brokerNames[0])
		}
		found = fmt.Sprintf("share of broker-a: %.1f %%, slow by %v %.1f %%, then %.1f %%", 100*shares[0], evenSlow, 100*shares[1], 100*shares[2])
		return found, shares[0] > 0 && shares[1] <= (1-evenMoved)*shares[0] && shares[2] >= evenReturned*shares[0]
	}
	return "not measured", false
}

func abs(x float64) float64 { return max(x, -x) }

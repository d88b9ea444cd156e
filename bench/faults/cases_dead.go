package faults

import (
	"context"
	"fmt"
	"time"
)

// deadCases are those in which brokers have to leave the route.
func deadCases() []Case {
	one := func(name, help string, median, most float64, rules func(w *world, i int) []string) Case {
		return Case{Name: name, Help: help, Brokers: 3, Target: Target{median, most, 0},
			Play: func(ctx context.Context, w *world) error {
				i := w.victim()
				w.dies(i)
				if err := w.strike(i, rules(w, i)); err != nil {
					return err
				}
				return w.find(ctx)
			}}
	}
	cases := []Case{
		one("vanish-idle", "a broker's host vanishes while nothing is in flight", 6, 7, (*world).cut),
		{Name: "vanish-in-flight", Help: "a broker's host vanishes with an answer under way", Brokers: 3,
			Target: Target{5, 6, 0}, Play: vanishInFlight},
		one("oneway-to-broker", "nothing reaches the broker any more", 9, 11, (*world).towardsBroker),
		one("oneway-to-server", "nothing of the broker arrives any more", 6, 7, (*world).towardsServer),
		one("reset", "the path answers both sides with RST", 1, 2, func(w *world, i int) []string {
			return []string{
				fmt.Sprintf("ip saddr %s meta l4proto tcp reject with tcp reset", w.star.PeerIP(i)),
				fmt.Sprintf("ip daddr %s meta l4proto tcp reject with tcp reset", w.star.PeerIP(i)),
			}
		}),
		one("unreachable", "the router says that the host cannot be reached", 6, 7, func(w *world, i int) []string {
			return append(w.towardsServer(i), fmt.Sprintf("ip daddr %s reject with icmp type host-unreachable", w.star.PeerIP(i)))
		}),
		{Name: "kill", Help: "kill -9", Brokers: 3, Target: Target{0.1, 0.2, 0}, Play: kill},
		{Name: "kill-loss-5", Help: "kill -9 while all paths lose 5 %", Brokers: 3, Target: Target{4.5, 6, 0},
			Background: func(w *world, i int) []string { return w.lose(i, 5) }, Play: kill},
		{Name: "kill-after-hiccup", Help: "kill -9 10 s after an outage of 4 s, with a client on the same host", Brokers: 3,
			Colocated: true, Target: Target{4.5, 6, 0}, Play: killAfterHiccup},
		{Name: "third-at-once", Help: "3 of 9 hosts vanish at once: until all are out", Brokers: 9,
			Target: Target{8, 15, 0}, Play: thirdAtOnce},
		{Name: "vanish-while-flapping", Help: "a host vanishes while the paths of 6 of 20 drop 3 s of every 10", Brokers: 20,
			Target: Target{NoTarget, 15, 0}, Play: vanishWhileFlapping},
	}
	for _, percent := range []int{5, 10} {
		c := Case{Name: fmt.Sprintf("vanish-in-flight-loss-%d", percent), Brokers: 3,
			Help:       fmt.Sprintf("a host vanishes with an answer under way; all paths lose %d %%", percent),
			Background: func(w *world, i int) []string { return w.lose(i, percent) },
			Target:     Target{10, 15, 0}, Play: vanishInFlight}
		if percent > 5 {
			c.Target = Target{NoTarget, NoTarget, NoTarget}
		}
		cases = append(cases, c)
	}
	return append(cases, three(cases[0]), three(cases[1]), three(cases[2]))
}

// three gives the brokers three name servers.
func three(c Case) Case {
	c.Name, c.Help, c.OtherServers = c.Name+"-3-servers", c.Help+"; three name servers", 2
	return c
}

// vanishInFlight lets the broker ask, and cuts its path once the question is past the router
// and the answer is lost.
func vanishInFlight(ctx context.Context, w *world) error {
	i := w.victim()
	w.dies(i)
	if err := w.strike(i, w.towardsBroker(i)); err != nil {
		return err
	}
	if err := w.brokers[i].ask(ctx); err != nil {
		return err
	}
	w.sleep(ctx, 20*time.Millisecond)
	if err := w.strike(i, w.cut(i)); err != nil {
		return err
	}
	return w.find(ctx)
}

func kill(ctx context.Context, w *world) error {
	i := w.victim()
	w.dies(i)
	w.brokers[i].Kill()
	return w.find(ctx)
}

func killAfterHiccup(ctx context.Context, w *world) error {
	i := w.victim()
	if err := w.outage(ctx, i, 4*time.Second); err != nil {
		return err
	}
	w.sleep(ctx, 10*time.Second)
	w.dies(i)
	w.brokers[i].Kill()
	return w.find(ctx)
}

func thirdAtOnce(ctx context.Context, w *world) error {
	var rules []string
	for _, i := range w.rng.Perm(len(w.brokers))[:len(w.brokers)/3] {
		w.dies(i)
		rules = append(rules, w.cut(i)...)
	}
	if err := w.apply(everyPath, rules); err != nil {
		return err
	}
	return w.find(ctx)
}

func vanishWhileFlapping(ctx context.Context, w *world) error {
	order := w.rng.Perm(len(w.brokers))
	done := w.inBackground(ctx)
	for _, i := range order[:6] {
		phase := time.Duration(w.rng.Int64N(int64(10 * time.Second)))
		done.do(func(ctx context.Context) error { return w.flap(ctx, i, phase, 3*time.Second, 10*time.Second) })
	}
	w.sleep(ctx, 20*time.Second)
	i := order[6]
	w.dies(i)
	if err := w.strike(i, w.cut(i)); err != nil {
		return err
	}
	err := w.find(ctx)
	return done.end(err)
}

package faults

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Rules of the router. Each is one of nft's, with an address of a broker in it.

// cut drops everything from and to broker i.
func (w *world) cut(i int) []string { return append(w.towardsServer(i), w.towardsBroker(i)...) }

func (w *world) towardsServer(i int) []string {
	return []string{fmt.Sprintf("ip saddr %s drop", w.star.PeerIP(i))}
}

func (w *world) towardsBroker(i int) []string {
	return []string{fmt.Sprintf("ip daddr %s drop", w.star.PeerIP(i))}
}

// lose drops a share of what broker i sends and gets, in percent.
func (w *world) lose(i, percent int) []string {
	ip := w.star.PeerIP(i)
	return []string{
		fmt.Sprintf("ip saddr %s numgen random mod 100 < %d drop", ip, percent),
		fmt.Sprintf("ip daddr %s numgen random mod 100 < %d drop", ip, percent),
	}
}

// ownLink drops everything from and to the server.
func (w *world) ownLink() []string { return []string{"iifname eth0 drop", "oifname eth0 drop"} }

// everyPath is the chain of rules that are about no one broker.
const everyPath = "every_path"

// chainOf is the chain with the rules of broker i, which come and go as one.
func chainOf(i int) string { return fmt.Sprintf("broker%d", i) }

// apply replaces the rules of a chain, all at once.
func (w *world) apply(chain string, rules []string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "add chain inet faults %[1]s\nflush chain inet faults %[1]s\n", chain)
	for _, rule := range rules {
		fmt.Fprintf(&text, "add rule inet faults %s %s\n", chain, rule)
	}
	return w.star.Router.Nft(text.String())
}

// prepare makes the chains, which later are only filled, and the background of the case.
func (w *world) prepare() error {
	var text strings.Builder
	chains := []string{"background", everyPath}
	for i := range w.c.Brokers {
		chains = append(chains, chainOf(i))
	}
	for _, chain := range chains {
		fmt.Fprintf(&text, "add chain inet faults %[1]s\nadd rule inet faults forward jump %[1]s\n", chain)
	}
	if err := w.star.Router.Nft(text.String()); err != nil || w.c.Background == nil {
		return err
	}
	var background []string
	for i := range w.c.Brokers {
		background = append(background, w.c.Background(w, i)...)
	}
	return w.apply("background", background)
}

// strike puts rules on one broker's path.
func (w *world) strike(i int, rules []string) error {
	w.notef("%s: %s", w.brokers[i].name, strings.Join(rules, "; "))
	return w.apply(chainOf(i), rules)
}

func (w *world) heal(i int) error {
	w.notef("%s: healed", w.brokers[i].name)
	return w.apply(chainOf(i), nil)
}

// outage cuts a path for a while.
func (w *world) outage(ctx context.Context, i int, d time.Duration) error {
	begin := time.Now()
	if err := w.strike(i, w.cut(i)); err != nil {
		return err
	}
	// The rule came into force at most this long ago, and the next will take about as long.
	w.sleep(ctx, d-time.Since(begin))
	err := w.heal(i)
	w.disturbedBy("an outage", time.Since(begin), d, w.patience()/2)
	return err
}

// flap cuts the path of broker i for down of every period, from a random phase on, until ctx ends.
func (w *world) flap(ctx context.Context, i int, phase, down, period time.Duration) error {
	w.sleep(ctx, phase)
	for ctx.Err() == nil {
		begin := time.Now()
		if err := w.outage(ctx, i, down); err != nil {
			return err
		}
		w.sleep(ctx, time.Until(begin.Add(period)))
	}
	return nil
}

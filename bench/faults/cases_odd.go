package faults

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// odderCases are brokers that live, but not as others do.
func odderCases() []Case {
	return []Case{
		{Name: "mtu-hole", Kind: Hardship, Help: "packets above 1000 bytes vanish on one path; reported", Brokers: 10, Topics: 40,
			Target: Target{0, 0, NoTarget}, Play: func(ctx context.Context, w *world) error {
				i := w.victim()
				ip := w.star.PeerIP(i)
				if err := w.strike(i, []string{
					fmt.Sprintf("ip saddr %s meta length > 1000 drop", ip), fmt.Sprintf("ip daddr %s meta length > 1000 drop", ip),
				}); err != nil {
					return err
				}
				return w.watch(ctx, time.Minute)
			}},
		{Name: "freeze", Kind: Hardship, Help: "SIGSTOP: its kernel answers, so it is not dead before the 120 s rule", Brokers: 3, Play: freeze},
		{Name: "zero-window", Kind: Hardship, Help: "a broker asks and never reads: it lives", Brokers: 3, Play: stall},
		{Name: "reboot", Kind: Hardship, Help: "a host dies without a word and returns after 2 s: never missing once registered", Brokers: 3, Play: reboot},
		{Name: "lost-nat-entry", Kind: Hardship, Help: "a living broker's connection goes nowhere, a new one works", Brokers: 3,
			Target: Target{0, 0, 5}, Play: func(ctx context.Context, w *world) error {
				i := w.victim()
				ip, port := w.star.PeerIP(i), w.brokers[i].port()
				if err := w.strike(i, []string{
					fmt.Sprintf("ip saddr %s tcp sport %d drop", ip, port), fmt.Sprintf("ip daddr %s tcp dport %d drop", ip, port),
				}); err != nil {
					return err
				}
				return w.watch(ctx, untilRegistered+5*time.Second)
			}},
	}
}

func stall(ctx context.Context, w *world) error {
	i := w.victim()
	if err := w.brokers[i].order("stall"); err != nil {
		return err
	}
	w.sleep(ctx, 10*time.Second)
	shown, err := w.star.Server.Run("ss", "-Htno", "dst", w.star.PeerIP(i).String())
	if err != nil {
		return err
	}
	if !strings.Contains(shown, "timer:(persist") {
		return fmt.Errorf("the window of %s is not closed: %s", w.brokers[i].name, shown)
	}
	return w.watch(ctx, 10*time.Second)
}

func freeze(ctx context.Context, w *world) error {
	i := w.victim()
	w.notef("%s stops", w.brokers[i].name)
	if err := w.brokers[i].Freeze(); err != nil {
		return err
	}
	if w.o.Short {
		return w.watch(ctx, 20*time.Second)
	}
	// Its last registration was up to 30 s ago. When the 120 s since are over it is out.
	w.sleep(ctx, 85*time.Second)
	w.observer.forgive(w.brokers[i].name)
	return w.watch(ctx, 45*time.Second)
}

func reboot(ctx context.Context, w *world) error {
	i := w.victim()
	b := w.brokers[i]
	w.notef("%s dies", b.name)
	w.observer.forgive(b.name)
	if err := w.strike(i, w.cut(i)); err != nil {
		return err
	}
	if err := b.order("abort"); err != nil {
		return err
	}
	<-b.Ended()
	w.sleep(ctx, 2*time.Second)
	if err := w.heal(i); err != nil {
		return err
	}
	if err := w.startBroker(i, w.servers()); err != nil {
		return err
	}
	if err := w.brokers[i].awaitRegistered(ctx, 20*time.Second); err != nil {
		return err
	}
	w.notef("%s has registered", b.name)
	w.observer.watch(b.name)
	return w.watch(ctx, 20*time.Second)
}

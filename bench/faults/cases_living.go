package faults

import (
	"context"
	"fmt"
	"time"
)

// livingCases are those in which all brokers live.
func livingCases() []Case {
	var cases []Case
	watch := func(ctx context.Context, w *world) error { return w.watch(ctx, w.o.watch(w.c)) }
	for _, percent := range []int{0, 1, 5, 10, 20} {
		c := Case{Name: fmt.Sprintf("loss-%d", percent), Kind: Watch, Help: fmt.Sprintf("all paths lose %d %%", percent), Brokers: 20, Play: watch,
			Background: func(w *world, i int) []string {
				if percent == 0 {
					return nil
				}
				return w.lose(i, percent)
			}}
		if percent > 5 {
			c.Target.MissingSeconds = NoTarget
		}
		cases = append(cases, c)
	}
	for _, percent := range []int{1, 5, 10, 20} {
		c := Case{Name: fmt.Sprintf("loss-%d-on-2", percent), Kind: Watch, Brokers: 20, Play: watch,
			Help: fmt.Sprintf("2 of 20 paths lose %d %%", percent),
			Background: func(w *world, i int) []string {
				if i > 1 {
					return nil
				}
				return w.lose(i, percent)
			}}
		if percent > 5 {
			c.Target.MissingSeconds = NoTarget
		}
		cases = append(cases, c)
	}
	for _, seconds := range []int{1, 3} {
		cases = append(cases, Case{Name: fmt.Sprintf("drops-%d-of-10", seconds), Kind: Watch, Brokers: 20,
			Help: fmt.Sprintf("each path drops %d s of every 10 s", seconds),
			Play: func(ctx context.Context, w *world) error { return w.flapAll(ctx, time.Duration(seconds)*time.Second) }})
	}
	for _, n := range []int{1, 2, 3, 20} {
		cases = append(cases, Case{Name: fmt.Sprintf("own-link-%d", n), Kind: Hardship, Brokers: n,
			Help: fmt.Sprintf("the server's own link is down for 8 s; brokers: %d", n),
			Play: func(ctx context.Context, w *world) error { return w.ownLinkDown(ctx, 8*time.Second) }})
	}
	for _, seconds := range []int{5, 130} {
		cases = append(cases, Case{Name: fmt.Sprintf("stopped-%d", seconds), Kind: Hardship, Brokers: 20, FullOnly: seconds > 5,
			Help: fmt.Sprintf("the server is stopped for %d s", seconds),
			Play: func(ctx context.Context, w *world) error {
				return w.stopServer(ctx, time.Duration(seconds)*time.Second)
			}})
	}
	return append(cases, outageCases()...)
}

// outageCases give the curve of missing seconds against the length of an outage.
func outageCases() []Case {
	var cases []Case
	for _, d := range []time.Duration{500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10_000, 12_000} {
		d *= time.Millisecond
		c := Case{Name: fmt.Sprintf("outage-%g", d.Seconds()), Kind: Hardship, Brokers: 5, Help: fmt.Sprintf("one of 5 paths is cut for %v", d),
			Play: func(ctx context.Context, w *world) error {
				if err := w.outage(ctx, w.victim(), d); err != nil {
					return err
				}
				return w.watch(ctx, untilRegistered)
			}}
		if d > 4*time.Second {
			c.Target.MissingSeconds = d.Seconds()
		}
		cases = append(cases, c)
	}
	return append(cases, three(cases[3]), three(cases[6]))
}

func (w *world) flapAll(ctx context.Context, down time.Duration) error {
	done := w.inBackground(ctx)
	for i := range w.brokers {
		phase := time.Duration(w.rng.Int64N(int64(10 * time.Second)))
		done.do(func(ctx context.Context) error { return w.flap(ctx, i, phase, down, 10*time.Second) })
	}
	return done.end(w.watch(ctx, w.o.watch(w.c)))
}

func (w *world) ownLinkDown(ctx context.Context, d time.Duration) error {
	w.notef("the server's link is down")
	if err := w.apply(everyPath, w.ownLink()); err != nil {
		return err
	}
	w.sleep(ctx, d)
	if err := w.apply(everyPath, nil); err != nil {
		return err
	}
	w.notef("the server's link is up")
	return w.watch(ctx, untilRegistered)
}

func (w *world) stopServer(ctx context.Context, d time.Duration) error {
	w.notef("the server stops")
	if err := w.server.Freeze(); err != nil {
		return err
	}
	w.sleep(ctx, d)
	if err := w.server.Thaw(); err != nil {
		return err
	}
	w.notef("the server goes on")
	return w.watch(ctx, untilRegistered)
}

package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pharosmq/pharos/bench"
)

// lookup is what one window of lookups cost.
type lookup struct{ nanos, p50, p99 float64 }

// costOfLookups asks a server with BPF programs and one without in turn, A B B A, each time a
// fresh one: quiet, and while another host's answers are lost.
func costOfLookups(ctx context.Context, o *Options) ([]Figure, error) {
	b, err := o.newBed(ctx, "lookups", Sampling, 2)
	if err != nil {
		return nil, err
	}
	defer b.close()
	found := map[bool]map[Mode][]lookup{false: {}, true: {}}
	modes := []Mode{Sampling, EBPF}
	for round := range 2 * costRounds {
		order := slices.Clone(modes)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, busy := range []bool{false, true} {
			for _, mode := range order {
				if err := b.boot(ctx, o, "lookups", mode); err != nil {
					return nil, err
				}
				l, err := b.lookups(ctx, busy)
				if err != nil {
					return nil, fmt.Errorf("%s, busy %t: %w", mode, busy, err)
				}
				found[busy][mode] = append(found[busy][mode], l)
			}
		}
	}
	var figures []Figure
	for _, busy := range []bool{false, true} {
		figures = append(figures, compareLookups(busy, found[busy][Sampling], found[busy][EBPF])...)
	}
	return figures, nil
}

func compareLookups(busy bool, without, with []lookup) []Figure {
	when := "quiet"
	if busy {
		when = "beside about 1,000 retransmissions a second"
	}
	figure := func(what string, of func(lookup) float64) Figure {
		var a, b, ratios []float64
		for i := range without {
			x, y := of(without[i]), of(with[i])
			a, b, ratios = append(a, x), append(b, y), append(ratios, y/x)
		}
		slices.Sort(ratios)
		n := len(ratios)
		return Figure{What: fmt.Sprintf("lookups, %s: %s with BPF by that without", when, what), Value: median(ratios), Limit: NoTarget,
			Detail: fmt.Sprintf("%s by %s us; ratios of %d pairs from %.2f to %.2f", number(median(b)), number(median(a)), n, ratios[0], ratios[n-1])}
	}
	return []Figure{
		figure("processor time of the server for a request", func(l lookup) float64 { return l.nanos / 1e3 }),
		figure("P50", func(l lookup) float64 { return l.p50 }),
		figure("P99", func(l lookup) float64 { return l.p99 }),
	}
}

// lookups measures one window on a server of its own.
func (b *bed) lookups(ctx context.Context, busy bool) (l lookup, err error) {
	if err := b.bind(0); err != nil {
		return l, err
	}
	if busy {
		end, err := b.disturb(ctx)
		if err != nil {
			return l, err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	world := &bench.World{Topics: 1000, Brokers: 4}
	g := bench.Group{Name: "lookups", World: world, Conns: 64, Depth: 8, Rate: 20_000, Mix: bench.Mix{Route: 1}}
	plan := bench.Plan{Fill: []*bench.World{world}, Groups: []bench.Group{g}, Warmup: 500 * time.Millisecond}
	err = b.load(ctx, 0, plan, func(s *bench.Session) error {
		if err := bindThread(); err != nil {
			return err
		}
		w, err := s.Measure(1500*time.Millisecond, "lookups")
		if err != nil {
			return err
		}
		r := w.Group(g.Name)
		l = lookup{w.ServerNanosPerRequest(), r.Latency.P50, r.Latency.P99}
		return failed(&w)
	})
	return l, err
}

// disturb asks from the second host, whose answers are lost, until end is called.
func (b *bed) disturb(ctx context.Context) (end func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	begun, done := make(chan struct{}), make(chan error, 1)
	world := &bench.World{Name: "lossy", Topics: 10, Brokers: 200, Base: 1 << 16}
	plan := bench.Plan{Fill: []*bench.World{world}, Groups: []bench.Group{lossyGroup(world, true)}}
	go func() {
		done <- b.load(ctx, 1, plan, func(s *bench.Session) error {
			if err := b.lose(1); err != nil {
				return err
			}
			close(begun)
			_, err := s.Measure(time.Hour, "lossy")
			return err
		})
	}()
	end = func() error {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return b.star.Heal()
	}
	select {
	case <-begun:
		return end, nil
	case err := <-done:
		cancel()
		return nil, err
	}
}

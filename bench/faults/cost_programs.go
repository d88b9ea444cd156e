package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
)

const (
	costProgramsFor = 10 * time.Second
	hookRetransmit  = "tcp_retransmit_skb"
	// What a run may take, and all of them of a core at 1,000 retransmissions a second.
	countedNanosMax  = 300
	recordedNanosMax = 1000
	programShareMax  = 0.1 // percent
	// On a busy machine an acknowledgment can be so late that the kernel sends again.
	healthyRunsMax = 0.001
)

// counts are the server's metrics at one moment.
type counts map[string]float64

// since is what a metric grew by, all labels that contain all of words together.
func (c counts) since(before counts, name string, words ...string) (sum float64) {
next:
	for key, value := range c {
		if !strings.HasPrefix(key, name) || len(key) > len(name) && key[len(name)] != '{' {
			continue
		}
		for _, word := range words {
			if !strings.Contains(key, word) {
				continue next
			}
		}
		sum += value - before[key]
	}
	return sum
}

// costOfPrograms has the kernel count what BPF programs take: while nothing is wrong, and while
// answers on clients' and on brokers' connections are lost.
func costOfPrograms(ctx context.Context, o *Options) ([]Figure, error) {
	restore, err := kernelCounts()
	if err != nil {
		return nil, err
	}
	defer restore()
	b, err := o.newBed(ctx, "programs", EBPF, 2)
	if err != nil {
		return nil, err
	}
	defer b.close()
	figures, err := b.healthy(ctx)
	if err != nil {
		return nil, err
	}
	for _, brokers := range []bool{false, true} {
		// A new server: nothing of the last one's troubles is left.
		if err := b.boot(ctx, o, "programs", EBPF); err != nil {
			return nil, err
		}
		more, err := b.lossy(ctx, brokers)
		if err != nil {
			return nil, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// during runs a group's load for a while, and returns what the server counted before and after.
func (b *bed) during(ctx context.Context, world *bench.World, g bench.Group, begin func() error) (before, after counts, w bench.Window, err error) {
	plan := bench.Plan{Fill: []*bench.World{world}, Groups: []bench.Group{g}, Warmup: time.Second}
	err = b.load(ctx, 0, plan, func(s *bench.Session) (err error) {
		if err = begin(); err != nil {
			return err
		}
		if before, err = b.metrics(ctx); err != nil {
			return err
		}
		if w, err = s.Measure(costProgramsFor, g.Name); err != nil {
			return err
		}
		after, err = b.metrics(ctx)
		return err
	})
	return before, after, w, err
}

func (b *bed) healthy(ctx context.Context) ([]Figure, error) {
	world := &bench.World{Topics: 1000, Brokers: 4}
	g := bench.Group{Name: "healthy", World: world, Conns: 64, Depth: 8, Rate: 20_000, Mix: bench.Mix{Route: 1}}
	before, after, w, err := b.during(ctx, world, g, func() error { return nil })
	if err != nil {
		return nil, err
	}
	if err := failed(&w); err != nil {
		return nil, err
	}
	ours, requests := 0.0, float64(w.Replies())
	for _, name := range []string{"tcp_retransmissions_total", "tcp_synack_retransmissions_total", "tcp_resets_total", "tcp_events_total"} {
		ours += after.since(before, name)
	}
	return []Figure{{What: "runs of any program for a healthy request", Value: ours / requests, Limit: healthyRunsMax,
		Detail: fmt.Sprintf("%.0f in %.0f requests; %.0f for sockets of all processes", ours, requests, after.since(before, "tcp_program_runs_total"))}}, nil
}

func (b *bed) lossy(ctx context.Context, brokers bool) ([]Figure, error) {
	world := &bench.World{Name: "lossy", Topics: 10, Brokers: 200}
	before, after, w, err := b.during(ctx, world, lossyGroup(world, brokers), func() error { return b.lose(0) })
	if err != nil {
		return nil, err
	}
	if err := b.star.Heal(); err != nil {
		return nil, err
	}
	hook := fmt.Sprintf("hook=%q", hookRetransmit)
	runs := after.since(before, "tcp_program_runs_total", hook)
	if runs < 100 {
		return nil, fmt.Errorf("only %.0f retransmissions", runs)
	}
	nanos := after.since(before, "tcp_program_run_seconds_total", hook) / runs * 1e9
	all := after.since(before, "tcp_program_run_seconds_total")
	rate := runs / w.Seconds
	records := after.since(before, "tcp_events_total", `fate="recorded"`)
	whose, limit := "a client", float64(countedNanosMax)
	if brokers {
		whose, limit = "a broker", recordedNanosMax
	}
	detail := fmt.Sprintf("%.0f a second; %.0f %% are records, %.0f lost; %s", rate, records/runs*100,
		after.since(before, "tcp_events_total", `fate="lost"`), kinds(after, before))
	return []Figure{
		{What: "run time for a retransmission of " + whose, Value: nanos, Unit: "ns", Limit: limit, Detail: detail},
		{What: "all programs at 1,000 retransmissions of " + whose + " a second", Value: all / w.Seconds * 1000 / rate * 100,
			Unit: "% of a core", Limit: programShareMax},
	}, nil
}

// kinds lists retransmissions by kind.
func kinds(after, before counts) string {
	byKind := map[string]float64{}
	for key, value := range after {
		if rest, ok := strings.CutPrefix(key, "tcp_retransmissions_total{"); ok && value > before[key] {
			_, kind, _ := strings.Cut(rest, `type="`)
			byKind[strings.TrimSuffix(kind, `"}`)] += value - before[key]
		}
	}
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		words = append(words, fmt.Sprintf("%s %.0f", kind, byKind[kind]))
	}
	return strings.Join(words, ", ")
}

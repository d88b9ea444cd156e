package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/codec"
)

// loadFlags is what nsbench load can be told.
type loadFlags struct {
	plan   bench.Plan
	world  bench.World
	group  bench.Group
	fill   bool
	binary bool
	ver    int
	json   bool
	quiet  bool
}

func defineLoad(fs *flag.FlagSet, e env) func(context.Context) error {
	f := &loadFlags{}
	fs.StringVar(&f.plan.To, "to", "127.0.0.1:9876", "name server `address`")
	fs.IntVar(&f.plan.PID, "pid", 0, "the server's process `id`: tells its processor time and memory")
	f.defineWorld(fs)
	fs.BoolVar(&f.fill, "fill", true, "register topics and brokers first; false: they are there (nsbench fill)")
	f.defineAsking(fs)
	fs.DurationVar(&f.plan.Warmup, "warmup", 2*time.Second, "before anything is measured")
	fs.DurationVar(&f.plan.Duration, "duration", 10*time.Second, "of one measurement")
	fs.IntVar(&f.plan.Repeats, "repeats", 1, "measurements, one after the other")
	fs.DurationVar(&f.plan.Stable, "stable", 0, "warm up until three windows this long differ by less than 3 %")
	fs.DurationVar(&f.plan.StableMax, "stable-max", 2*time.Minute, "the longest such warm-up")
	fs.BoolVar(&f.plan.Spin, "spin", true, "poll without sleeping: exact, takes a whole core")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress lines")
	return func(ctx context.Context) error { return f.run(ctx, e) }
}

func (f *loadFlags) defineWorld(fs *flag.FlagSet) {
	fs.IntVar(&f.world.Topics, "topics", 1000, "topics, all of them on every broker")
	fs.IntVar(&f.world.Brokers, "brokers", 4, "broker groups")
	fs.BoolVar(&f.world.Distinct, "distinct", false, "every topic has its own queue numbers")
	fs.StringVar(&f.world.Name, "name", "bench", "begins the names of topics and brokers")
}

func (f *loadFlags) defineAsking(fs *flag.FlagSet) {
	g := &f.group
	fs.IntVar(&g.Conns, "conns", 64, "connections")
	fs.IntVar(&g.Depth, "depth", 1, "requests in flight on each; in an open loop (-rate) the most, 64 if not given")
	fs.Float64Var(&g.Rate, "rate", 0, "open loop: requests per `second` over all connections; 0: closed loop")
	fs.IntVar(&g.Burst, "burst", 1, "open loop: requests due together on one connection")
	fs.Float64Var(&g.Mix.Route, "route", 1, "weight of route lookups (105)")
	fs.Float64Var(&g.Mix.Cluster, "cluster", 0, "weight of cluster questions (106)")
	fs.Float64Var(&g.Mix.Register, "register", 0, "weight of unchanged registrations (103) of ten topics, a broker per connection")
	fs.Float64Var(&g.Mix.TopicList, "topic-list", 0, "weight of topic lists (206)")
	fs.Float64Var(&g.Mix.Unknown, "unknown", 0, "share of lookups, 0 to 1, of topics nobody has")
	fs.Float64Var(&g.Mix.Zipf, "zipf", 0, "Zipf exponent of the topics' popularity, above 1; 0: uniform")
	fs.BoolVar(&g.Echo, "unchecked", false, "do not look at bodies, every code is to be SUCCESS: for nsbench limit, which answers everything alike")
	fs.BoolVar(&f.binary, "binary", false, "ROCKETMQ binary headers instead of JSON")
	fs.IntVar(&f.ver, "version", int(codec.Version5_5_0), "RocketMQ version of the requests; below 401 bodies have bare integer keys")
}

func (f *loadFlags) run(ctx context.Context, e env) error {
	depth := &f.group.Depth
	if f.group.Rate > 0 && *depth == 1 {
		*depth = max(64, f.group.Burst)
	}
	f.group.Name, f.group.World, f.group.Version = "lookups", &f.world, int32(f.ver)
	if f.binary {
		f.group.Serialize = codec.SerializeRocketMQ
	}
	if f.fill {
		f.plan.Fill = []*bench.World{&f.world}
	}
	if f.group.Mix.Register > 0 {
		f.group.Registrations = smallRegistrations(&f.group)
	}
	f.plan.Groups = []bench.Group{f.group}
	if !f.quiet {
		f.plan.Progress = func(line string) { fmt.Fprintln(e.stderr, line) }
	}
	r, err := bench.Run(ctx, f.plan)
	if err != nil {
		return err
	}
	if f.json {
		out := json.NewEncoder(e.stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(r); err != nil {
			return err
		}
	} else {
		printResult(e.stdout, r)
	}
	return failures(r)
}

// smallRegistrations gives each connection a broker of its own with ten topics.
func smallRegistrations(g *bench.Group) func(conn, nth int) *bench.Registration {
	w := &bench.World{Name: g.World.Name + "-mix", Topics: 10, Brokers: g.Conns, Base: 1 << 20}
	body := w.Body(0, w.Topics, 0, 1, g.Version)
	all := make([]*bench.Registration, g.Conns)
	for i := range all {
		all[i] = w.Registration(i, body, g.Serialize)
	}
	return func(conn, _ int) *bench.Registration { return all[conn] }
}

// failures is an error if anything was answered wrongly or not at all.
func failures(r *bench.Result) error {
	failed := uint64(0)
	for i := range r.Windows {
		for j := range r.Windows[i].Groups {
			failed += r.Windows[i].Groups[j].Failed()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d requests or connections failed", failed)
	}
	return nil
}

func printResult(w io.Writer, r *bench.Result) {
	for _, f := range r.Fill {
		fmt.Fprintf(w, "filled: %d topics on %d brokers in %.3f s (%d frames, %.1f MB)\n",
			f.Registrations/f.Brokers, f.Brokers, f.Seconds, f.Frames, float64(f.Bytes)/1e6)
	}
	for i := range r.Windows {
		win := &r.Windows[i]
		fmt.Fprintf(w, "window %d: %.1f s, load busy %.0f %% (%.0f ns a request)\n", i+1, win.Seconds, win.Load.BusyShare*100, win.Load.NanosPerRequest)
		if s := win.Server; s != nil {
			fmt.Fprintf(w, "  server: %.0f ns of processor time a request, %.2f cores, %.1f MB resident (most: %.1f)",
				win.ServerNanosPerRequest(), s.CPUShare, float64(s.RSSBytes)/1e6, float64(s.PeakBytes)/1e6)
			if s.Core >= 0 {
				fmt.Fprintf(w, ", its core %d busy %.0f %%, stolen %.1f %%", s.Core, s.CoreBusy*100, s.CoreSteal*100)
			}
			fmt.Fprintln(w)
		}
		for j := range win.Groups {
			printGroup(w, &win.Groups[j])
		}
	}
}

func printGroup(w io.Writer, g *bench.GroupResult) {
	fmt.Fprintf(w, "  %s: %.0f/s, %.0f B a reply, %d bodies checked; ", g.Name, g.PerSecond, g.ReplyBytes(), g.Checked)
	if g.Due > 0 {
		fmt.Fprintf(w, "%d due, %d good; ", g.Due, g.Good)
	}
	l := &g.Latency
	fmt.Fprintf(w, "us: P50 %.0f P90 %.0f P99 %.0f P99.9 %.0f max %.0f\n", l.P50, l.P90, l.P99, l.P999, l.Max)
	for kind, n := range g.Errors {
		fmt.Fprintf(w, "    %d x %s\n", n, kind)
	}
}

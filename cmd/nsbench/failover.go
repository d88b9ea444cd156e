package main

import (
	"context"
	"flag"
	"os"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench/failover"
)

func defineFailover(fs *flag.FlagSet, e env) func(context.Context) error {
	o := failover.Options{Progress: e.progress}
	m := measurement{}
	m.define(fs, "cases", "the cases and the clients")
	clients := fs.String("clients", "", "clients, by commas; all if empty")
	fs.StringVar(&o.Pharos, "pharos", "build/namesrv", "`path` of the namesrv binary")
	fs.StringVar(&o.GoClient, "go-client", "bench/failover/goclient", "`folder` of the source of the official Go client's program")
	fs.StringVar(&o.Cache, "cache", defaultCache(), "`folder` for RocketMQ, once fetched")
	fs.StringVar(&o.Dir, "out", "build/failover", "`folder` of the results; a run that is there is not repeated")
	fs.IntVar(&o.Runs, "runs", 5, "runs of each fault with each client; 1 of those about evenness")
	fs.DurationVar(&o.Before, "before", 3*time.Second, "how long all calls go well before the fault; up to 1 s is added by chance")
	fs.DurationVar(&o.During, "during", 21*time.Second, "how long the fault lasts")
	fs.Float64Var(&o.Lookups, "lookups", 200, "lookups a second")
	fs.Float64Var(&o.Sends, "sends", 1000, "sends a second")
	fs.IntVar(&o.Callers, "callers", 1024, "lookups, and sends, at a time; those beyond wait, and their waiting counts")
	fs.IntVar(&o.EvenSends, "even-sends", 100_000, "sends to see how even round robin is")
	fs.DurationVar(&o.Phase, "phase", 15*time.Second, "how long a broker is slow to see sends move away, and come back")
	fs.DurationVar(&o.Budget, "budget", 0, "begin no run after so long; the next call goes on; 0: to the end")
	fs.DurationVar(&o.Lateness, "lateness", 250*time.Millisecond, "a run in which a call began later than this does not count")
	fs.DurationVar(&o.Calm, "calm", 250*time.Millisecond, "a call before the fault that takes longer, or fails, puts the fault off; at least 200ms")
	fs.Int64Var(&o.Seed, "seed", 1, "of the moments of faults and of the brokers that fail")
	short := fs.Bool("short", false, "the short form: one run of each, of 7 s; figures are not those that are promised")
	return func(ctx context.Context) error {
		if m.list {
			return failover.List(e.stdout)
		}
		var err error
		if o.Match, err = m.match(); err != nil {
			return err
		}
		if *clients != "" {
			o.Clients = strings.Split(*clients, ",")
		}
		if *short {
			o.Runs, o.Before, o.During, o.EvenSends, o.Phase = 1, 2*time.Second, 7*time.Second, 20_000, 6*time.Second
		}
		if err := o.Validate(); err != nil {
			return usageError{err}
		}
		return do(ctx, &m, &o, e.stdout, failover.Run, failover.Save, failover.WriteJSON, failover.WriteMarkdown)
	}
}

func defineFailoverClient(fs *flag.FlagSet, e env) func(context.Context) error {
	o := failover.ClientOptions{}
	servers := fs.String("namesrv", "127.0.0.1:9876", "name servers, by semicolons")
	fs.StringVar(&o.Topic, "topic", "TopicTest", "topic to send to")
	fs.BoolVar(&o.NoHedge, "no-hedge", false, "ask one name server at a time")
	fs.StringVar(&o.Selector, "selector", "round-robin", "how brokers are chosen: round-robin or least-in-flight")
	fs.Float64Var(&o.Load.LookupsPerSecond, "lookups", 200, "lookups a second")
	fs.Float64Var(&o.Load.SendsPerSecond, "sends", 1000, "sends a second")
	fs.IntVar(&o.Load.Callers, "callers", 1024, "lookups, and sends, at a time")
	fs.DurationVar(&o.Load.Slow, "slow", 200*time.Millisecond, "calls that take longer are printed")
	return func(ctx context.Context) error {
		o.Servers = strings.Split(*servers, ";")
		return failover.RunClient(ctx, o, os.Stdin, e.stdout)
	}
}

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench/faults"
)

func defineFaults(fs *flag.FlagSet, e env) func(context.Context) error {
	o := faults.Options{Progress: e.progress}
	m := measurement{}
	m.define(fs, "faults", "the faults and what is wanted of each")
	modes := fs.String("modes", "ebpf,sampling", "modes of Pharos, by commas: ebpf, sampling, off")
	fs.StringVar(&o.Pharos, "pharos", "build/namesrv", "`path` of the namesrv binary")
	fs.StringVar(&o.Commit, "commit", "", "`commit` that it was built from, should the binary not tell; for the report")
	fs.StringVar(&o.Server, "server", "pharos", "server: pharos, java, or NAME=COMMAND LINE with {port}, {home}, {config}")
	fs.StringVar(&o.Cache, "cache", defaultCache(), "`folder` for other servers, once fetched")
	fs.StringVar(&o.Dir, "out", "build/faults", "`folder` of the results; a run that is there is not repeated")
	rtts := fs.String("rtts", "0,50,200", "round trips in `ms`, by commas; 0 is the bare path; at 100 and above only hosts vanish")
	fs.IntVar(&o.Runs, "runs", 20, "runs of each death")
	fs.IntVar(&o.RunsLiving, "runs-living", 3, "runs of each hardship that all live through")
	fs.IntVar(&o.RunsWatch, "runs-watch", 1, "runs of each case that is watched for long")
	fs.DurationVar(&o.Watch, "watch", 30*time.Minute, "how long those are watched; a third where nothing is promised")
	fs.IntVar(&o.Parallel, "parallel", 24, "runs at a time")
	fs.DurationVar(&o.Budget, "budget", 0, "begin no run after so long; the next call goes on; 0: to the end")
	fs.DurationVar(&o.Lateness, "lateness", 500*time.Millisecond, "a run in which a timer was later than this does not count")
	fs.BoolVar(&o.Short, "short", false, "the short form: one run of each, 40 s of watching, 50 ms for deaths only, nothing above")
	fs.Int64Var(&o.Seed, "seed", 1, "of the moments of faults")
	cost := fs.Bool("cost", false, "measure what watching over connections costs, instead of faults; -run picks parts")
	return func(ctx context.Context) error {
		var err error
		if o.Match, err = m.match(); err != nil {
			return err
		}
		if m.list && *cost {
			faults.ListCost(func(line string) { fmt.Fprintln(e.stdout, line) })
			return nil
		}
		if m.list {
			return faults.List(e.stdout, &o)
		}
		if o.Modes, err = faults.ParseModes(strings.Split(*modes, ",")); err != nil {
			return usageError{err}
		}
		if o.RTTs, err = faults.ParseRTTs(strings.Split(*rtts, ",")); err != nil {
			return usageError{err}
		}
		if o.Short {
			o.Runs, o.RunsLiving, o.RunsWatch, o.Watch = short(fs, "runs", o.Runs), 1, 1, 40*time.Second
		}
		if o.Parallel < 1 || o.Runs < 1 {
			return usagef("-parallel %d and -runs %d must be above 0", o.Parallel, o.Runs)
		}
		if *cost {
			return measureCost(ctx, &o, m.report, e)
		}
		return do(ctx, &m, &o, e.stdout, faults.Run, faults.Save, faults.WriteJSON, faults.WriteMarkdown)
	}
}

func measureCost(ctx context.Context, o *faults.Options, report bool, e env) error {
	if !report {
		if err := faults.Cost(ctx, o); err != nil {
			return err
		}
	}
	return faults.WriteCost(e.stdout, o)
}

// short is the value of a flag that was given, or 1.
func short(fs *flag.FlagSet, name string, value int) int {
	given := 1
	fs.Visit(func(f *flag.Flag) {
		if f.Name == name {
			given = value
		}
	})
	return given
}

func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "pharos-bench")
}

func defineFakeBroker(fs *flag.FlagSet, e env) func(context.Context) error {
	o := faults.BrokerOptions{}
	fs.StringVar(&o.Name, "name", "broker-a", "broker `name`")
	fs.StringVar(&o.Listen, "listen", "127.0.0.1:10911", "`ip:port` it registers and listens on")
	servers := fs.String("servers", "127.0.0.1:9876", "name servers, by semicolons")
	fs.IntVar(&o.Topics, "topics", 0, "topics besides the first three")
	fs.BoolVar(&o.Client, "client", false, "a client on the broker's host: asks for a route every 30 s")
	return func(ctx context.Context) error {
		o.Servers = strings.Split(*servers, ";")
		return faults.RunBroker(ctx, o, os.Stdin, e.stdout)
	}
}

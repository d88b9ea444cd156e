package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
)

// compareFlags is what nsbench compare can be told.
type compareFlags struct {
	c       bench.Comparison
	finder  bench.Finder
	servers serverList
	only    string
	list    bool
}

// serverList takes -server more than once.
type serverList []string

// String implements flag.Value.
func (l *serverList) String() string { return strings.Join(*l, " ") }

// Set implements flag.Value.
func (l *serverList) Set(name string) error {
	*l = append(*l, name)
	return nil
}

func defineCompare(fs *flag.FlagSet, e env) func(context.Context) error {
	f := &compareFlags{}
	fs.Var(&f.servers, "server", "a server to compare, may be repeated: "+strings.Join(bench.ServerNames, ", ")+
		", or NAME=COMMAND LINE with {port}, {home} and {config}; default: all that are known, in the short form "+strings.Join(bench.ShortNames, ", "))
	fs.StringVar(&f.finder.Pharos, "pharos", "build/namesrv", "Pharos' `binary`")
	fs.StringVar(&f.finder.Commit, "commit", "", "`commit` that it was built from, should the binary not tell; for the report")
	fs.StringVar(&f.finder.Cache, "cache", defaultCache(), "`folder` for peers that were downloaded or built")
	fs.StringVar(&f.c.Dir, "out", "build/bench", "`folder` for records and reports; what is in it is not measured again")
	fs.BoolVar(&f.c.Full, "full", false, "all scenarios with all servers: hours; the short form takes minutes")
	fs.DurationVar(&f.c.Budget, "budget", 0, "begin no scenario after so long; the next call goes on; 0: to the end")
	fs.StringVar(&f.only, "only", "", "scenarios whose names match this `expression`")
	fs.BoolVar(&f.c.Read, "report", false, "measure nothing: report what is in the folder")
	fs.BoolVar(&f.list, "list", false, "list the scenarios and stop")
	fs.IntVar(&f.c.Pairs, "pairs", 7, "samples of each server")
	fs.DurationVar(&f.c.Window, "window", 3*time.Second, "how long a sample is")
	fs.DurationVar(&f.c.Warmup, "warmup", time.Second, "before each scenario")
	fs.DurationVar(&f.c.WarmStep, "warm-window", 10*time.Second, "a JVM is warm when three windows this long differ by less than 3 %")
	fs.DurationVar(&f.c.WarmMax, "warm-max", 2*time.Minute, "the longest such warm-up")
	fs.DurationVar(&f.c.FillMax, "fill-max", 2*time.Minute, "the longest that filling a server may take: one that takes longer is a row that says so")
	fs.DurationVar(&f.c.IdleMax, "idle-max", 0, "cut how long servers idle before their memory is read; 0: not")
	serverCore, loadCore := 0, 1
	if runtime.NumCPU() < 2 {
		serverCore, loadCore = -1, -1
	}
	fs.IntVar(&f.c.ServerCore, "server-core", serverCore, "`processor` of the servers; -1: any")
	fs.IntVar(&f.c.LoadCore, "load-core", loadCore, "`processor` of the load; -1: any")
	return func(ctx context.Context) error { return f.run(ctx, e) }
}

func (f *compareFlags) run(ctx context.Context, e env) error {
	if f.list {
		for _, s := range bench.Stages() {
			for _, sc := range s.Scenarios {
				form := map[bool]string{true: "full", false: "short"}[s.Full || sc.Full]
				fmt.Fprintf(e.stdout, "%-38s %-5s %s: %s\n", sc.Name, form, s.About, sc.About)
			}
		}
		return nil
	}
	if f.c.Pairs < 1 || f.c.Window <= 0 {
		return usagef("-pairs %d and -window %v must be above 0", f.c.Pairs, f.c.Window)
	}
	if f.only != "" {
		expression, err := regexp.Compile(f.only)
		if err != nil {
			return usagef("-only: %w", err)
		}
		f.c.Only = expression
	}
	f.finder.Progress, f.c.Progress = e.progress, e.progress
	if len(f.servers) == 0 {
		f.servers = bench.ServerNames
		if !f.c.Full && f.c.Only == nil {
			f.servers = bench.ShortNames
		}
	}
	for _, name := range f.servers {
		f.c.Servers = append(f.c.Servers, f.finder.Find(ctx, name))
	}
	var err error
	if f.c.Dir, err = filepath.Abs(f.c.Dir); err != nil {
		return err
	}
	runErr := f.c.Run(ctx)
	if err := f.c.Report(); err != nil {
		return err
	}
	if runErr == nil {
		fmt.Fprintf(e.stdout, "%s\n", filepath.Join(f.c.Dir, "report.md"))
	}
	return runErr
}

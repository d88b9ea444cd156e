package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
)

// command is one subcommand of nsbench. It defines its flags and returns what runs when they
// are parsed.
type command struct {
	name   string
	help   string
	define func(*flag.FlagSet, env) func(context.Context) error
}

var commands = []command{
	{"load", "fill a name server and put route lookups on it", defineLoad},
	{"fill", "register topics on pretend brokers, which stay and renew", defineFill},
	{"limit", "the yardstick: a server that answers every frame alike and does nothing else", defineLimit},
	{"compare", "measure servers in turn under the same load, and report", defineCompare},
	{"scaling", "how far it scales: the tables of docs/scaling.md, calculated of what compare -full measured", defineScaling},
	{"build", "which build of Pharos a binary is, for records that are kept", defineBuild},
	{"faults", "how soon the dead leave the routes and how long the living are missing, in network namespaces", defineFaults},
	{"failover", "what clients notice when a name server or a broker fails, in network namespaces", defineFailover},
	{"failover-client", "our client as nsbench failover starts it", defineFailoverClient},
	{"fake-broker", "a broker as nsbench faults starts it", defineFakeBroker},
}

// The exit codes of nsbench.
const (
	exitOK    = 0
	exitError = 1 // it could not be measured, or what was answered is wrong
	exitUsage = 2
)

func run(ctx context.Context, e env) int {
	if len(e.args) == 0 || e.args[0] == "-h" || e.args[0] == "-help" || e.args[0] == "--help" || e.args[0] == "help" {
		usage(e)
		if len(e.args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	for i := range commands {
		if c := &commands[i]; c.name == e.args[0] {
			return c.run(ctx, e)
		}
	}
	fmt.Fprintf(e.stderr, "nsbench: there is no command %q; nsbench -h lists them\n", e.args[0])
	return exitUsage
}

func (c *command) run(ctx context.Context, e env) int {
	fs := flag.NewFlagSet("nsbench "+c.name, flag.ContinueOnError)
	fs.SetOutput(e.stderr)
	work := c.define(fs, e)
	switch err := fs.Parse(e.args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case fs.NArg() > 0:
		fmt.Fprintf(e.stderr, "nsbench %s: what is %q? it takes flags only\n", c.name, strings.Join(fs.Args(), " "))
		return exitUsage
	}
	err := work(ctx)
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(e.stderr, "nsbench %s: %v\n", c.name, err)
		return exitUsage
	case err != nil:
		fmt.Fprintf(e.stderr, "nsbench %s: %v\n", c.name, err)
		return exitError
	}
	return exitOK
}

// usageError is a wrong command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func usage(e env) {
	fmt.Fprintln(e.stderr, "usage: nsbench COMMAND [flags]; nsbench COMMAND -h lists the flags")
	for _, c := range commands {
		fmt.Fprintf(e.stderr, "  %-10s %s\n", c.name, c.help)
	}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pharosmq/pharos/client"
)

// command is one subcommand of nsctl.
type command struct {
	name     string
	args     string // what follows the name, for the usage text
	help     string
	argCount int
	run      func(context.Context, *session, []string) error
}

var commands = []command{
	{"route", "TOPIC", "which brokers hold a topic, with how many queues", 1, showRoute},
	{"clusters", "", "clusters and their broker groups", 0, showClusters},
	{"brokers", "", "every broker address the name server lists, with its state where the admin port tells", 0, showBrokers},
	{"topics", "", "every topic the name server lists", 0, showTopics},
	{"servers", "", "every name server of the list: its role, latency and digest, and where their answers differ", 0, showServers},
	{"conns", "", "every connection and its health (admin port)", 0, showConns},
	{"conns explain", "ID", "one connection: its transmissions, and what was decided about it (admin port)", 1, explainConn},
	{"conns dump", "", "every TCP socket as the kernel has it; needs BPF in the server (admin port)", 0, dumpConns},
	{"demo", "", "pretend to be a broker with a topic (TopicTest) until interrupted", 0, runDemo},
}

// The exit codes of nsctl.
const (
	exitOK    = 0
	exitError = 1 // the server said no, or could not be asked
	exitUsage = 2
)

// errUsage is a wrong command line; its text has been printed.
var errUsage = errors.New("usage")

// session is what a subcommand works with.
type session struct {
	servers []string
	timeout time.Duration
	json    bool
	stdout  io.Writer
	stderr  io.Writer
	demo    demoOptions
	admin   adminOptions
	conns   connsOptions

	resolver *client.Resolver // made by ask
}

func run(ctx context.Context, e env) int {
	s, cmd, args, err := parse(e)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	defer s.close()
	if err := cmd.run(ctx, s, args); err != nil {
		fmt.Fprintf(e.stderr, "nsctl %s: %s\n", cmd.name, oneLine(err))
		return exitError
	}
	return exitOK
}

// oneLine is an error for the terminal: a server's remark, or several errors, may have lines.
func oneLine(err error) string { return plain(strings.ReplaceAll(err.Error(), "\n", " ")) }

// parse reads the command line: flags may stand before and after the subcommand.
func parse(e env) (*session, *command, []string, error) {
	s := &session{stdout: e.stdout, stderr: e.stderr}
	fs := flag.NewFlagSet("nsctl", flag.ContinueOnError)
	fs.SetOutput(e.stderr)
	fs.Usage = func() { usage(fs) }
	list := cmp.Or(e.getenv(client.EnvNameServers), "127.0.0.1:9876")
	fs.StringVar(&list, "n", list, "`list` of name servers, a:9876;b:9876; the first that answers is asked; default "+client.EnvNameServers)
	output := fs.String("o", "table", "output `format`: table or json")
	fs.DurationVar(&s.timeout, "timeout", 3*time.Second, "how long to wait for an answer")
	s.demo.define(fs)
	s.admin.define(fs)
	s.conns.define(fs)

	rest := e.args
	var words []string
	for {
		if err := fs.Parse(rest); err != nil {
			return nil, nil, nil, err
		}
		if fs.NArg() == 0 {
			break
		}
		words = append(words, fs.Arg(0))
		rest = fs.Args()[1:]
	}
	fail := func(format string, args ...any) (*session, *command, []string, error) {
		fmt.Fprintf(e.stderr, "nsctl: "+format+"; nsctl -h lists the commands\n", args...)
		return nil, nil, nil, errUsage
	}
	if len(words) == 0 {
		fs.Usage()
		return nil, nil, nil, errUsage
	}
	cmd, args := find(words)
	servers, err := client.ParseAddresses(list)
	switch {
	case cmd == nil:
		return fail("there is no command %q", words[0])
	case len(args) != cmd.argCount:
		return fail("%s takes %d arguments, not %d", cmd.name, cmd.argCount, len(args))
	case err != nil:
		return fail("-n %q: %v", list, err)
	case *output != "table" && *output != "json":
		return fail("-o %q is neither table nor json", *output)
	}
	s.servers = servers
	s.json = *output == "json"
	return s, cmd, args, nil
}

// find returns the command that the words begin with, of two words rather than of one, and
// its arguments.
func find(words []string) (*command, []string) {
	for n := min(2, len(words)); n > 0; n-- {
		name := strings.Join(words[:n], " ")
		for i := range commands {
			if commands[i].name == name {
				return &commands[i], words[n:]
			}
		}
	}
	return nil, nil
}

func usage(fs *flag.FlagSet) {
	w := fs.Output()
	fmt.Fprintln(w, "usage: nsctl [flags] COMMAND")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-17s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
	}
	fmt.Fprintln(w, "flags:")
	fs.PrintDefaults()
}

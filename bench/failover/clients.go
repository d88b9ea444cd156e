package failover

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// kind is a client under test.
type kind struct {
	name, help string
	ours       bool // the targets are for it
	hedged     bool // asks a second name server when the first is late
	// prepare makes the program; command is how it is started.
	prepare func(ctx context.Context, o *Options) error
	command func(o *Options, l launch) *exec.Cmd
}

// launch is what a client under test is told.
type launch struct {
	home           string
	servers        []string
	lookups, sends float64 // a second
	callers        int
	selector       string // of ours only
}

// slow is how long a call may take before it is noted, and counts as hurt by the fault.
const slow = 200 * time.Millisecond

const clientHeapMB = 512

// kinds are the clients in the order of reports.
func kinds() []kind {
	ready := func(context.Context, *Options) error { return nil }
	return []kind{
		{name: "pharos", help: "client of this module", ours: true, hedged: true, prepare: ready, command: ours},
		{name: "pharos-unhedged", help: "the same, asking one name server at a time", ours: true, prepare: ready,
			command: func(o *Options, l launch) *exec.Cmd {
				cmd := ours(o, l)
				cmd.Args = append(cmd.Args, "-no-hedge")
				return cmd
			}},
		{name: "java-5.5.0", help: "Java client 5.5.0", prepare: ready,
			command: func(o *Options, l launch) *exec.Cmd { return o.java550.client(l) }},
		{name: "java-4.8.0", help: "Java client 4.8.0",
			prepare: func(ctx context.Context, o *Options) (err error) {
				o.java480, err = o.findJava(ctx, "4.8.0", pom480)
				return err
			},
			command: func(o *Options, l launch) *exec.Cmd { return o.java480.client(l) }},
		{name: "go-2.1.2", help: "official Go client 2.1.2", prepare: buildGoClient, command: goClient},
	}
}

// client starts the Java client program.
func (j *java) client(l launch) *exec.Cmd {
	return j.command(l.home, clientHeapMB, []string{"rocketmq.client.logRoot=" + l.home}, "FailoverClient",
		"ns="+strings.Join(l.servers, ";"), "topic="+topic, fmt.Sprintf("lookups=%g", l.lookups), fmt.Sprintf("sends=%g", l.sends),
		fmt.Sprintf("callers=%d", l.callers), fmt.Sprintf("slow-ms=%d", slow.Milliseconds()))
}

// goFlags are the flags of both clients in Go.
func (l *launch) goFlags() []string {
	return []string{"-namesrv", strings.Join(l.servers, ";"), "-topic", topic, "-lookups", fmt.Sprint(l.lookups),
		"-sends", fmt.Sprint(l.sends), "-callers", fmt.Sprint(l.callers), "-slow", slow.String()}
}

// ours starts this very program as a client.
func ours(o *Options, l launch) *exec.Cmd {
	cmd := exec.Command(o.self, append([]string{"failover-client"}, l.goFlags()...)...)
	if l.selector != "" {
		cmd.Args = append(cmd.Args, "-selector", l.selector)
	}
	cmd.Dir, cmd.Env = l.home, environment(l.home)
	return cmd
}

func goClient(o *Options, l launch) *exec.Cmd {
	cmd := exec.Command(o.goClient, l.goFlags()...)
	cmd.Dir, cmd.Env = l.home, environment(l.home)
	return cmd
}

// buildGoClient builds the program of the official Go client, a module of its own.
func buildGoClient(ctx context.Context, o *Options) (err error) {
	if o.goClient, err = filepath.Abs(filepath.Join(o.Dir, "goclient")); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(o.GoClient, "go.mod")); err != nil {
		return fmt.Errorf("the source of the Go client's program: %w; run it in the root of the work tree, or give -go-client", err)
	}
	return runTool(ctx, o.GoClient, "go", "build", "-o", o.goClient, ".")
}

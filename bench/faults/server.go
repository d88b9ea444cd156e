package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

// Mode is how Pharos watches its connections; other servers have but one.
type Mode string

// The modes of Pharos.
const (
	EBPF     Mode = "ebpf"     // kernel events and samples
	Sampling Mode = "sampling" // samples alone
	Off      Mode = "off"      // Java's rules alone
	Plain    Mode = "plain"    // another server
)

// ParseModes checks names of modes.
func ParseModes(names []string) (modes []Mode, err error) {
	for _, name := range names {
		switch m := Mode(strings.TrimSpace(name)); m {
		case EBPF, Sampling, Off:
			modes = append(modes, m)
		default:
			return nil, fmt.Errorf("-modes: %q is none of ebpf, sampling, off", name)
		}
	}
	return modes, nil
}

// ParseRTTs reads round trips in milliseconds.
func ParseRTTs(words []string) (rtts []time.Duration, err error) {
	for _, word := range words {
		ms, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || ms < 0 || ms > 2000 {
			return nil, fmt.Errorf("-rtts: %q is no time in ms from 0 to 2000", word)
		}
		rtts = append(rtts, time.Duration(ms*1e6))
	}
	return rtts, nil
}

// settings are the properties of Pharos in a mode.
func (m Mode) settings() string {
	switch m {
	case EBPF:
		return "connectionHealth=evict\ntcpTracing=on\n"
	case Sampling:
		return "connectionHealth=evict\ntcpTracing=off\n"
	default:
		return "connectionHealth=off\n"
	}
}

// outputFile is where a server's output goes, in its home.
const outputFile = "output"

// findServer learns how the server is started.
func (o *Options) findServer(ctx context.Context) error {
	f := &bench.Finder{Pharos: o.Pharos, Cache: o.Cache, Progress: o.Progress}
	o.kind = f.Find(ctx, o.Server)
	if o.kind.Unavailable != "" {
		return fmt.Errorf("server %s: %s", o.kind.Name, o.kind.Unavailable)
	}
	if o.kind.Name != "pharos" {
		o.Modes = []Mode{Plain}
		return nil
	}
	var err error
	o.build, err = bench.BuildFrom(o.Pharos, o.Commit)
	return err
}

// startServer starts a name server in a namespace, with further lines of configuration.
func (o *Options) startServer(ns *netns.NS, home string, mode Mode, lines ...string) (*process.Process, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, err
	}
	cmd := o.kind.Command(home, serverPort)
	// The last line of a key counts.
	more := "bindAddress=0.0.0.0\n"
	if mode != Plain {
		more += "logToStderr=always\n" + mode.settings()
	}
	for _, line := range lines {
		more += line + "\n"
	}
	config, err := os.OpenFile(filepath.Join(home, "namesrv.properties"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	if _, err = config.WriteString(more); err != nil {
		return nil, err
	}
	if err := config.Close(); err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(home, outputFile))
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	cmd.Dir, cmd.Stdout, cmd.Stderr = home, out, out
	return process.Start(cmd, process.Options{Name: o.kind.Name, In: ns})
}

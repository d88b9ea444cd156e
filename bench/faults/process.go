package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
)

// broker is a fake broker's process and what is known of it.
type broker struct {
	*process.Process
	in   io.WriteCloser
	name string
	addr string // ip:port

	mu    sync.Mutex
	ports map[int]int // local port of its connection to each name server
	// registered counts its 103s that were answered.
	registered int
	asked      int           // times it asked because it was told to
	notify     chan struct{} // closed and replaced at each event
}

// startBroker starts this very program as a fake broker.
func startBroker(ns *netns.NS, self, home string, o BrokerOptions) (*broker, error) {
	args := []string{"fake-broker", "-name", o.Name, "-listen", o.Listen, "-servers", strings.Join(o.Servers, ";"), "-topics", fmt.Sprint(o.Topics)}
	if o.Client {
		args = append(args, "-client")
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	events, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	b := &broker{name: o.Name, addr: o.Listen, ports: map[int]int{}, notify: make(chan struct{})}
	log, err := os.OpenFile(filepath.Join(home, o.Name+".events"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		b.Process, err = process.Start(cmd, process.Options{Name: o.Name, In: ns})
	}
	_ = w.Close() // the child has its own
	if err != nil {
		_ = events.Close()
		return nil, err
	}
	b.in = in
	go b.follow(events, log)
	return b, nil
}

// follow reads events until the process ends.
func (b *broker) follow(events *os.File, log *os.File) {
	defer events.Close()
	defer log.Close()
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		var at int64
		var what string
		var server, port int
		_, _ = fmt.Sscan(lines.Text(), &at, &what, &server, &port) // not all have all of it
		b.mu.Lock()
		switch what {
		case "connected":
			b.ports[server] = port
		case "registered":
			b.registered++
		case "asks":
			b.asked++
		}
		close(b.notify)
		b.notify = make(chan struct{})
		b.mu.Unlock()
	}
}

// order sends a line to the fake broker.
func (b *broker) order(word string) error {
	_, err := io.WriteString(b.in, word+"\n")
	return err
}

// port is the local port of its connection to the measured name server.
func (b *broker) port() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ports[0]
}

// awaitRegistered waits until it has registered with the measured name server or another.
func (b *broker) awaitRegistered(ctx context.Context, timeout time.Duration) error {
	return b.await(ctx, timeout, "registered", func() bool { return b.registered > 0 })
}

// ask has it ask for the cluster, and returns when it is about to.
func (b *broker) ask(ctx context.Context) error {
	if err := b.order("ask"); err != nil {
		return err
	}
	return b.await(ctx, 2*time.Second, "asked", func() bool { return b.asked > 0 })
}

// await waits until done, which is called with the lock held.
func (b *broker) await(ctx context.Context, timeout time.Duration, what string, done func() bool) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		b.mu.Lock()
		ready, next := done(), b.notify
		b.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-next:
		case <-timer.C:
			return fmt.Errorf("%s has not %s within %v", b.name, what, timeout)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

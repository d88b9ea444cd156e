package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench"
	"github.com/pharosmq/pharos/internal/testkit/netns"
	"github.com/pharosmq/pharos/internal/testkit/process"
	"golang.org/x/sys/unix"
)

// bed is a name server whose costs are counted, and hosts around it.
type bed struct {
	star   *netns.Star
	server *process.Process
	mode   Mode
}

// costAdmin is where servers tell their metrics, each in a namespace of its own.
const costAdmin = "127.0.0.1:9877"

// newBed makes a star with that many hosts and a server.
func (o *Options) newBed(ctx context.Context, label string, mode Mode, hosts int) (*bed, error) {
	star, err := netns.NewStar(hosts)
	if err != nil {
		return nil, err
	}
	b := &bed{star: star}
	if err := b.boot(ctx, o, label, mode); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// boot starts a server, in the place of the one before.
func (b *bed) boot(ctx context.Context, o *Options, label string, mode Mode) error {
	if b.server != nil {
		b.server.Kill()
		b.server = nil
	}
	home := filepath.Join(o.Dir, "cost", fmt.Sprintf("%s-%s", label, mode))
	if err := os.RemoveAll(home); err != nil {
		return err
	}
	var err error
	if b.server, err = o.startServer(b.star.Server, home, mode, "adminListen="+costAdmin); err != nil {
		return err
	}
	b.mode = mode
	want := map[Mode]string{EBPF: `tracing="ebpf"`, Sampling: `tracing="sampling"`, Off: `mode="off"`}[mode]
	return b.server.Await(ctx, bootWait, func() error {
		m, err := b.metrics(ctx)
		for key := range m {
			if strings.HasPrefix(key, "connection_health_info{") && strings.Contains(key, want) {
				return nil
			}
		}
		if err == nil {
			err = fmt.Errorf("the server in %s does not run with %s", home, want)
		}
		return err
	})
}

func (b *bed) close() {
	if b.server != nil {
		b.server.Kill()
	}
	_ = b.star.Close()
}

func (b *bed) pid() int { return b.server.Pid() }

func (b *bed) addr() string { return fmt.Sprintf("%s:%d", b.star.ServerIP(), serverPort) }

// bind keeps the server on one processor, as it is compared elsewhere.
func (b *bed) bind(core int) error {
	var set unix.CPUSet
	set.Set(core)
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", b.pid()))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("bind the server to processor %d: %w", core, err)
		}
	}
	return nil
}

// metrics asks the server; keys are names without their prefix, with labels.
func (b *bed) metrics(ctx context.Context) (map[string]float64, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			err = b.star.Server.Do(func() (err error) {
				c, err = (&net.Dialer{}).DialContext(ctx, network, addr)
				return err
			})
			return c, err
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+costAdmin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	m := map[string]float64{}
	lines := bufio.NewScanner(reply.Body)
	for lines.Scan() {
		line, ours := strings.CutPrefix(lines.Text(), "rocketmq_namesrv_")
		space := strings.LastIndexByte(line, ' ')
		if !ours || space < 0 {
			continue
		}
		if m[line[:space]], err = strconv.ParseFloat(line[space+1:], 64); err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
	}
	return m, lines.Err()
}

// load runs a plan of bench on host i of the bed: its sockets are made by this thread.
func (b *bed) load(ctx context.Context, i int, p bench.Plan, measure func(*bench.Session) error) error {
	p.To, p.PID = b.addr(), b.pid()
	return b.star.Peers[i].Do(func() error {
		s, err := bench.Open(ctx, p)
		if err != nil {
			return err
		}
		defer s.Close()
		return measure(s)
	})
}

// kernelCounts turns the kernel's statistics of BPF programs on, and back to what they were.
func kernelCounts() (restore func(), err error) {
	const path = "/proc/sys/kernel/bpf_stats_enabled"
	before, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, []byte("1"), 0o644); err != nil {
		return nil, err
	}
	return func() { _ = os.WriteFile(path, before, 0o644) }, nil
}

// failed is an error if a window of load has errors in it.
func failed(w *bench.Window) error {
	for i := range w.Groups {
		if g := &w.Groups[i]; g.Failed() > 0 {
			return fmt.Errorf("the load %s failed: %v", g.Name, g.Errors)
		}
	}
	return nil
}

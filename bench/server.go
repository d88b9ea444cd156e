package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/internal/testkit/process"
)

// Server is a kind of server that can be started: a command and how it is told where to
// listen.
type Server struct {
	Name string
	// Yardstick: it answers everything alike and keeps nothing.
	Yardstick bool
	// Apart: it takes part in stages that name it, and in no other.
	Apart bool
	// Custom: it is none of those that are known by name.
	Custom bool
	// Scenarios are the only ones it is measured in; nil: all of its stages.
	Scenarios []string
	// Build tells which one of several it is, as far as known: results of two are not mixed.
	Build string
	// AnyCore: it is not bound to a processor.
	AnyCore bool
	// Warms: it gets faster while it runs, and is measured when it does not any more.
	Warms bool
	// Command is what to run for a port, in a home folder of its own that is there.
	Command func(home string, port int) *exec.Cmd
	// Unavailable says why there is no such server here; "" if there is.
	Unavailable string
}

// Process is a Server that runs.
type Process struct {
	*process.Process
	Addr string
	Home string
	// StartMillis is from exec to the first answer.
	StartMillis float64

	stops *stopReader
}

const (
	bootTimeout = 2 * time.Minute
	bootPoll    = time.Millisecond
	stopTimeout = 150 * time.Second
)

// Start runs s bound to processor core (-1: any) with a home folder below dir.
func (s *Server) Start(ctx context.Context, dir string, core int) (*Process, error) {
	if s.Unavailable != "" {
		return nil, errors.New(s.Unavailable)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, s.Name+"-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &Process{Addr: fmt.Sprintf("127.0.0.1:%d", port), Home: home, stops: newStopReader(home)}
	cmd := s.Command(home, port)
	cmd.Dir = home
	begin := time.Now()
	if p.Process, err = process.Start(cmd, process.Options{Name: s.Name, Log: filepath.Join(home, "output"), In: bound(core)}); err != nil {
		return nil, err
	}
	if err := p.awaitBoot(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	p.StartMillis = float64(time.Since(begin)) / 1e6
	return p, nil
}

// allowed are the processors that this process had when it began: it may bind itself later.
var allowed = func() (set unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &set) // if that fails, servers run where we run
	return set
}()

// bound is the processor that a process is started on; -1: any.
type bound int

// Do runs f on a thread that is bound and used for nothing else: a process starts with the
// processors of the thread that forked it.
func (core bound) Do(f func() error) error {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	set := allowed
	if core >= 0 {
		set.Zero()
		set.Set(int(core))
	}
	if set.Count() > 0 {
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return fmt.Errorf("bind to processor %d (-1: any): %w", core, err)
		}
	}
	return f()
}

// BindSelf binds this process, all threads it has and will have, to one processor.
func BindSelf(core int) error {
	var set unix.CPUSet
	set.Set(core)
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(filepath.Base(task), &tid); err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("bind to processor %d: %w", core, err)
		}
	}
	return nil
}

func (p *Process) awaitBoot(ctx context.Context) error {
	for deadline := time.Now().Add(bootTimeout); time.Now().Before(deadline); {
		if firstAnswer(ctx, p.Addr) == nil {
			return nil
		}
		select {
		case <-p.Ended():
			return fmt.Errorf("it ended before it answered:\n%s", p.Output())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(bootPoll):
		}
	}
	return fmt.Errorf("it does not listen on %s after %v:\n%s", p.Addr, bootTimeout, p.Output())
}

// outputBytesMax bounds what is shown of a server's output.
const outputBytesMax = 2000

// Output is the end of what the server printed.
func (p *Process) Output() string {
	text, err := os.ReadFile(p.LogPath)
	if err != nil {
		return err.Error()
	}
	text = bytes.TrimSpace(text)
	return string(text[max(0, len(text)-outputBytesMax):])
}

// Stop asks the server to end (SIGTERM) and returns how long that took.
func (p *Process) Stop() (time.Duration, error) {
	if p.Exited() {
		return 0, fmt.Errorf("the server had ended:\n%s", p.Output())
	}
	begin := time.Now()
	err := p.Process.Stop(stopTimeout)
	return time.Since(begin), err
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

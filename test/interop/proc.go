package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// procSpec says what to run.
type procSpec struct {
	Name  string // names the log file
	Path  string
	Args  []string
	Env   []string // added to a small base, not to our whole environment
	Dir   string
	Stdin *os.File
	// Stdout, if set, gets standard output; otherwise it goes to the log like errors do.
	Stdout *os.File
}

// Proc is a child process. It leads a process group of its own, writes to a log file, and
// is killed at the end of the test that started it, or when the test binary dies.
type Proc struct {
	Name    string
	LogPath string

	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid after done
}

// starts runs its functions on one thread that lives as long as this process. A child's
// parent-death signal belongs to the thread that forked it.
var starts = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startProc(tb testing.TB, spec procSpec) *Proc {
	tb.Helper()
	p, err := launch(tb, spec)
	if err != nil {
		tb.Fatalf("start %s: %v", spec.Name, err)
	}
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("%s: log %s, it ends:\n%s", p.Name, p.LogPath, p.LogTail(15))
		}
	})
	return p
}

func launch(tb testing.TB, spec procSpec) (*Proc, error) {
	p := &Proc{Name: spec.Name, done: make(chan struct{})}
	p.LogPath = filepath.Join(logDir(tb), spec.Name+".log")
	log, err := os.OpenFile(p.LogPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor
	p.cmd = exec.Command(spec.Path, spec.Args...)
	p.cmd.Dir = spec.Dir
	p.cmd.Env = append(baseEnv(), spec.Env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if spec.Stdin != nil { // a nil *os.File in the interface is not nil
		p.cmd.Stdin = spec.Stdin
	}
	if spec.Stdout != nil {
		p.cmd.Stdout = spec.Stdout
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	starts() <- func() { result <- p.cmd.Start() }
	if err := <-result; err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// baseEnv is what every child gets: where programs are, and nothing that could change how
// RocketMQ behaves (NAMESRV_ADDR, JAVA_OPT, ROCKETMQ_*).
func baseEnv() []string {
	env := []string{"LC_ALL=C.UTF-8"}
	for _, key := range []string{"PATH", "HOME", "JAVA_HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+v)
		}
	}
	return env
}

// Pid is the process id, which is also the id of its group.
func (p *Proc) Pid() int { return p.cmd.Process.Pid }

// Exited says whether the process is gone.
func (p *Proc) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Kill ends the whole process group at once (kill -9) and waits until it is gone.
func (p *Proc) Kill() {
	if p.Exited() {
		return
	}
	// The group exists as long as its leader has not been waited for.
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
	<-p.done
}

// Signal sends one signal to the process itself.
func (p *Proc) Signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		tb.Fatalf("send %v to %s: %v", sig, p.Name, err)
	}
}

// Stop asks the process to end (SIGTERM) and returns its exit code, or fails the test when
// it still lives after the timeout.
func (p *Proc) Stop(tb testing.TB, timeout time.Duration) int {
	tb.Helper()
	p.Signal(tb, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(timeout):
		tb.Errorf("%s still runs %v after SIGTERM, log %s", p.Name, timeout, p.LogPath)
		p.Kill()
	}
	return p.ExitCode()
}

// ExitCode is the exit code of a process that is gone; 128+n when signal n ended it.
func (p *Proc) ExitCode() int {
	<-p.done
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
	}
	return p.cmd.ProcessState.ExitCode()
}

// LogTail is the last n lines of the log.
func (p *Proc) LogTail(n int) string {
	text, err := os.ReadFile(p.LogPath)
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}

// awaitLog waits until the log holds text, and fails when the process ends before that.
func (p *Proc) awaitLog(tb testing.TB, text string, timeout time.Duration) {
	tb.Helper()
	deadline := time.Now().Add(timeout)
	for {
		gone := p.Exited()
		log, err := os.ReadFile(p.LogPath)
		if err == nil && bytes.Contains(log, []byte(text)) {
			return
		}
		if gone {
			tb.Fatalf("%s ended with code %d before it said %q", p.Name, p.ExitCode(), text)
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not say %q within %v", p.Name, text, timeout)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

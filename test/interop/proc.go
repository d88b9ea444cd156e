package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/process"
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

// Proc is a child process that is killed at the end of the test that started it, or when the
// test binary dies.
type Proc struct{ *process.Process }

func startProc(tb testing.TB, spec procSpec) *Proc {
	tb.Helper()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir = spec.Dir
	cmd.Env = append(baseEnv(), spec.Env...)
	if spec.Stdin != nil { // a nil *os.File in the interface is not nil
		cmd.Stdin = spec.Stdin
	}
	if spec.Stdout != nil {
		cmd.Stdout = spec.Stdout
	}
	started, err := process.Start(cmd, process.Options{Name: spec.Name, Log: filepath.Join(logDir(tb), spec.Name+".log")})
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proc{started}
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("%s: log %s, it ends:\n%s", p.Name, p.LogPath, p.LogTail(15))
		}
	})
	return p
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

// Signal sends one signal to the process itself.
func (p *Proc) Signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := p.Process.Signal(sig); err != nil {
		tb.Fatal(err)
	}
}

// Freeze stops the process in its tracks (SIGSTOP): its sockets stay open and still
// acknowledge, but nobody answers.
func (p *Proc) Freeze(tb testing.TB) { tb.Helper(); p.Signal(tb, syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Proc) Thaw(tb testing.TB) { tb.Helper(); p.Signal(tb, syscall.SIGCONT) }

// Stop asks the process to end (SIGTERM) and returns its exit code, or fails the test when
// it still lives after the timeout.
func (p *Proc) Stop(tb testing.TB, timeout time.Duration) int {
	tb.Helper()
	if err := p.Process.Stop(timeout); err != nil {
		tb.Error(err)
	}
	return p.ExitCode()
}

// awaitLog waits until the log holds text, and fails when the process ends before that.
func (p *Proc) awaitLog(tb testing.TB, text string, timeout time.Duration) {
	tb.Helper()
	if err := p.AwaitLog(tb.Context(), text, timeout); err != nil {
		tb.Fatal(err)
	}
}

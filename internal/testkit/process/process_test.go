package process

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell starts a script of /bin/sh.
func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(exec.Command("/bin/sh", "-c", script), Options{Name: t.Name(), Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

const patience = time.Minute // CI machines are busy

func TestExitCode(t *testing.T) {
	if code := shell(t, "exit 7").ExitCode(); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
	p := shell(t, "kill -TERM $$; sleep 60")
	if code := p.ExitCode(); code != 128+15 {
		t.Errorf("exit code %d after SIGTERM, want 143", code)
	}
	if !p.Exited() {
		t.Error("it is gone but did not exit")
	}
	p.Kill() // of one that is gone does nothing
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal to one that is gone: %v", err)
	}
}

func TestStartOfNothing(t *testing.T) {
	if p, err := Start(exec.Command("/no/such/program"), Options{}); err == nil || !strings.Contains(err.Error(), "start program: ") || p != nil {
		t.Errorf("%v, %v; want no process and an error that names the program", p, err)
	}
}

func TestAwaitLog(t *testing.T) {
	p := shell(t, "echo one; echo two >&2; sleep 60")
	if err := p.AwaitLog(t.Context(), "two", patience); err != nil {
		t.Fatal(err)
	}
	if tail := p.LogTail(1); tail != "    two" {
		t.Errorf("the log ends with %q", tail)
	}
	if err := p.AwaitLog(t.Context(), "three", 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), `did not say "three"`) {
		t.Errorf("waiting for what is never said: %v", err)
	}
	p.Kill()
	if err := p.AwaitLog(t.Context(), "two", 0); err != nil {
		t.Errorf("it said so before it ended, yet: %v", err)
	}
	if err := p.AwaitLog(t.Context(), "three", patience); err == nil || !strings.Contains(err.Error(), "ended with code 137") {
		t.Errorf("waiting for one that is dead: %v", err)
	}
}

func TestAwaitListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	p := shell(t, "sleep 60")
	if err := p.AwaitListening(t.Context(), addr, patience); err != nil {
		t.Error(err)
	}
	l.Close()
	if err := p.AwaitListening(t.Context(), addr, 0); err == nil {
		t.Error("nobody listens any more, and no error")
	}
}

// TestFreeze has a process write on and on.
func TestFreeze(t *testing.T) {
	p := shell(t, "while :; do echo tick; sleep 0.01; done")
	size := func() int64 {
		info, err := os.Stat(p.LogPath)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	grows := func(from int64) bool {
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if size() > from {
				return true
			}
		}
		return false
	}
	if !grows(0) {
		t.Fatal("it never wrote")
	}
	if err := p.Freeze(); err != nil {
		t.Fatal(err)
	}
	for state(t, p) != "T" {
		time.Sleep(time.Millisecond) // the kernel stops it soon
	}
	frozen := size()
	time.Sleep(100 * time.Millisecond)
	if size() != frozen {
		t.Error("a frozen process writes")
	}
	if err := p.Thaw(); err != nil {
		t.Fatal(err)
	}
	if !grows(frozen) {
		t.Error("a thawed process does not write")
	}
	if err := p.Freeze(); err != nil {
		t.Fatal(err)
	}
	p.Kill() // also ends a frozen one
}

// state is the letter of /proc/PID/stat.
func state(t *testing.T, p *Process) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.Pid()), "stat"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

func TestStop(t *testing.T) {
	if err := shell(t, "exec sleep 60").Stop(patience); err != nil {
		t.Error(err)
	}
	p := shell(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	if err := p.AwaitLog(t.Context(), "ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(50 * time.Millisecond); err == nil || !p.Exited() {
		t.Errorf("stop one that takes no SIGTERM: %v, exited %v", err, p.Exited())
	}
}

// TestKillOfGroup ends a child of the child, too.
func TestKillOfGroup(t *testing.T) {
	p := shell(t, "sleep 60 & echo $!; wait")
	if err := p.AwaitLog(t.Context(), "\n", patience); err != nil {
		t.Fatal(err)
	}
	child := strings.TrimSpace(p.LogTail(1))
	p.Kill()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(filepath.Join("/proc", child, "stat"))
		if err != nil || strings.Contains(string(stat), ") Z") { // gone, or waiting for init
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the child's child %s lives", child)
		}
	}
}

// within counts how often something was done in a namespace of a test.
type within struct{ times int }

func (w *within) Do(f func() error) error { w.times++; return f() }

func TestIn(t *testing.T) {
	w := &within{}
	p, err := Start(exec.Command("/bin/sh", "-c", "exit 3"), Options{In: w})
	if err != nil {
		t.Fatal(err)
	}
	if code := p.ExitCode(); code != 3 || w.times != 1 || p.Name != "sh" {
		t.Errorf("%s: code %d, started %d times in its namespace", p.Name, code, w.times)
	}
	if _, err := Start(exec.Command("/no/such/program"), Options{In: w}); err == nil {
		t.Error("no error")
	}
}

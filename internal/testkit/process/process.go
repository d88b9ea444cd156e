// Package process starts the programs that tests and measurements look at from outside: it waits
// until they say or answer something, freezes them, ends them, and tells how they ended.
//
// A process leads a group of its own, writes to a log file, and dies with this program, however
// that ends.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options is where a process runs and what it is called.
type Options struct {
	Name string // in errors; the base name of its path if empty
	// Log is a file that gets standard output and errors, appended, unless the command has
	// files of its own for them. Empty: none.
	Log string
	// In runs a function on a thread inside a namespace (netns.NS); nil: where this program is.
	In Namespace
}

// Namespace is where a process may run: netns.NS is one.
type Namespace interface {
	Do(func() error) error
}

// Process is a running program, or one that ran.
type Process struct {
	Name    string
	LogPath string // "" if it has none

	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid after ended
}

// Start starts a command. Whatever happens to this program, the process is killed with it.
func Start(cmd *exec.Cmd, o Options) (*Process, error) {
	if o.Name == "" {
		o.Name = cmd.Path[strings.LastIndexByte(cmd.Path, '/')+1:]
	}
	p := &Process{Name: o.Name, LogPath: o.Log, cmd: cmd, ended: make(chan struct{})}
	if o.Log != "" {
		log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return nil, err
		}
		defer log.Close() // the process has a descriptor of its own
		if cmd.Stdout == nil {
			cmd.Stdout = log
		}
		if cmd.Stderr == nil {
			cmd.Stderr = log
		}
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
	if err := p.fork(o.In); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	return p, nil
}

// fork starts the command on a thread that outlives it: the signal at a parent's death is that
// of the thread that forked, not of the program.
func (p *Process) fork(in Namespace) error {
	started := make(chan error, 1)
	if in == nil {
		forks() <- func() { started <- p.cmd.Start() }
		err := <-started
		if err == nil {
			go p.wait()
		}
		return err
	}
	go func() {
		err := in.Do(func() error {
			if err := p.cmd.Start(); err != nil {
				return err
			}
			started <- nil
			p.wait()
			return nil
		})
		if err != nil {
			started <- err
		}
	}()
	return <-started
}

func (p *Process) wait() {
	p.err = p.cmd.Wait()
	close(p.ended)
}

// forks runs functions on one thread that lives as long as this program.
var forks = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Pid is the process id, which is also the id of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Exited says whether the process is gone.
func (p *Process) Exited() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// ExitCode is the exit code of a process that is gone, and waits for that; 128+n if signal n
// ended it.
func (p *Process) ExitCode() int {
	<-p.ended
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
	}
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends a signal to the process itself; os.ErrProcessDone if it is gone.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %v to %s: %w", s, p.Name, err)
	}
	return nil
}

// Freeze stops the process in its tracks (SIGSTOP): its sockets stay open and its kernel
// acknowledges, but nobody answers.
func (p *Process) Freeze() error { return p.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() error { return p.Signal(syscall.SIGCONT) }

// Kill ends the whole process group at once (kill -9) and waits until the process is gone.
func (p *Process) Kill() {
	if p.Exited() {
		return
	}
	// The group exists as long as its leader has not been waited for.
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
	<-p.ended
}

// Stop asks the process to end (SIGTERM). One that still lives after the timeout is killed,
// which is an error.
func (p *Process) Stop(timeout time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(timeout):
	}
	p.Kill()
	return fmt.Errorf("%s still ran %v after SIGTERM, log %s", p.Name, timeout, p.LogPath)
}

// Package netns makes network namespaces for tests and measurements: a server, a router and
// peers, with faults only in the router, so that the TCP stacks at both ends stay what they are.
//
// It needs root and the commands ip and nft. Namespaces have no name in the file system: when
// the last descriptor, socket and process in one is gone the kernel removes it, also after a crash.
package netns

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// NS is a network namespace.
type NS struct {
	label string
	file  *os.File
}

// New makes a namespace with its loopback up. label appears in errors.
func New(label string) (*NS, error) {
	ns := &NS{label: label}
	made := make(chan error, 1)
	go func() {
		// The thread ends with its goroutine, since it is never unlocked: nothing else may run
		// in the new namespace by accident.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- fmt.Errorf("netns %s: unshare: %w", label, err)
			return
		}
		var err error
		ns.file, err = os.Open("/proc/thread-self/ns/net")
		made <- err
	}()
	if err := <-made; err != nil {
		return nil, err
	}
	if err := ns.setUp(); err != nil {
		_ = ns.Close()
		return nil, err
	}
	return ns, nil
}

func (ns *NS) setUp() error {
	// An IPv6 address that is still being checked for duplicates answers nobody for a second.
	if err := ns.Sysctl("ipv6.conf.default.accept_dad", "0"); err != nil {
		return err
	}
	_, err := ns.Run("ip", "link", "set", "lo", "up")
	return err
}

// Close gives up the namespace; it lives on while a socket or process is in it.
func (ns *NS) Close() error { return ns.file.Close() }

// String is the label.
func (ns *NS) String() string { return ns.label }

// Path is where another program of this machine finds the namespace while it is open.
func (ns *NS) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.file.Fd()) }

// Do runs f on a thread inside the namespace and returns its error. Sockets that f opens stay
// there for good; goroutines that f starts run outside.
func (ns *NS) Do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("netns %s: setns: %w", ns.label, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Start starts a command inside the namespace.
func (ns *NS) Start(cmd *exec.Cmd) error { return ns.Do(cmd.Start) }

// Run runs a command inside the namespace and returns what it printed.
func (ns *NS) Run(name string, args ...string) (string, error) {
	return ns.run(exec.Command(name, args...))
}

func (ns *NS) run(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := ns.Start(cmd); err != nil {
		return "", fmt.Errorf("netns %s: %s: %w", ns.label, strings.Join(cmd.Args, " "), err)
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("netns %s: %s: %w: %s", ns.label, strings.Join(cmd.Args, " "), err, strings.TrimSpace(out.String()))
	}
	return out.String(), nil
}

// IP runs the lines of a script for `ip -batch`.
func (ns *NS) IP(script string) error { return ns.feed(script, "ip", "-batch", "-") }

// Nft runs a script for nft.
func (ns *NS) Nft(script string) error { return ns.feed(script, "nft", "-f", "-") }

func (ns *NS) feed(script, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(script)
	if _, err := ns.run(cmd); err != nil {
		return fmt.Errorf("%w\n%s", err, script)
	}
	return nil
}

// Sysctl sets a value below /proc/sys/net of the namespace, such as "ipv4.ip_forward".
func (ns *NS) Sysctl(name, value string) error {
	return ns.Do(func() error {
		return os.WriteFile("/proc/sys/net/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0o644)
	})
}

// Counters are the kernel's own of the namespace (/proc/net/netstat and snmp), by their name
// with its group in front: "TcpExt.TCPTimeouts", "Tcp.RetransSegs".
func (ns *NS) Counters() (map[string]int64, error) {
	all := map[string]int64{}
	err := ns.Do(func() error {
		for _, file := range []string{"netstat", "snmp"} {
			text, err := os.ReadFile("/proc/thread-self/net/" + file)
			if err != nil {
				return err
			}
			if err := parseCounters(string(text), all); err != nil {
				return fmt.Errorf("/proc/net/%s: %w", file, err)
			}
		}
		return nil
	})
	return all, err
}

// parseCounters reads pairs of lines: "Group: Name Name" and "Group: value value".
func parseCounters(text string, into map[string]int64) error {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines)%2 != 0 {
		return fmt.Errorf("%d lines, they come in pairs", len(lines))
	}
	for i := 0; i < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) == 0 || len(names) != len(values) || names[0] != values[0] {
			return fmt.Errorf("names and values differ: %q, %q", lines[i], lines[i+1])
		}
		group := strings.TrimSuffix(names[0], ":")
		for j := 1; j < len(names); j++ {
			var n int64
			if _, err := fmt.Sscan(values[j], &n); err != nil {
				return fmt.Errorf("%s: %w", names[j], err)
			}
			into[group+"."+names[j]] = n
		}
	}
	return nil
}

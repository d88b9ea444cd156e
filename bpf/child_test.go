package bpf

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/internal/testkit/netns"
)

// childEnv makes this test binary a child that runs as nobody; its value says what it does.
const childEnv = "PHAROS_BPF_CHILD"

func child() {
	var err error
	switch what := os.Getenv(childEnv); what {
	case "two capabilities":
		err = childWithTwo()
	case "none":
		err = childWithNone()
	default:
		err = fmt.Errorf("what is %q?", what)
	}
	if err != nil {
		fmt.Println("child failed:", err)
		os.Exit(1)
	}
}

// runChild runs this binary as nobody with the given capabilities inside ns.
func runChild(t *testing.T, ns *netns.NS, what string, capabilities ...uintptr) string {
	t.Helper()
	return runChildAs(t, ns, what, &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: capabilities,
	})
}

func runChildAs(t *testing.T, ns *netns.NS, what string, attr *syscall.SysProcAttr) string {
	t.Helper()
	needsKernel(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The place where go test builds is closed to others.
	dir, err := os.MkdirTemp("", "pharos-bpf")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "child")
	if err := copyFile(self, binary); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.Env = []string{childEnv + "=" + what}
	cmd.SysProcAttr = attr
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("child with %q: %v\n%s", what, err, out.String())
	}
	return out.String()
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// effective returns the capabilities of the calling thread as the kernel prints them.
func effective() (string, error) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return "", err
	}
	for _, line := range strings.Split(string(status), "\n") {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", fmt.Errorf("no CapEff in\n%s", status)
}

// dropCapabilities takes all from the calling thread. Credentials belong to threads, so what
// this thread can still do is what a process without any can do.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

func childPair() (server, client *net.TCPConn, err error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	s, err := l.Accept()
	if err != nil {
		return nil, nil, err
	}
	return s.(*net.TCPConn), c.(*net.TCPConn), nil
}

// markAs marks a connection.
func markAs(t *Tracer, c *net.TCPConn, id uint64, role Role) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = t.MarkSocket(int(fd), id, role) }); err != nil {
		return err
	}
	return inner
}

// childWithTwo opens with CAP_BPF and CAP_PERFMON, drops them, and goes on.
func childWithTwo() error {
	runtime.LockOSThread()
	before, err := effective()
	if err != nil {
		return err
	}
	t, err := Open(Options{Mode: ModeOn})
	if err != nil {
		return err
	}
	defer t.Close()
	s1, c1, err := childPair()
	if err != nil {
		return err
	}
	s2, c2, err := childPair()
	if err != nil {
		return err
	}
	if err := markAs(t, s1, 1, RoleBroker); err != nil {
		return err
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	after, err := effective()
	if err != nil {
		return err
	}
	fmt.Printf("as user %d: capabilities %s, then %s, missing %v\n", os.Getuid(), before, after, t.Missing())
	fmt.Printf("mark after the drop: %v\n", markAs(t, s2, 2, RoleBroker))
	sockets := 0
	err = t.DumpSockets(func(s *Socket) error {
		if s.ConnID != 0 {
			sockets++
		}
		return nil
	})
	fmt.Printf("dump after the drop: %d sockets, %v\n", sockets, err)
	for _, c := range []*net.TCPConn{c1, c2} {
		if err := c.SetLinger(0); err != nil {
			return err
		}
		c.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resets := 0
	err = t.Read(ctx, func(e *Event) {
		if e.Kind == KindResetReceived {
			fmt.Printf("reset of connection %d\n", e.ConnID)
			if resets++; resets == 2 {
				cancel()
			}
		}
	})
	counters, countersErr := t.Counters()
	_, statsErr := t.ProgramStats()
	fmt.Printf("read ended with %v, counters: %d resets, %v, statistics %v\n", err, counters.ResetsReceived, countersErr, statsErr)
	runtime.KeepAlive([]any{s1, s2})
	return nil
}

func childWithNone() error {
	t, err := Open(Options{})
	if err != nil {
		return err
	}
	fmt.Printf("auto: %s: %s\n", t.Mode(), t.Reason())
	_, err = Open(Options{Mode: ModeOn})
	fmt.Printf("on: %v\n", err)
	return t.Close()
}

// TestPrivilegedTwoCapabilitiesSuffice is also the proof that none is needed afterwards.
func TestPrivilegedTwoCapabilitiesSuffice(t *testing.T) {
	needsKernel(t)
	ns, err := netns.New("child")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	out := runChild(t, ns, "two capabilities", unix.CAP_BPF, unix.CAP_PERFMON)
	t.Log(out)
	for _, want := range []string{
		"as user 65534: capabilities 000000c000000000, then 0000000000000000, missing []\n",
		"mark after the drop: <nil>\n",
		"dump after the drop: 2 sockets, <nil>\n",
		"reset of connection 1\n",
		"reset of connection 2\n",
		"read ended with context canceled, counters: 2 resets, <nil>, statistics <nil>\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the child did not print %q", want)
		}
	}
}

func TestPrivilegedReasonWithoutCapabilities(t *testing.T) {
	needsKernel(t)
	ns, err := netns.New("child")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	const reason = "no permission: CAP_BPF and CAP_PERFMON missing"
	want := "auto: sampling: " + reason + "\non: bpf: " + reason + "\n"
	if out := runChild(t, ns, "none"); out != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
	want = "auto: sampling: no permission: CAP_PERFMON missing\n"
	if out := runChild(t, ns, "none", unix.CAP_BPF); !strings.HasPrefix(out, want) {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
}

// TestPrivilegedReasonInAUserNamespace: a rootless container's root has all capabilities, and
// none that BPF asks for.
func TestPrivilegedReasonInAUserNamespace(t *testing.T) {
	needsKernel(t)
	ns, err := netns.New("child")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	nobody := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 65534, Size: 1}}
	out := runChildAs(t, ns, "none", &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: nobody, GidMappings: nobody,
		Credential: &syscall.Credential{NoSetGroups: true}, // root, in there
	})
	if want := "auto: sampling: no permission: this process is in a user namespace"; !strings.HasPrefix(out, want) {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
}

package hostile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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

// namesrv is the server under attack, a real process.
type namesrv struct {
	cmd  *exec.Cmd
	addr string
	log  string // its log file
}

// startNamesrv builds and starts cmd/namesrv on a free port, its home in a directory of
// the test's own.
func startNamesrv(t *testing.T) *namesrv {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "namesrv")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/pharosmq/pharos/cmd/namesrv").CombinedOutput(); err != nil {
		t.Fatalf("build namesrv: %v\n%s", err, out)
	}
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(dir, "namesrv.properties")
	text := fmt.Sprintf("bindAddress=127.0.0.1\nlistenPort=%s\nkvConfigPath=%s\nadminListen=\n", port, filepath.Join(dir, "kvConfig.json"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(filepath.Join(dir, "stderr.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-c", conf)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.Env = append(os.Environ(), "JAVA_OPT=-Duser.home="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &namesrv{cmd: cmd, addr: addr, log: filepath.Join(dir, "logs", "rocketmqlogs", "namesrv.log")}
	t.Cleanup(func() { s.stop(t, stderr) })
	s.awaitListening(t)
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *namesrv) awaitListening(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("namesrv does not listen on %s after 10 s", s.addr)
}

// stop ends the server, expects it to end by itself within 10 s of SIGTERM, and shows
// its output when the test failed.
func (s *namesrv) stop(t *testing.T, stderr *os.File) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("namesrv did not stop within 10 s of SIGTERM")
		_ = s.cmd.Process.Kill()
		<-ended
	}
	stderr.Close()
	if t.Failed() {
		text, _ := os.ReadFile(stderr.Name())
		t.Logf("namesrv's output, the last 8 kB:\n%s", tail(text, 8192))
	}
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		return b[len(b)-n:]
	}
	return b
}

// residentBytes is the server's resident set.
func (s *namesrv) residentBytes() (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("the server is gone: %w", err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the server has no VmRSS: it ended")
}

// logLines counts the lines of the server's log.
func (s *namesrv) logLines(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// logTail is the end of the server's log.
func (s *namesrv) logTail(n int) []byte {
	text, _ := os.ReadFile(s.log)
	return tail(text, n)
}

// startAttackers runs one attack in a process of its own until ctx ends. It returns once
// the attackers have made what they need and begin.
func startAttackers(ctx context.Context, t *testing.T, attack, addr string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), attackEnv+"="+attack, addrEnv+"="+addr)
	cmd.Stderr = os.Stderr
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("the attackers did not get ready: %v", err)
	}
	return cmd
}

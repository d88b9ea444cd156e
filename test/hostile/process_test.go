package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/process"
)

// namesrv is the server under attack, a real process.
type namesrv struct {
	*process.Process
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
	cmd := exec.Command(binary, "-c", conf)
	cmd.Env = append(os.Environ(), "JAVA_OPT=-Duser.home="+dir)
	p, err := process.Start(cmd, process.Options{Log: filepath.Join(dir, "output.log")})
	if err != nil {
		t.Fatal(err)
	}
	s := &namesrv{Process: p, addr: addr, log: filepath.Join(dir, "logs", "rocketmqlogs", "namesrv.log")}
	t.Cleanup(func() { s.stop(t) })
	if err := p.AwaitListening(t.Context(), addr, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	return s
}

// attackersReady bounds how long attackers take for what they need.
const attackersReady = time.Minute

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// stop ends the server, expects it to end by itself within 10 s of SIGTERM, and shows
// its output when the test failed.
func (s *namesrv) stop(t *testing.T) {
	if err := s.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("namesrv's output, the last lines:\n%s", s.LogTail(100))
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
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.Pid()))
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

// startAttackers runs one attack in a process of its own until it is killed. It returns once
// the attackers have made what they need and begin.
func startAttackers(t *testing.T, attack, addr string) *process.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), attackEnv+"="+attack, addrEnv+"="+addr)
	cmd.Stderr = os.Stderr
	p, err := process.Start(cmd, process.Options{Name: "the attackers", Log: filepath.Join(t.TempDir(), "attackers.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if err := p.AwaitLog(t.Context(), "\n", attackersReady); err != nil {
		t.Fatalf("the attackers did not get ready: %v", err)
	}
	return p
}

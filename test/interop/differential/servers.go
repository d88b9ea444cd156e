package differential

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/test/interop"
)

// Server is a running name server.
type Server struct {
	Name string // "java" or "pharos"
	Addr string
	Home string // its own user.home: configuration, KV file, logs

	cmd  *exec.Cmd
	done chan struct{}
}

// launcher starts servers of one kind.
type launcher struct {
	name  string
	start func(home string, port int) *exec.Cmd
	lines []string // of its configuration file, beside those that both servers have
}

const bootTimeout = 60 * time.Second

// newLauncher knows how to start "java" or "pharos".
func newLauncher(tb testing.TB, name string) *launcher {
	tb.Helper()
	switch name {
	case "java":
		return javaLauncher(tb)
	case "pharos":
		return pharosLauncher(tb)
	}
	tb.Fatalf("no such name server: %q; there are java and pharos", name)
	return nil
}

func javaLauncher(tb testing.TB) *launcher {
	tb.Helper()
	java := interop.ResolveJava(tb, interop.V550)
	_, here, _, _ := runtime.Caller(0)
	quiet := filepath.Join(filepath.Dir(here), "java") // holds our logback file
	return &launcher{name: "java", start: func(home string, port int) *exec.Cmd {
		cmd := exec.Command("java", "-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-XX:-UsePerfData", "-Duser.home="+home, "-cp", quiet+string(filepath.ListSeparator)+java.ClassPath,
			"org.apache.rocketmq.namesrv.NamesrvStartup", "-c", filepath.Join(home, "namesrv.properties"))
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ROCKETMQ_HOME=" + home, "LC_ALL=C.UTF-8"}
		return cmd
	}}
}

// buildDir is build/interop of the work tree: what a run leaves behind on purpose.
func buildDir() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "..", "..", "build", "interop")
	return dir, os.MkdirAll(dir, 0o755)
}

// pharosBinary is built once per test process.
var pharosBinary = sync.OnceValues(func() (string, error) {
	dir, err := buildDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "namesrv-differential")
	out, err := exec.Command("go", "build", "-o", path, "github.com/pharosmq/pharos/cmd/namesrv").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cmd/namesrv: %w\n%s", err, out)
	}
	return path, nil
})

func pharosLauncher(tb testing.TB) *launcher {
	tb.Helper()
	path, err := pharosBinary()
	if err != nil {
		tb.Fatal(err)
	}
	// Several may run at once, and only one could have the default port for its metrics.
	return &launcher{name: "pharos", lines: []string{"adminListen="}, start: func(home string, _ int) *exec.Cmd {
		cmd := exec.Command(path, "-c", filepath.Join(home, "namesrv.properties"))
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "ROCKETMQ_HOME=" + home, "JAVA_OPT=-Duser.home=" + home}
		return cmd
	}}
}

// Start runs one server with a home of its own and waits until it answers. Extra lines go
// to its configuration file.
func (l *launcher) Start(dir string, extra ...string) (*Server, error) {
	home, err := os.MkdirTemp(dir, l.name+"-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("listenPort=%d\nbindAddress=127.0.0.1\nkvConfigPath=%s/kvConfig.json\n", port, home)
	for _, line := range append(extra, l.lines...) {
		config += line + "\n"
	}
	if err := os.WriteFile(filepath.Join(home, "namesrv.properties"), []byte(config), 0o644); err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(home, "stdout"))
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own descriptor
	cmd := l.start(home, port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = home, out, out
	s := &Server{Name: l.name, Addr: fmt.Sprintf("127.0.0.1:%d", port), Home: home, cmd: cmd, done: make(chan struct{})}
	if err := startTied(cmd); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(s.done) }() // how it ended shows in its output
	return s, s.awaitBoot()
}

// tied runs its functions on one thread that lives as long as this process: a child's
// parent-death signal belongs to the thread that forked it.
var tied = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startTied(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	tied() <- func() { result <- cmd.Start() }
	return <-result
}

func (s *Server) awaitBoot() error {
	deadline := time.Now().Add(bootTimeout)
	for time.Now().Before(deadline) {
		select {
		case <-s.done:
			return fmt.Errorf("%s ended before it answered:\n%s", s.Name, s.output())
		case <-time.After(50 * time.Millisecond):
		}
		if c, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			return c.Close()
		}
	}
	s.Stop()
	return fmt.Errorf("%s does not listen on %s after %v:\n%s", s.Name, s.Addr, bootTimeout, s.output())
}

func (s *Server) output() []byte {
	text, err := os.ReadFile(filepath.Join(s.Home, "stdout"))
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(text)
}

// Stop kills the server: nothing it could still write matters.
func (s *Server) Stop() {
	select {
	case <-s.done:
	default:
		_ = s.cmd.Process.Kill() // it may have ended meanwhile
		<-s.done
	}
}

// Pid is the server's process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// freePort finds a port that nobody listens on. Another process could take it before the
// server does; the server then says so and the test fails with its words.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

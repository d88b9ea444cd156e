package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/internal/testkit"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"namesrv": main})
}

// TestScripts runs testdata/*.txt. Beyond testscript's own commands they have
//
//	start [-stdout closed|full|stuck] [-unprivileged] NAME ARGS...
//	                      a server; waits until it listens, sets $PORT
//	signal NAME SIGNAL    TERM, INT, HUP, QUIT, KILL
//	ends NAME CODE        in time; CODE is the exit code, or killed
//	alive NAME
//	ask CODE [KEY=VALUE...] [body:TEXT]
//	                      one request to $PORT on $HOST; prints code, remark, ext fields, body
//	probe N               connects and closes N times; fails when that is worth more
//	                      than one line of the log
//	eventually FILE REGEXP  in time
//
// The home of the server is $WORK/home.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("JAVA_OPT", "-server -Xmx4g -Duser.home="+home)
			e.Setenv("LOG", filepath.Join(home, "logs", "rocketmqlogs", "namesrv.log"))
			e.Values[serversKey{}] = map[string]*testServer{}
			return os.MkdirAll(home, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": cmdStart, "signal": cmdSignal, "ends": cmdEnds, "alive": cmdAlive,
			"ask": cmdAsk, "probe": cmdProbe, "eventually": cmdEventually,
		},
	})
}

// patience is generous: the machine that runs this may be busy with other tests.
const patience = 30 * time.Second

type serversKey struct{}

// testServer is one process of a script.
type testServer struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func serverOf(ts *testscript.TestScript, name string) *testServer {
	s := ts.Value(serversKey{}).(map[string]*testServer)[name]
	if s == nil {
		ts.Fatalf("there is no server %s", name)
	}
	return s
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	stdout, unprivileged := "", false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-stdout":
			stdout, args = args[1], args[2:]
		case "-unprivileged":
			unprivileged, args = true, args[1:]
		default:
			ts.Fatalf("start: unknown option %s", args[0])
		}
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: start [-stdout closed|full|stuck] [-unprivileged] NAME ARGS...")
	}
	name := args[0]
	outFile, errFile := ts.MkAbs(name+".out"), ts.MkAbs(name+".err")
	program, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], "namesrv"))
	ts.Check(err)
	cmd := exec.Command(program, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "JAVA_OPT=" + ts.Getenv("JAVA_OPT"),
		"ROCKETMQ_HOME=" + ts.Getenv("ROCKETMQ_HOME"), "ROCKETMQ_SERIALIZE_TYPE=" + ts.Getenv("ROCKETMQ_SERIALIZE_TYPE")}
	cmd.Stdout = openStdout(ts, stdout, outFile)
	cmd.Stderr = createFile(ts, errFile)
	logFile := ts.Getenv("LOG")
	seen := fileSize(logFile)

	ts.Check(startAs(cmd, unprivileged))
	s := &testServer{cmd: cmd, ended: make(chan struct{})}
	ts.Value(serversKey{}).(map[string]*testServer)[name] = s
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-s.ended
	})
	ts.Setenv("PORT", waitForPort(ts, s, outFile, errFile, logFile, seen))
}

// startAs starts cmd; unprivileged takes root's right to override permissions away.
func startAs(cmd *exec.Cmd, unprivileged bool) error {
	if !unprivileged || os.Geteuid() != 0 {
		return cmd.Start()
	}
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		for _, capability := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				result <- err
				return
			}
		}
		result <- cmd.Start()
	}()
	return <-result
}

func createFile(ts *testscript.TestScript, path string) *os.File {
	f, err := os.Create(path)
	ts.Check(err)
	ts.Defer(func() { f.Close() })
	return f
}

// openStdout returns a file, or something that a server must survive.
func openStdout(ts *testscript.TestScript, kind, path string) *os.File {
	switch kind {
	case "full":
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		ts.Check(err)
		ts.Defer(func() { f.Close() })
		return f
	case "closed", "stuck":
		r, w, err := os.Pipe()
		ts.Check(err)
		ts.Defer(func() { w.Close() })
		if kind == "closed" {
			r.Close()
			return w
		}
		ts.Defer(func() { r.Close() })
		fillPipe(ts, w)
		return w
	}
	return createFile(ts, path)
}

// fillPipe leaves no room in a pipe that nobody reads.
func fillPipe(ts *testscript.TestScript, w *os.File) {
	fd := int(w.Fd()) // blocking from here on
	ts.Check(unix.SetNonblock(fd, true))
	for _, size := range []int{4096, 1} {
		for {
			if _, err := unix.Write(fd, make([]byte, size)); err != nil {
				break
			}
		}
	}
	ts.Check(unix.SetNonblock(fd, false))
}

func fileSize(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

var bootLine = regexp.MustCompile(`The Name Server boot success\. serializeType=\w+, address \S*:(\d+)`)

func waitForPort(ts *testscript.TestScript, s *testServer, outFile, errFile, logFile string, seen int64) string {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		log, _ := os.ReadFile(logFile)
		if int64(len(log)) >= seen {
			log = log[seen:]
		}
		out, _ := os.ReadFile(outFile)
		errs, _ := os.ReadFile(errFile)
		for _, text := range [][]byte{out, errs, log} {
			if m := bootLine.FindSubmatch(text); m != nil {
				return string(m[1])
			}
		}
		select {
		case <-s.ended:
			ts.Fatalf("it ended: %v\n%s%s%s", s.cmd.ProcessState, out, errs, log)
		default:
		}
	}
	ts.Fatalf("no boot line within %v", patience)
	return ""
}

var signalsByName = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP,
	"QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE, "ABRT": syscall.SIGABRT,
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME SIGNAL")
	}
	sig, ok := signalsByName[args[1]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[1])
	}
	ts.Check(serverOf(ts, args[0]).cmd.Process.Signal(sig))
}

func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends NAME CODE|killed")
	}
	s := serverOf(ts, args[0])
	select {
	case <-s.ended:
	case <-time.After(patience):
		ts.Fatalf("%s still runs after %v", args[0], patience)
	}
	got := strconv.Itoa(s.cmd.ProcessState.ExitCode())
	if got == "-1" {
		got = "killed"
	}
	if got != args[1] {
		ts.Fatalf("%s ended with %s (%v), want %s", args[0], got, s.cmd.ProcessState, args[1])
	}
}

func cmdAlive(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts, args[0])
	time.Sleep(200 * time.Millisecond)
	select {
	case <-s.ended:
		ts.Fatalf("%s ended: %v", args[0], s.cmd.ProcessState)
	default:
	}
}

// cmdAsk expects success, or with a leading ! any other response code.
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: ask CODE [KEY=VALUE...] [body:TEXT]")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	var ext []string
	var body []byte
	for _, a := range args[1:] {
		if text, ok := strings.CutPrefix(a, "body:"); ok {
			// \n is a line feed; what is to arrive as a backslash and an n is \\n.
			body = []byte(strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(text))
			continue
		}
		k, v, _ := strings.Cut(a, "=")
		ext = append(ext, k, v)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := testkit.Dial(ctx, address(ts), testkit.ClientOptions{})
	ts.Check(err)
	defer c.Close()
	m, err := c.Call(ctx, int32(code), testkit.Ext(ext...), body)
	ts.Check(err)
	out := ts.Stdout()
	fmt.Fprintf(out, "code %d\nremark %s\n", m.Code, m.Remark)
	for _, k := range slices.Sorted(maps.Keys(m.Ext)) {
		fmt.Fprintf(out, "ext %s=%s\n", k, m.Ext[k])
	}
	fmt.Fprintf(out, "%s\n", m.Body)
	if (m.Code != 0) != neg {
		ts.Fatalf("code %d, remark %q", m.Code, m.Remark)
	}
}

func address(ts *testscript.TestScript) string {
	host := ts.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, ts.Getenv("PORT"))
}

func cmdProbe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: probe N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	// Programs for the kernel are loaded meanwhile, and that is said when it is done.
	tracing := regexp.MustCompile("(?m)^.*(the kernel reports|judged by samples).*\n")
	logged := func() string { return tracing.ReplaceAllString(ts.ReadFile(ts.Getenv("LOG")), "") }
	before := strings.Count(logged(), "\n")
	for range n {
		c, err := net.Dial("tcp", address(ts))
		ts.Check(err)
		ts.Check(c.Close())
	}
	cmdAsk(ts, false, []string{"206"}) // accepted after all of them
	time.Sleep(200 * time.Millisecond)
	text := logged()
	if lines := strings.Count(text, "\n") - before; lines > 1 {
		ts.Fatalf("%d lines for %d probes:\n%s", lines, n, text)
	}
}

func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: eventually FILE REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	var text []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, _ = os.ReadFile(path); re.Match(text) {
			return
		}
	}
	ts.Fatalf("%s never matched %s:\n%s", args[0], args[1], text)
}

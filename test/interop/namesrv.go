package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// NamesrvKind is who serves the routes.
type NamesrvKind string

// The two name servers. JavaNamesrv is the 5.5.0 one.
const (
	Pharos      NamesrvKind = "pharos"
	JavaNamesrv NamesrvKind = "java"
)

// Subject is the name server under test: Pharos, unless PHAROS_INTEROP_SUBJECT says java
// (which shows that a test itself is sound).
func Subject(tb testing.TB) NamesrvKind {
	tb.Helper()
	switch s := NamesrvKind(os.Getenv(envSubject)); s {
	case "", Pharos:
		return Pharos
	case JavaNamesrv:
		return JavaNamesrv
	default:
		tb.Fatalf("%s=%s: want pharos or java", envSubject, s)
		return ""
	}
}

// NamesrvOptions says how to start a name server. The zero value is right for most tests.
type NamesrvOptions struct {
	Name string   // names the log; default: the kind
	Port int      // default: a free one
	Home string   // ROCKETMQ_HOME and user home; default: a fresh folder
	Conf []string // more key=value lines for the -c file, when Home has none yet
}

// Namesrv is a running name server.
type Namesrv struct {
	Kind NamesrvKind
	Port int
	Home string
	*Proc
}

// Addr is the address clients are given.
func (n *Namesrv) Addr() string { return fmt.Sprintf("127.0.0.1:%d", n.Port) }

// Addrs is the address list of several servers, as clients take it.
func Addrs(servers ...*Namesrv) string {
	list := make([]string, len(servers))
	for i, s := range servers {
		list[i] = s.Addr()
	}
	return strings.Join(list, ";")
}

// StartNamesrv starts a name server and waits until it serves.
func StartNamesrv(tb testing.TB, kind NamesrvKind, o NamesrvOptions) *Namesrv {
	tb.Helper()
	if o.Name == "" {
		o.Name = "namesrv-" + string(kind)
	}
	if o.Port == 0 {
		o.Port = freePort(tb)
	}
	if o.Home == "" {
		o.Home = tb.TempDir()
	}
	conf := filepath.Join(o.Home, "conf", "namesrv.properties")
	if _, err := os.Stat(conf); err != nil {
		lines := append([]string{
			fmt.Sprintf("listenPort=%d", o.Port),
			"bindAddress=127.0.0.1",
			"kvConfigPath=" + filepath.Join(o.Home, "namesrv", "kvConfig.json"),
			"adminListen=", // Pharos' HTTP port, off; Java keeps keys it does not know
		}, o.Conf...)
		writeFile(tb, conf, strings.Join(lines, "\n")+"\n")
	}
	n := &Namesrv{Kind: kind, Port: o.Port, Home: o.Home}
	var spec procSpec
	if kind == JavaNamesrv {
		spec = javaNamesrvSpec(tb, o.Name, o.Home, conf)
	} else {
		spec = pharosSpec(tb, o.Home, conf)
	}
	spec.Name = o.Name
	n.Proc = startProc(tb, spec)
	if err := n.AwaitListening(tb.Context(), n.Addr(), 2*time.Minute); err != nil {
		tb.Fatal(err)
	}
	return n
}

// Succeed starts a name server of the given kind on the port and with the files of n, which
// must have ended.
func (n *Namesrv) Succeed(tb testing.TB, kind NamesrvKind, name string) *Namesrv {
	tb.Helper()
	if !n.Exited() {
		tb.Fatalf("%s still runs", n.Name)
	}
	return StartNamesrv(tb, kind, NamesrvOptions{Name: name, Port: n.Port, Home: n.Home})
}

func javaNamesrvSpec(tb testing.TB, name, home, conf string) procSpec {
	tb.Helper()
	return ResolveJava(tb, V550).command(tb, jvm{
		Name: name, HeapMB: 256, Home: home, ShortLived: true,
		Class: "org.apache.rocketmq.namesrv.NamesrvStartup",
		Args:  []string{"-c", conf},
		Env:   []string{"ROCKETMQ_HOME=" + home},
	})
}

func pharosSpec(tb testing.TB, home, conf string) procSpec {
	tb.Helper()
	binary, err := buildNamesrv()
	if err != nil {
		tb.Fatal(err)
	}
	return procSpec{
		Path: binary, Args: []string{"-c", conf}, Dir: home,
		Env: []string{"ROCKETMQ_HOME=" + home, "HOME=" + home},
	}
}

// buildNamesrv and buildNsctl build build/namesrv and build/nsctl from the work tree, once
// per run.
var (
	buildNamesrv = sync.OnceValues(func() (string, error) { return buildCommand("namesrv") })
	buildNsctl   = sync.OnceValues(func() (string, error) { return buildCommand("nsctl") })
)

func buildCommand(name string) (string, error) {
	binary := filepath.Join(repoRoot(), "build", name)
	Progress("building build/%s", name)
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/"+name)
	cmd.Dir = repoRoot()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ./cmd/%s: %w\n%s", name, err, out)
	}
	return binary, nil
}

func writeFile(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

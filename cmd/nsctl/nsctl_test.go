package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/server"
)

// startServer starts a name server on a free port and returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	return startServerAt(t, "127.0.0.1")
}

func startServerAt(t *testing.T, bindAddress string) string {
	t.Helper()
	srv, err := server.New(server.Options{BindAddress: bindAddress}, server.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return srv.Addr().String()
}

// nsctl runs the command as a shell would.
func nsctl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), env{args, func(string) string { return "" }, &out, &errs})
	return code, out.String(), errs.String()
}

// startDemo runs the demo broker until the returned function is called, which reports how
// it ended.
func startDemo(t *testing.T, addr string) (stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	type end struct {
		code   int
		stderr string
	}
	ended := make(chan end, 1)
	go func() {
		var out, errs bytes.Buffer
		code := run(ctx, env{[]string{"-n", addr, "demo"}, func(string) string { return "" }, &out, &errs})
		ended <- end{code, errs.String()}
	}()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if code, _, _ := nsctl(t, "-n", addr, "route", "TopicTest"); code == exitOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the demo broker's topic has no route after 5 s")
		}
	}
	return func() (int, string) {
		cancel()
		e := <-ended
		return e.code, e.stderr
	}
}

func TestLooksAtAServerWithADemoBroker(t *testing.T) {
	addr := startServer(t)
	stop := startDemo(t, addr)
	f := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := nsctl(t, append([]string{"-n", addr}, args...)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("nsctl %v: exit %d, %s%s; want %q in it", args, code, stdout, stderr, want)
		}
	}
	f("demo-broker  DemoCluster  4            4             RW-   0=127.0.0.1:10911", "route", "TopicTest")
	f("DemoCluster  1       1        demo-broker", "clusters")
	f("DemoCluster  demo-broker  0   127.0.0.1:10911", "brokers")
	f("TopicTest", "topics")
	if code, stderr := stop(); code != exitOK {
		t.Errorf("demo ended with %d: %s", code, stderr)
	}
	if code, _, stderr := nsctl(t, "-n", addr, "route", "TopicTest"); code != exitError || !strings.Contains(stderr, "17") {
		t.Errorf("after the demo the route is still there: %d %s", code, stderr)
	}
}

func TestJSONOutput(t *testing.T) {
	addr := startServer(t)
	defer startDemo(t, addr)()
	_, stdout, _ := nsctl(t, "brokers", "-n", addr, "-o", "json")
	var got []brokerRow
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(got) != 1 || got[0].Broker != "demo-broker" || got[0].Addr != "127.0.0.1:10911" {
		t.Errorf("brokers: %+v", got)
	}
}

func TestWrongCommandLines(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, stderr := nsctl(t, args...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("nsctl %v: exit %d, %q; want %q in it", args, code, stderr, want)
		}
	}
	f("usage: nsctl")
	f(`no command "rout"`, "rout")
	f("takes 1 arguments, not 0", "route")
	f("neither table nor json", "-o", "xml", "topics")
	f("not host:port", "-n", "10.0.0.1", "topics")
	f("empty", "-n", ";", "topics")
}

func TestUnreachableServerIsNamed(t *testing.T) {
	addr := unusedAddr(t)
	if code, _, stderr := nsctl(t, "-n", addr, "topics"); code != exitError || !strings.Contains(stderr, "no name server answers: "+addr) || !strings.Contains(stderr, "refused") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

// unusedAddr is an address nobody listens on.
func unusedAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Goal: of a list the first server that answers is asked, and a broker registers at all.
func TestListOfServers(t *testing.T) {
	gone, a, b := unusedAddr(t), startServer(t), startServer(t)
	defer startDemo(t, a+";"+b)()
	for _, list := range []string{a, b, gone + ";" + b, b + ";" + gone, a + "; " + b} {
		if code, stdout, stderr := nsctl(t, "-n", list, "clusters"); code != exitOK || !strings.Contains(stdout, "demo-broker") {
			t.Errorf("-n %s: exit %d, %s%s", list, code, stdout, stderr)
		}
	}
	code, stdout, stderr := nsctl(t, "-n", gone+";"+unusedAddr(t), "clusters")
	if code != exitError || stdout != "" || !strings.Contains(stderr, gone+": connect") {
		t.Errorf("a list of servers that are not there: exit %d, %s%s", code, stdout, stderr)
	}
}

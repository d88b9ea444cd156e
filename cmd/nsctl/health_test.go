package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/admin"
	"github.com/pharosmq/pharos/internal/connwatch"
	"github.com/pharosmq/pharos/internal/diag"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// startWatched starts a name server that watches its connections, and its admin port.
func startWatched(t *testing.T) (addr, adminAddr string) {
	t.Helper()
	addr, adminAddr, _, _ = startTraced(t, nil)
	return addr, adminAddr
}

// startTraced is startWatched with the kernel's events, unless tracer is nil. untrace ends
// them; it comes before w.Stop.
func startTraced(t *testing.T, tracer *bpf.Tracer) (addr, adminAddr string, w *connwatch.Watch, untrace func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w = connwatch.New(connwatch.Options{Mode: connwatch.Evict, Params: connhealth.DefaultParams(), Log: log})
	table := routetable.New(routetable.Options{})
	srv, err := server.New(server.Options{BindAddress: "127.0.0.1"}, server.Deps{Log: log, Table: table, Watcher: w})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	w.Start(srv, table)
	tracing, untrace := context.WithCancel(context.Background())
	if tracer != nil {
		w.Trace(tracing, tracer)
	}
	port, err := admin.Start(admin.Options{Listen: "127.0.0.1:0", Source: srv, Diagnosis: w, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = srv.Stop(ctx)
		untrace()
		w.Stop()
		_ = port.Stop(ctx)
	})
	return srv.Addr().String(), port.Addr().String(), w, untrace
}

// Goal: all the way from a socket's TCP_INFO to the operator's table.
func TestHealthOfARealServer(t *testing.T) {
	addr, adminAddr := startWatched(t)
	stop := startDemo(t, addr)
	defer stop()
	var list []diag.Conn
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		code, stdout, stderr := nsctl(t, "conns", "-role", "broker", "-o", "json", "-admin", adminAddr)
		if code != exitOK {
			t.Fatal(stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && list[0].Sampled && list[0].RTTMicros > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no sampled connection after 5 s: %s", stdout)
		}
	}
	c := list[0]
	if c.State != diag.StateOK || c.Identity() != "demo-broker/0@127.0.0.1:10911" || c.Language != "GO" || c.Version != 513 || !c.WindowKnown || c.DataSegsOut == 0 {
		t.Errorf("the broker's connection: %+v", c)
	}
	f := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := nsctl(t, append(args, "-n", addr, "-admin", adminAddr)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("nsctl %v: exit %d, %s%s; want %q in it", args, code, stdout, stderr, want)
		}
	}
	f("LIVE   0.", "brokers")
	f("now: ok, healthy", "conns", "explain", strconv.FormatUint(c.ID, 10))
	if code, _, stderr := nsctl(t, "conns", "dump", "-admin", adminAddr); code != exitError || !strings.Contains(stderr, "needs BPF") {
		t.Errorf("a dump without BPF: %d %s", code, stderr)
	}
}

func TestBrokersThatAreHidden(t *testing.T) {
	addr := startServer(t)
	defer startDemo(t, addr)()
	demo := diag.Broker{Cluster: "DemoCluster", Name: "demo-broker", ID: 0, Addr: "127.0.0.1:10911"}
	renamed := demo
	renamed.Name = "old-name"
	adminAddr, _ := adminPort(t, map[string]any{"/brokers": []diag.BrokerState{
		{Broker: demo, State: "live", Judged: "held", SinceMillis: 1200, Why: "doubtful_close", Class: "peer_silent"},
		{Broker: brokerA, State: "parked", Judged: "parked", SinceMillis: 70_000, Why: "silence", Class: "idle_silent", Strikes: 2},
		{Broker: renamed, State: "parked", Judged: "parked", SinceMillis: 5000, Why: "silence", Class: "peer_silent"},
	}})
	golden(t, `
CLUSTER      BROKER       ID  ADDRESS          ZONE  ACTING MASTER  STATE                 SINCE  WHY
c1           broker-a     0   10.0.0.1:10911         false          PARKED                70.0s  silence, idle_silent, 2 strikes
DemoCluster  demo-broker  0   127.0.0.1:10911        false          LIVE (would be HELD)  1.2s   doubtful_close, peer_silent
DemoCluster  old-name     0   127.0.0.1:10911        false          PARKED                5.0s   silence, peer_silent`,
		"brokers", "-n", addr, "-admin", adminAddr)
	golden(t, `
CLUSTER      BROKER       ID  ADDRESS          ZONE  ACTING MASTER
DemoCluster  demo-broker  0   127.0.0.1:10911        false`, "brokers", "-n", addr)
	code, stdout, stderr := nsctl(t, "brokers", "-n", addr, "-admin", "127.0.0.1:1")
	if code != exitOK || !strings.Contains(stdout, "demo-broker") || !strings.Contains(stderr, "states are not shown") {
		t.Errorf("an admin port that is not there: %d %s%s", code, stdout, stderr)
	}
}

// Goal: nobody is shown the states of another name server's brokers.
func TestWhoseAdminPort(t *testing.T) {
	f := func(server, admin, want string) {
		t.Helper()
		s := session{servers: strings.Split(server, ";"), admin: adminOptions{admin}}
		if got := s.ownAdmin(); got != want {
			t.Errorf("server %s, -admin %q: %q, want %q", server, admin, got, want)
		}
	}
	f("127.0.0.1:9876", "", adminDefault)
	f("localhost:9876", "", adminDefault)
	f("[::1]:9876", "", adminDefault)
	f("127.0.0.1:19876", "", "")
	f("10.0.0.1:9876", "", "")
	f("127.0.0.1:9876;10.0.0.1:9876", "", "")
	f("ns.example:9876", "", "")
	f("10.0.0.1:9876", "127.0.0.1:1", "127.0.0.1:1")
}

// Goal: from the kernel's own table of sockets to the operator's, with the broker's name; and
// nothing asks the tracer any more once the watch has stopped.
func TestPrivilegedDump(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: loading programs wants root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("NOT TESTED: this kernel has no BTF: ", err)
	}
	tracer, err := bpf.Open(bpf.Options{Mode: bpf.ModeOn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Close() })
	for _, m := range tracer.Missing() {
		if m.Hook == "iter/tcp" || m.Hook == "sk_storage" {
			t.Skip("NOT TESTED: ", m)
		}
	}
	addr, adminAddr, w, untrace := startTraced(t, tracer)
	defer startDemo(t, addr)()
	row := regexp.MustCompile(`(?m)^\d+ +broker +demo-broker/0@127\.0\.0\.1:10911 +` + regexp.QuoteMeta(addr) + ` .* established `)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		code, stdout, stderr := nsctl(t, "conns", "dump", "-admin", adminAddr)
		if code != exitOK {
			t.Fatal(stderr)
		}
		if row.MatchString(stdout) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no row of the broker after 5 s:\n%s", stdout)
		}
	}
	if h, err := w.Health(t.Context()); err != nil || h.Tracing != bpf.RunningEBPF || len(h.Retransmissions) == 0 {
		t.Errorf("numbers: %+v, %v", h, err)
	}
	untrace()
	w.Stop()
	if h, _ := w.Health(t.Context()); h.Tracing != bpf.RunningSampling {
		t.Errorf("the tracer is asked after the stop: %+v", h)
	}
}

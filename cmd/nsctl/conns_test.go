package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pharosmq/pharos/internal/diag"
)

var (
	brokerA = diag.Broker{Cluster: "c1", Name: "broker-a", ID: 0, Addr: "10.0.0.1:10911"}
	brokerB = diag.Broker{Cluster: "c1", Name: "broker-b", ID: 1, Addr: "10.0.0.2:10911"}
)

var someConns = []diag.Conn{
	{ID: 1, Role: "broker", Brokers: []diag.Broker{brokerA}, Peer: "10.0.0.1:4001", State: "parked", Why: "idle_silent", SilentMillis: 6100,
		Unanswered: 7, HeardAgeMillis: 7250, AgeMillis: 3_600_000, Sampled: true, Probes: 7, WindowBytes: 64256, WindowKnown: true, RTTMicros: 412, LossOwn: 0.02},
	{ID: 2, Role: "broker", Brokers: []diag.Broker{brokerB}, Peer: "10.0.0.2:4002", State: "ok", Why: "lossy", HeardAgeMillis: 310,
		AgeMillis: 8_640_000_0, Sampled: true, UnackedSegs: 2, Retransmits: 1, WindowBytes: 501, WindowKnown: true, RTTMicros: 50_120, LossOwn: 0.064},
	{ID: 17, Role: "client", Peer: "10.0.0.9:52144", Language: "JAVA", Version: 513, State: "ok", Why: "healthy", HeardAgeMillis: 12_000, AgeMillis: 40_000,
		Sampled: true, RTTMicros: 900, LossOwn: 0.02},
	{ID: 18, Role: "client", Peer: "10.0.0.9:52145", State: "ok", Why: "healthy", AgeMillis: 100, LossOwn: 0.02},
}

// adminPort is an HTTP server that answers as an admin port does, and the questions it got.
func adminPort(t *testing.T, answers map[string]any) (addr string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.String())
		switch v := answers[r.URL.Path].(type) {
		case nil:
			http.Error(w, "there is no such connection", http.StatusNotFound)
		case error:
			http.Error(w, v.Error(), http.StatusNotImplemented)
		case string:
			fmt.Fprint(w, v)
		default:
			_ = json.NewEncoder(w).Encode(v)
		}
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), asked
}

func golden(t *testing.T, want string, args ...string) {
	t.Helper()
	code, stdout, stderr := nsctl(t, args...)
	if code != exitOK || stderr != "" {
		t.Fatalf("nsctl %v: exit %d, %s", args, code, stderr)
	}
	var got []string
	for line := range strings.Lines(stdout) {
		got = append(got, strings.TrimRight(line, " \n"))
	}
	if d := cmp.Diff(strings.Split(strings.Trim(want, "\n"), "\n"), got); d != "" {
		t.Errorf("nsctl %v (-want +got):\n%s", args, d)
	}
}

func TestTableOfConnections(t *testing.T) {
	addr, asked := adminPort(t, map[string]any{"/conns": someConns})
	golden(t, `
ID  ROLE    IDENTITY                   PEER            STATE   WHY          SILENT  HEARD  UNACKED  RTOS  PROBES  WINDOW  RTT     LOSS  AGE
1   broker  broker-a/0@10.0.0.1:10911  10.0.0.1:4001   parked  idle_silent  6.1s    7.2s   0        0     7       64256   0.4ms   2.0%  60m
2   broker  broker-b/1@10.0.0.2:10911  10.0.0.2:4002   ok      lossy        0s      0.3s   2        1     0       501     50.1ms  6.4%  24h
17  client  JAVA/513                   10.0.0.9:52144  ok      healthy      0s      12.0s  0        0     0       ?       0.9ms   2.0%  40.0s
18  client                             10.0.0.9:52145  ok      healthy      0s      0s     ?        ?     ?       ?       ?       2.0%  0.1s`,
		"conns", "-admin", addr)
	if got := *asked; len(got) != 1 || got[0] != "/conns" {
		t.Errorf("asked %q", got)
	}
}

func TestConnectionsSortedAndFiltered(t *testing.T) {
	addr, asked := adminPort(t, map[string]any{"/conns": someConns})
	f := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := nsctl(t, append([]string{"conns", "-o", "json", "-admin", addr}, args...)...)
		var list []diag.Conn
		if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != exitOK {
			t.Fatalf("%v: %d %v %s", args, code, err, stderr)
		}
		got := ""
		for _, c := range list {
			got += fmt.Sprint(c.ID, " ")
		}
		if got != want {
			t.Errorf("%v: %s, want %s", args, got, want)
		}
	}
	f("1 2 17 18 ")
	f("18 17 2 1 ", "-sort", "-id")
	f("2 1 17 18 ", "-sort", "age")
	f("18 17 1 2 ", "-sort", "-age")
	f("17 1 2 18 ", "-sort", "heard")
	f("2 1 17 18 ", "-sort", "loss")
	f("2 17 18 1 ", "-sort", "STATE")
	*asked = nil
	f("1 2 17 18 ", "-suspect", "-role", "broker", "-broker", "a&b", "-peer", "10.")
	if got := *asked; len(got) != 1 || got[0] != "/conns?broker=a%26b&peer=10.&role=broker&suspect=true" {
		t.Errorf("asked %q", got)
	}
	if code, _, stderr := nsctl(t, "conns", "-admin", addr, "-sort", "colour"); code != exitError || !strings.Contains(stderr, "unacked") {
		t.Errorf("a column that is not there: %d %s", code, stderr)
	}
}

func TestWatchShowsAgainUntilInterrupted(t *testing.T) {
	addr, asked := adminPort(t, map[string]any{"/conns": someConns})
	ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond)
	defer cancel()
	var out strings.Builder
	code := run(ctx, env{[]string{"conns", "--watch", "-interval", "1ms", "-admin", addr}, func(string) string { return "" }, &out, &out})
	if code != exitOK || len(*asked) < 3 || len(*asked) > 6 || strings.Count(out.String(), "\x1b[2J") < 3 {
		t.Errorf("exit %d, asked %d times:\n%s", code, len(*asked), out.String())
	}
}

func TestExplanation(t *testing.T) {
	why := diag.Why{
		Class: "idle_silent", Rule: "silence", SilentMillis: 4610, UnansweredMillis: 4610, Unanswered: 6, HeardAgeMillis: 5700, AckAgeMillis: 5700,
		DataAgeMillis: 20_100, Probes: 6, WindowBytes: 64256, SoftError: "no route to host", RTTMicros: 412, LossOwn: 0.02, LossGlobal: 0.031, Phi: 10.19,
		ThresholdMillis: 4100, WitnessAgeMillis: 300, Freeze: "none", DialBack: "timeout", DialBackAge: 900, Strikes: 1,
		Timeline: []diag.Transmission{
			{BeforeMillis: 4610, Class: "probe", RTOMillis: 204}, {BeforeMillis: 60, Class: "local_failure", Error: "operation not permitted"}},
	}
	held := diag.Why{Class: "peer_silent", Rule: "doubtful_close", WitnessAgeMillis: -1, Freeze: "partial", DialBack: "none",
		Close: &diag.Close{How: "reset", SilenceMillis: 3200, LateMillis: 100, Mass: true}}
	at := time.Date(2026, 11, 22, 4, 11, 2, 123e6, time.UTC)
	report := diag.ConnReport{Conn: &someConns[0], Why: &diag.Why{Freeze: "none", DialBack: "none", WitnessAgeMillis: -1}, Evidence: []diag.Evidence{
		{ID: 7, Time: at, Mode: "observe", Action: "park", Conn: 1, Broker: &brokerA, Why: why},
		{ID: 9, Time: at.Add(time.Second), Mode: "evict", Action: "hold", Conn: 3, Broker: &brokerA, HoldMillis: 4000, Why: held},
	}}
	addr, _ := adminPort(t, map[string]any{"/conns/1": report, "/conns/3": diag.ConnReport{}})
	golden(t, `
connection 1: broker broker-a/0@10.0.0.1:10911, peer 10.0.0.1:4001, open for 60m
now: parked, idle_silent

#7 2026-11-22 04:11:02.123 PARK broker-a/0@10.0.0.1:10911 by rule silence, idle_silent (observed only: nothing was done)
  silent 4.6s of 4.1s (tested), without an answer 4.6s, 6 transmissions unanswered, phi 10.2
  heard 5.7s ago, acknowledgement 5.7s, data 20.1s; RTT 0.4ms, loss to this host 2.0%, to all 3.1%
  in flight 0 segments, 0 time-outs in a row, 6 probes unanswered, window 64256
  another host was heard 0.3s ago; dial-back timeout 0.9s ago; 1 contradicted verdicts double its thresholds; the network says: no route to host
  transmissions:
     -4.610s  probe            rto 204ms
     -0.060s  local_failure                operation not permitted

#9 2026-11-22 04:11:03.123 HOLD broker-a/0@10.0.0.1:10911 by rule doubtful_close, peer_silent, connection 3, for at most 4.0s
  freeze: partial
  closed by reset; before it, unanswered for up to 3.2s, our answers late by up to 0.1s, one of many at once`,
		"conns", "explain", "1", "-admin", addr)
	golden(t, "connection 3 is closed\n\nnothing was decided about it", "conns", "explain", "3", "-admin", addr)
	if code, _, stderr := nsctl(t, "conns", "explain", "4", "-admin", addr); code != exitError || !strings.Contains(stderr, "no such connection") {
		t.Errorf("unknown: %d %s", code, stderr)
	}
	if code, _, stderr := nsctl(t, "conns", "explain", "x", "-admin", addr); code != exitError || !strings.Contains(stderr, `"x" is no connection's id`) {
		t.Errorf("no id: %d %s", code, stderr)
	}
	if code, _, _ := nsctl(t, "conns", "explain", "-admin", addr); code != exitUsage {
		t.Errorf("without an id: %d", code)
	}
}

func TestDumpOfSockets(t *testing.T) {
	addr, _ := adminPort(t, map[string]any{"/conns/dump": diag.Dump{Sockets: []diag.Socket{
		{Conn: 2, Role: "client", Local: "10.9.9.9:9876", Remote: "10.0.0.9:1", State: "fin_wait1", Orphan: true, Timer: "retransmission",
			UnackedBytes: 1, Retransmits: 3, RTTMicros: 400, RTOMillis: 1000, TotalRetrans: 4, AckAgeMillis: 3500, DataAgeMillis: 9000, SoftError: "no route to host"},
		{Conn: 1, Role: "broker", Brokers: []diag.Broker{brokerA}, Local: "10.9.9.9:9876", Remote: "10.0.0.1:4001", State: "established", Timer: "none", WindowBytes: 64256, RTOMillis: 204},
	}}})
	golden(t, `
CONN  ROLE    IDENTITY                   LOCAL          REMOTE         STATE                    TIMER           UNACKED  UNSENT  UNREAD  RTOS  PROBES  WINDOW  RTT    RTO     RESENT  ACK   DATA  ERROR
1     broker  broker-a/0@10.0.0.1:10911  10.9.9.9:9876  10.0.0.1:4001  established              none            0        0       0       0     0       64256   0.0ms  204ms   0       0s    0s
2     client                             10.9.9.9:9876  10.0.0.9:1     fin_wait1 (closed here)  retransmission  1        0       0       3     0       0       0.4ms  1000ms  4       3.5s  9.0s  no route to host`,
		"conns", "dump", "-admin", addr)
	lacking, _ := adminPort(t, map[string]any{"/conns/dump": fmt.Errorf("%w, and nothing is traced: CAP_BPF missing", diag.ErrNoDump)})
	if code, _, stderr := nsctl(t, "conns", "dump", "-admin", lacking); code != exitError || !strings.Contains(stderr, "needs BPF, and nothing is traced: CAP_BPF missing") {
		t.Errorf("without BPF: %d %s", code, stderr)
	}
}

func TestAdminPortThatFails(t *testing.T) {
	if code, _, stderr := nsctl(t, "conns", "-admin", "127.0.0.1:1"); code != exitError || !strings.Contains(stderr, "adminListen") {
		t.Errorf("nobody there: %d %s", code, stderr)
	}
	cut, _ := adminPort(t, map[string]any{"/conns": `[{"id":1},`})
	if code, stdout, stderr := nsctl(t, "conns", "-admin", cut); code != exitError || stdout != "" || !strings.Contains(stderr, cut) {
		t.Errorf("an answer that was cut off: %d %q %s", code, stdout, stderr)
	}
	odd, _ := adminPort(t, map[string]any{"/conns": `{"a":1}`})
	if code, _, stderr := nsctl(t, "conns", "-admin", odd); code != exitError || !strings.Contains(stderr, "not a list") {
		t.Errorf("another answer: %d %s", code, stderr)
	}
}

func TestSpan(t *testing.T) {
	f := func(millis int64, want string) {
		t.Helper()
		if got := span(millis); got != want {
			t.Errorf("span(%d) = %s, want %s", millis, got, want)
		}
	}
	f(-1, "never")
	f(0, "0s")
	f(40, "0.0s")
	f(99_900, "99.9s")
	f(100_000, "1m")
	f(5_999_000, "99m")
	f(6_000_000, "1h")
	f(359_999_000, "99h")
	f(360_000_000, "4d")
}

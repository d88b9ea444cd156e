package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pharosmq/pharos/internal/diag"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fakeDiagnosis answers what the test says.
type fakeDiagnosis struct {
	conns     int
	connsErr  error // after conns rows
	asked     diag.ConnFilter
	after     uint64
	brokers   error
	dump      error
	health    diag.Health
	healthErr error
	enter     chan struct{} // told when a question about brokers arrives, if not nil
	leave     chan struct{}
}

func (f *fakeDiagnosis) Conns(_ context.Context, filter *diag.ConnFilter, yield func(*diag.Conn) error) error {
	f.asked = *filter
	for i := range f.conns {
		if err := yield(&diag.Conn{ID: uint64(i + 1), Role: diag.RoleClient, Peer: "10.0.0.1:1"}); err != nil {
			return err
		}
	}
	return f.connsErr
}

func (f *fakeDiagnosis) Conn(_ context.Context, id uint64) (diag.ConnReport, error) {
	if id != 7 {
		return diag.ConnReport{}, diag.ErrNoConn
	}
	return diag.ConnReport{Conn: &diag.Conn{ID: 7}}, nil
}

func (f *fakeDiagnosis) Evidence(after uint64) diag.EvidencePage {
	f.after = after
	return diag.EvidencePage{Next: 12, Missed: 3, Entries: []diag.Evidence{{ID: 12, Action: "park"}}}
}

func (f *fakeDiagnosis) Brokers(context.Context) ([]diag.BrokerState, error) {
	if f.enter != nil {
		f.enter <- struct{}{}
		<-f.leave
	}
	return []diag.BrokerState{{Broker: diag.Broker{Name: "broker-a"}, State: "held"}}, f.brokers
}

func (f *fakeDiagnosis) Dump(context.Context) (diag.Dump, error) { return diag.Dump{}, f.dump }

func (f *fakeDiagnosis) Health(context.Context) (diag.Health, error) { return f.health, f.healthErr }

func testHandler(d Diagnosis) http.Handler {
	return handler(Options{Source: idleSource{}, Diagnosis: d, Log: slog.New(slog.DiscardHandler)})
}

// idleSource is a server that is asked for nothing but diagnoses.
type idleSource struct{ Source }

func (idleSource) Computing() func() { return func() {} }

// from is a request as it arrives at 127.0.0.1:9877 or, of another interface, at 10.0.0.9:9877.
func from(peer, host, path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	local := net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9877})
	if !strings.HasPrefix(peer, "127.") {
		local = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 9877}
	}
	r.RemoteAddr, r.Host = peer, host
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
}

func answer(d Diagnosis, path string) (int, string) {
	w := httptest.NewRecorder()
	testHandler(d).ServeHTTP(w, from("127.0.0.1:5000", "127.0.0.1:9877", path))
	return w.Code, w.Body.String()
}

func TestAnswersAboutConnections(t *testing.T) {
	f := func(d *fakeDiagnosis, path string, status int, want string) {
		t.Helper()
		if got, text := answer(d, path); got != status || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %d with %q", path, got, text, status, want)
		}
	}
	f(&fakeDiagnosis{}, "/conns", 200, "[]")
	f(&fakeDiagnosis{}, "/conns/7", 200, `"id":7`)
	f(&fakeDiagnosis{}, "/conns/8", 404, "no such connection")
	f(&fakeDiagnosis{}, "/conns/x", 400, "no connection's id")
	f(&fakeDiagnosis{}, "/conns/0", 400, "no connection's id")
	f(&fakeDiagnosis{}, "/conns/dump", 200, `"sockets"`)
	f(&fakeDiagnosis{dump: fmt.Errorf("%w: CAP_BPF missing", diag.ErrNoDump)}, "/conns/dump", 501, "CAP_BPF missing")
	f(&fakeDiagnosis{}, "/brokers", 200, `"state":"held"`)
	f(&fakeDiagnosis{brokers: diag.ErrBusy}, "/brokers", 503, "in time")
	f(&fakeDiagnosis{}, "/evidence?after=9", 200, `"next":12,"missed":3`)
	f(&fakeDiagnosis{}, "/evidence?after=-1", 400, "after=-1")
	f(&fakeDiagnosis{connsErr: diag.ErrNotJudging}, "/conns", 503, "not judged")
	for _, bad := range []string{"role=listener", "suspect=perhaps", "limit=0", "limit=many"} {
		f(&fakeDiagnosis{}, "/conns?"+bad, 400, bad)
	}
	if status, text := answer(nil, "/conns"); status != 503 || !strings.Contains(text, "connectionHealth=off") {
		t.Errorf("not watched: %d %s", status, text)
	}
}

func TestFilterReachesTheWatch(t *testing.T) {
	d := &fakeDiagnosis{}
	if status, text := answer(d, "/conns?role=broker&suspect=true&broker=a%26b&peer=10.0.&limit=5"); status != 200 {
		t.Fatal(status, text)
	}
	want := diag.ConnFilter{Role: "broker", Suspect: true, Broker: "a&b", Peer: "10.0.", Limit: 5}
	if diff := cmp.Diff(want, d.asked); diff != "" {
		t.Error(diff)
	}
	if _, _ = answer(d, "/evidence?after=18446744073709551615"); d.after != 1<<64-1 {
		t.Errorf("after %d", d.after)
	}
}

func TestManyConnectionsAreOneArray(t *testing.T) {
	_, text := answer(&fakeDiagnosis{conns: 18_000}, "/conns")
	var list []diag.Conn
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 18_000 || list[17_999].ID != 18_000 {
		t.Errorf("%d rows, %v", len(list), err)
	}
}

// Goal: half a list is never taken for a whole one.
func TestListThatFailsIsCutOff(t *testing.T) {
	srv := httptest.NewServer(testHandler(&fakeDiagnosis{conns: 1000, connsErr: errors.New("gone")}))
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/conns")
	if err != nil {
		return // cut off before the first byte arrived
	}
	defer resp.Body.Close()
	var list []diag.Conn
	if err := json.NewDecoder(resp.Body).Decode(&list); err == nil {
		t.Errorf("a list of %d rows that nobody finished", len(list))
	}
}

// Goal: what names peers is for processes of this machine, and not for web pages that found a
// name for it.
func TestOnlyThisMachineIsTold(t *testing.T) {
	f := func(peer, host string, want int) {
		t.Helper()
		for _, path := range []string{"/conns", "/conns/7", "/conns/dump", "/brokers", "/evidence"} {
			w := httptest.NewRecorder()
			testHandler(&fakeDiagnosis{}).ServeHTTP(w, from(peer, host, path))
			if w.Code != want {
				t.Errorf("%s from %s for %s: %d, want %d", path, peer, host, w.Code, want)
			}
		}
	}
	f("127.0.0.1:5000", "127.0.0.1:9877", 200)
	f("127.0.0.1:5000", "localhost:9877", 200)
	f("127.0.0.1:5000", "localhost", 200)
	f("10.0.0.9:5000", "10.0.0.9:9877", 200) // our own address
	f("10.0.0.8:5000", "10.0.0.9:9877", 403)
	f("127.0.0.1:5000", "attacker.example:9877", 403)
	w := httptest.NewRecorder()
	testHandler(&fakeDiagnosis{}).ServeHTTP(w, from("10.0.0.8:5000", "10.0.0.9:9877", "/healthz"))
	if w.Code != 200 {
		t.Errorf("/healthz from elsewhere: %d", w.Code)
	}
}

func TestQuestionsAtOnceAreBounded(t *testing.T) {
	d := &fakeDiagnosis{enter: make(chan struct{}), leave: make(chan struct{})}
	h := testHandler(d)
	ask := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from("127.0.0.1:5000", "127.0.0.1:9877", "/brokers"))
		return w.Code
	}
	codes := make(chan int, questionsMax)
	for range questionsMax {
		go func() { codes <- ask() }()
		<-d.enter
	}
	if code := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", code)
	}
	close(d.leave)
	for range questionsMax {
		if code := <-codes; code != 200 {
			t.Errorf("within the bound: %d", code)
		}
	}
}

// healthOnly collects nothing but the health of connections.
type healthOnly struct {
	h   diag.Health
	all bool
}

func (c healthOnly) Describe(ch chan<- *prometheus.Desc) { newCollector(nil, nil).Describe(ch) }
func (c healthOnly) Collect(ch chan<- prometheus.Metric) { collectHealth(ch, &c.h, c.all) }

func TestMetricsOfHealth(t *testing.T) {
	d := diag.Detection{Role: "broker", Class: "peer_silent"}
	d.Observe(4.6)
	d.Observe(500)
	h := diag.Health{
		Mode: "evict", Tracing: "ebpf", Suspects: []diag.SuspectCount{{Role: "client", Class: "one_way", N: 3}},
		Parks: map[string]uint64{"silence": 2}, Contradicted: 1, FreezeSeconds: map[string]float64{"full": 1.5},
		Detections: []diag.Detection{d}, Retransmissions: []diag.Retransmissions{{Role: "broker", Type: "timeout", N: 9}}, EventsLost: 4,
		Programs: []diag.Program{{Hook: "tcp_receive_reset", Runs: 5, Seconds: 2e-6}},
	}
	want := `
# HELP rocketmq_namesrv_broker_verdicts_contradicted_total Brokers hidden by evidence of the path that proved to live within 30 s.
# TYPE rocketmq_namesrv_broker_verdicts_contradicted_total counter
rocketmq_namesrv_broker_verdicts_contradicted_total 1
# HELP rocketmq_namesrv_connections_suspect Connections on which transmissions of ours are unanswered now.
# TYPE rocketmq_namesrv_connections_suspect gauge
rocketmq_namesrv_connections_suspect{class="one_way",role="client"} 3
# HELP rocketmq_namesrv_tcp_program_run_seconds_total Time those runs took.
# TYPE rocketmq_namesrv_tcp_program_run_seconds_total counter
rocketmq_namesrv_tcp_program_run_seconds_total{hook="tcp_receive_reset"} 2e-06
# HELP rocketmq_namesrv_tcp_program_runs_total Runs of the BPF program at a hook, for any process. Only while the kernel counts them (kernel.bpf_stats_enabled=1).
# TYPE rocketmq_namesrv_tcp_program_runs_total counter
rocketmq_namesrv_tcp_program_runs_total{hook="tcp_receive_reset"} 5
# HELP rocketmq_namesrv_tcp_retransmissions_total Segments sent again, by the role of their connection and why. Only with tracing.
# TYPE rocketmq_namesrv_tcp_retransmissions_total counter
rocketmq_namesrv_tcp_retransmissions_total{role="broker",type="timeout"} 9
# HELP rocketmq_namesrv_verdict_freeze_seconds_total Time in which verdicts were slower or none, by level.
# TYPE rocketmq_namesrv_verdict_freeze_seconds_total counter
rocketmq_namesrv_verdict_freeze_seconds_total{level="full"} 1.5
`
	names := []string{"broker_verdicts_contradicted_total", "connections_suspect", "tcp_program_run_seconds_total", "tcp_program_runs_total", "tcp_retransmissions_total", "verdict_freeze_seconds_total"}
	for i := range names {
		names[i] = namespace + "_" + names[i]
	}
	if err := testutil.CollectAndCompare(healthOnly{h, true}, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(healthOnly{h, false}, names[:2]...); n != 0 {
		t.Errorf("%d counters that nobody could ask for are shown", n)
	}
	m := prometheus.NewPedanticRegistry()
	m.MustRegister(healthOnly{h, true})
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == namespace+"_detection_seconds" {
			b := f.GetMetric()[0].GetHistogram()
			if b.GetSampleCount() != 2 || b.GetBucket()[5].GetCumulativeCount() != 0 || b.GetBucket()[6].GetCumulativeCount() != 1 || b.GetBucket()[18].GetCumulativeCount() != 1 {
				t.Errorf("%v", b)
			}
			return
		}
	}
	t.Error("there is no detection_seconds")
}

func TestLabelOfAKernelsText(t *testing.T) {
	if got := label(strings.Repeat("ä", 300)); len(got) > reasonMax || !strings.HasPrefix(got, "ää") {
		t.Errorf("%d bytes", len(got))
	}
	if got := label("a\xffb"); got != "ab" {
		t.Errorf("%q", got)
	}
}

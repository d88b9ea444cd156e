package admin

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/server"
	"github.com/prometheus/client_golang/prometheus"
)

// startAll starts a name server and the admin port over it, on free ports.
func startAll(t *testing.T) (srv *server.Server, get func(path string) (int, string)) {
	t.Helper()
	srv, err := server.New(server.Options{BindAddress: "127.0.0.1"}, server.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := Start(Options{Listen: "127.0.0.1:0", Source: srv, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := port.Stop(ctx); err != nil {
			t.Error(err)
		}
		_ = srv.Stop(ctx)
	})
	return srv, func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + port.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
}

// ask sends one request and waits for its answer.
func ask(t *testing.T, c net.Conn, h codec.Header, body []byte) {
	t.Helper()
	h.Version = codec.Version5_5_0
	if _, err := c.Write(codec.AppendCommand(nil, codec.SerializeJSON, &h, body)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
}

// work is a broker that registers and a client that finds one topic and misses another.
func work(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	body := codec.RegisterBody{
		DataVersion: codec.DataVersion{Timestamp: 1},
	}
	for _, topic := range []string{"TopicTest", "broker-a"} {
		name := []byte(topic)
		body.Topics = append(body.Topics, codec.TopicConfig{Name: name, Key: name, ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6})
	}
	ask(t, c, codec.Header{Code: codec.CodeRegisterBroker, Ext: []codec.ExtField{
		{Key: "brokerName", Value: "broker-a"}, {Key: "brokerAddr", Value: "127.0.0.1:10911"},
		{Key: "clusterName", Value: "c1"}, {Key: "brokerId", Value: "0"}, {Key: "haServerAddr", Value: "127.0.0.1:10912"},
	}}, codec.AppendRegisterBody(nil, &body, codec.Version5_5_0))
	for _, topic := range []string{"TopicTest", "Missing"} {
		ask(t, c, codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}, nil)
	}
}

func TestMetricsOfAWorkingServer(t *testing.T) {
	srv, get := startAll(t)
	work(t, srv.Addr().String())
	status, text := get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("status %d:\n%s", status, text)
	}
	for _, line := range []string{
		`rocketmq_namesrv_requests_total{code="103",name="REGISTER_BROKER",result="success"} 1`,
		`rocketmq_namesrv_route_answers_total{answer="found"} 1`,
		`rocketmq_namesrv_route_answers_total{answer="missing"} 1`,
		`rocketmq_namesrv_route_answers_total{answer="refused"} 0`,
		`rocketmq_namesrv_connections{role="broker"} 1`,
		`rocketmq_namesrv_connections{role="client"} 0`,
		`rocketmq_namesrv_table_entries{kind="topic"} 2`,
		`rocketmq_namesrv_brokers{state="live"} 1`,
		`rocketmq_namesrv_brokers_late 0`,
		`rocketmq_namesrv_registrations_total{outcome="changed"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if !regexp.MustCompile(`broker_heartbeat_age_seconds\{addr="127.0.0.1:10911",broker="broker-a",cluster="c1",id="0"\} \d`).MatchString(text) {
		t.Error("the broker's heartbeat age is missing")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	srv, get := startAll(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, text := get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz after the server stopped: %d %s", status, text)
	}
	if status, text := get("/readyz"); status != http.StatusServiceUnavailable || strings.TrimSpace(text) == "" {
		t.Errorf("/readyz after the server stopped: %d %q, want 503 and a reason", status, text)
	}
}

// Goal: who asks in a way that is not known is told which is. Method: POST to each page.
func TestOnlyGetIsAnswered(t *testing.T) {
	h := handler(Options{Source: idleSource{}, Log: slog.New(slog.DiscardHandler)})
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/conns", "/brokers", "/evidence"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusMethodNotAllowed || !strings.Contains(w.Header().Get("Allow"), http.MethodGet) {
			t.Errorf("POST %s: %d, Allow: %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestBusyPortIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Start(Options{Listen: l.Addr().String(), Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name %s", err, l.Addr())
	}
}

// Goal: no metric without a description for operators, none described that is gone.
func TestDocsNameEveryMetric(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, namespace+"_"+m[1])
	}
	fq := regexp.MustCompile(`fqName: "([^"]+)"`)
	var made []string
	for _, d := range descs {
		made = append(made, fq.FindStringSubmatch(d.String())[1])
	}
	for _, name := range made {
		if !slices.Contains(documented, name) {
			t.Errorf("docs/metrics.md does not describe %s", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(made, name) {
			t.Errorf("docs/metrics.md describes %s, which does not exist", name)
		}
	}
}

// Goal: every metric that is described is valid, and none is sent that is not described.
func TestCollectorIsConsistent(t *testing.T) {
	srv, _ := startAll(t)
	work(t, srv.Addr().String())
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newCollector(srv, nil))
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestLate(t *testing.T) {
	f := func(ageMillis, timeoutMillis int64, want bool) {
		t.Helper()
		if got := late(ageMillis, timeoutMillis); got != want {
			t.Errorf("late(%d, %d) = %v", ageMillis, timeoutMillis, got)
		}
	}
	f(45_000, 120_000, false)
	f(45_001, 120_000, true)
	f(3_000, 10_000, false)
	f(4_000, 10_000, true)
}

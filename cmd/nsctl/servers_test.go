package main

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// registerBroker registers a broker that stays until the test ends.
func registerBroker(t *testing.T, addr string, o testkit.BrokerOptions, topics ...string) *testkit.Broker {
	t.Helper()
	b, err := testkit.DialBroker(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	var configs []codec.TopicConfig
	for _, topic := range topics {
		configs = append(configs, testkit.Topic(topic, 4))
	}
	b.SetTopics(configs...)
	if _, err := b.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// serversOf runs nsctl servers -o json.
func serversOf(t *testing.T, list string) (serversReport, int, string) {
	t.Helper()
	code, stdout, stderr := nsctl(t, "servers", "-n", list, "-o", "json")
	var report serversReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v in %s%s", err, stdout, stderr)
	}
	return report, code, stderr
}

// Goal: servers that know the same have the same digest, in whatever order it came to them.
func TestServersAsOne(t *testing.T) {
	a, b := startServer(t), startServer(t)
	brokers := []testkit.BrokerOptions{
		{Name: "broker-a", Addr: "10.0.0.1:10911", Zone: "east"},
		{Name: "broker-b", Addr: "10.0.0.2:10911"},
	}
	for i := range brokers {
		registerBroker(t, a, brokers[i], "T1", "T2", "T3")
		registerBroker(t, b, brokers[len(brokers)-1-i], "T3", "T2", "T1")
	}
	report, code, stderr := serversOf(t, a+";"+b)
	if code != exitOK || len(report.Servers) != 2 || len(report.Differences) != 0 {
		t.Fatalf("exit %d, %s, %+v", code, stderr, report)
	}
	first, second := report.Servers[0], report.Servers[1]
	if first.Server != a || first.Role != "in use" || second.Role != "stand-by" || !first.Reachable || !second.Reachable {
		t.Errorf("%+v", report.Servers)
	}
	if first.Digest == "" || first.Digest != second.Digest || first.Brokers != 2 || first.Topics < 3 || first.Topics != second.Topics || first.LatencyMillis <= 0 {
		t.Errorf("%+v", report.Servers)
	}
	digest := first.Digest
	registerBroker(t, a, testkit.BrokerOptions{Name: "broker-c", Addr: "10.0.0.3:10911"}, "T1", "T9")
	report, _, _ = serversOf(t, a+";"+b)
	if d := report.Servers[0].Digest; d == digest || report.Servers[1].Digest != digest {
		t.Errorf("after a change at the first: digests %s and %s, both were %s", d, report.Servers[1].Digest, digest)
	}
}

// Goal: the table says which server can't be asked, and what they answer differently.
func TestServersThatDiffer(t *testing.T) {
	a, b, gone := startServer(t), startServer(t), unusedAddr(t)
	registerBroker(t, a, testkit.BrokerOptions{Name: "broker-a", Addr: "10.0.0.1:10911"}, "T1", "T2")
	registerBroker(t, b, testkit.BrokerOptions{Name: "broker-a", Addr: "10.0.0.9:10911"}, "T1", "T2")
	registerBroker(t, b, testkit.BrokerOptions{Name: "broker-b", Addr: "10.0.0.2:10911"}, "T2", "T3")
	code, stdout, stderr := nsctl(t, "servers", "-n", strings.Join([]string{a, b, gone}, ";"))
	if code != exitError || !strings.Contains(stderr, "1 of 3 can't be asked, 4 answers differ") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	got := stdout
	for name, addr := range map[string]string{"A": a, "B": b, "GONE": gone} {
		got = strings.ReplaceAll(got, addr, name)
	}
	got = regexp.MustCompile(`\d+\.\d+ms`).ReplaceAllString(got, "1.00ms")
	got = regexp.MustCompile(`[0-9a-f]{12}`).ReplaceAllString(got, "DIGEST")
	got = regexp.MustCompile(` +`).ReplaceAllString(got, " ")
	want := `SERVER ROLE LATENCY TOPICS BROKERS DIGEST ERROR
A in use 1.00ms 2 1 DIGEST 
B stand-by 1.00ms 3 2 DIGEST 
GONE resting connect to GONE: dial tcp GONE: connect: connection refused

DIFFERENCE SERVER ANSWER
broker broker-a/0 A 10.0.0.1:10911 DefaultCluster
 B 10.0.0.9:10911 DefaultCluster
broker broker-b/0 A not there
 B 10.0.0.2:10911 DefaultCluster
topic T2 A broker-a r4 w4 RW-
 B broker-a r4 w4 RW-, broker-b r4 w4 RW-
topic T3 A not there
 B broker-b r4 w4 RW-
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Goal: a server that accepts and does not answer is named, within the time-out.
func TestServersOneOfWhichHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody accepts: the kernel does
	a := startServer(t)
	began := time.Now()
	code, stdout, stderr := nsctl(t, "servers", "-timeout", "2s", "-o", "json", "-n", l.Addr().String()+";"+a)
	var report serversReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*time.Second || took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if r := report.Servers; len(r) == 2 && (r[0].Role == "in use" || r[1].Role != "in use") {
		t.Errorf("roles of one that hangs and one that does not: %q and %q", r[0].Role, r[1].Role)
	}
	if code != exitError || len(report.Servers) != 2 || report.Servers[0].Reachable || !report.Servers[1].Reachable {
		t.Fatalf("exit %d, %s%s", code, stdout, stderr)
	}
	// Who finds out first, the request or whoever watches the connection, is chance.
	if e := report.Servers[0].Error; !strings.Contains(e, "no answer in time") && !strings.Contains(e, "nothing was heard for 2s") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// Goal: the table stays readable, and says what it leaves out.
func TestManyDifferences(t *testing.T) {
	a, b := startServer(t), startServer(t)
	var topics []string
	for i := range 60 {
		topics = append(topics, fmt.Sprintf("T%02d", i))
	}
	registerBroker(t, a, testkit.BrokerOptions{Name: "broker-a", Addr: "10.0.0.1:10911"}, topics...)
	registerBroker(t, b, testkit.BrokerOptions{Name: "broker-a", Addr: "10.0.0.1:10911"}, topics[:2]...)
	_, stdout, stderr := nsctl(t, "servers", "-n", a+";"+b)
	if !strings.Contains(stderr, "8 more differences") || !strings.Contains(stderr, "58 answers differ") || strings.Count(stdout, "not there") != 50 {
		t.Errorf("%s%s", stdout, stderr)
	}
}

// Goal: what no list of brokers shows is found in the routes.
func TestDifferences(t *testing.T) {
	of := func(server, queues, whole string) survey {
		return survey{server: server, topics: map[string]topicSays{"T": {queues, whole}}, brokers: map[string]string{"b/0": "1:1 c"}}
	}
	f := func(want string, surveys ...survey) {
		t.Helper()
		if got := fmt.Sprint(differences(surveys)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f("[]", of("a", "q", "w"), of("b", "q", "w"))
	f("[{topic T [{a q} {b r}]}]", of("a", "q", "w"), of("b", "r", "w"))
	f("[{topic T [{a w} {b v}]}]", of("a", "q", "w"), of("b", "q", "v"))
	f("[]", of("a", "q", "w"), survey{server: "b", err: errNotTold})
	f("[]")
}

package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// nsctlCases are what nsctl can look at, with the exit code and a part of the table that
// both servers have to give.
var nsctlCases = []struct {
	command string
	exit    int
	says    string
}{
	{command: "route OnBoth", says: "0=127.0.0.1:10911 1=127.0.0.1:10921"},
	{command: "route TopicTest", says: "demo-broker"},
	{command: "route ReadOnly", says: "R--"},
	{command: "route NoSuchTopic", exit: 1, says: "NoSuchTopic"},
	{command: "clusters", says: "DemoCluster"},
	{command: "brokers", says: "east"},
	{command: "topics", says: "OnBoth"},
}

// TestNsctl looks at the Java server and the one under test with the same pretend brokers
// behind both: two groups over two clusters, a slave, and nsctl's own demo. What nsctl
// prints must be equal, as tables and as JSON.
func TestNsctl(t *testing.T) {
	Require(t)
	nsctl, err := buildNsctl()
	if err != nil {
		t.Fatal(err)
	}
	tw := StartTwins(t)
	var demos []*Proc
	for _, ns := range []*Namesrv{tw.Java, tw.Subject} {
		pretendBrokers(t, ns)
		demo := startProc(t, procSpec{Name: "demo-" + ns.Name, Path: nsctl, Args: []string{"-n", ns.Addr(), "demo", "-addr", "127.0.0.1:10941"}})
		demo.awaitLog(t, "is registered at "+ns.Addr(), 30*time.Second)
		demos = append(demos, demo)
	}
	tw.AwaitMembers(t, "broker-a", "0,1")
	tw.AwaitMembers(t, "demo-broker", "0")

	for _, c := range nsctlCases {
		for _, format := range []string{"table", "json"} {
			args := append(strings.Fields(c.command), "-o", format)
			want, exit := runNsctl(t, nsctl, tw.Java, args)
			got, gotExit := runNsctl(t, nsctl, tw.Subject, args)
			if diff := cmp.Diff(want, got); diff != "" || exit != gotExit {
				t.Errorf("nsctl %v: exit %d from java, %d from %s; prints (-java +%s):\n%s",
					args, exit, gotExit, tw.Subject.Kind, tw.Subject.Kind, diff)
			}
			if exit != c.exit || format == "table" && !strings.Contains(want, c.says) {
				t.Errorf("nsctl %v: exit %d, want %d and %q in\n%s", args, exit, c.exit, c.says, want)
			}
		}
	}
	sameForServers(t, nsctl, tw)
	note(t, "%d looks compared with a Java name server, as tables and as JSON", len(nsctlCases))

	for _, demo := range demos {
		if code := demo.Stop(t, 10*time.Second); code != 0 {
			t.Errorf("%s ended with %d, want 0", demo.Name, code)
		}
	}
	tw.AwaitMembers(t, "demo-broker", "")
}

// sameForServers has nsctl compare the two servers itself.
func sameForServers(t *testing.T, nsctl string, tw *Twins) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), nsctl, "-n", tw.Java.Addr()+";"+tw.Subject.Addr(), "-timeout", "30s", "servers")
	cmd.Env = baseEnv()
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "DIFFERENCE") || !strings.Contains(string(out), "stand-by") {
		t.Errorf("nsctl servers: %v\n%s", err, out)
	}
}

// pretendBrokers registers a master and a slave in one zone, and a master of another group.
func pretendBrokers(t *testing.T, ns *Namesrv) {
	t.Helper()
	readOnly := testkit.Topic("ReadOnly", 2)
	readOnly.Perm = codec.PermRead
	topics := []codec.TopicConfig{testkit.Topic("OnBoth", 4), testkit.Topic("OnOne", 8), readOnly}
	for _, b := range []struct {
		o      testkit.BrokerOptions
		topics []codec.TopicConfig
	}{
		{testkit.BrokerOptions{Name: "broker-a", Addr: "127.0.0.1:10911", Zone: "east", ActingMaster: "true"}, topics},
		{testkit.BrokerOptions{Name: "broker-a", Addr: "127.0.0.1:10921", ID: 1, Zone: "east", ActingMaster: "true"}, topics},
		{testkit.BrokerOptions{Name: "broker-b", Addr: "127.0.0.1:10931", Cluster: "OtherCluster"}, []codec.TopicConfig{topics[0], topics[2]}},
	} {
		broker, err := testkit.DialBroker(t.Context(), ns.Addr(), b.o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { broker.Close() })
		broker.SetTopics(b.topics...)
		if _, err := broker.Register(t.Context()); err != nil {
			t.Fatalf("%s: %v", ns.Name, err)
		}
	}
}

// runNsctl returns what a command prints, with the server's address replaced, and its exit
// code.
func runNsctl(t *testing.T, nsctl string, ns *Namesrv, args []string) (printed string, exit int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), nsctl, append([]string{"-n", ns.Addr(), "-timeout", "30s"}, args...)...)
	cmd.Env = baseEnv()
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%s--- stderr\n%s", &stdout, &stderr)
	return strings.ReplaceAll(text, ns.Addr(), "NAMESRV"), cmd.ProcessState.ExitCode()
}

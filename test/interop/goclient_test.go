package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// goClientTimeout bounds one run of the Go client, with its start and the broker's.
const goClientTimeout = 4 * time.Minute

// TestGoClient sends and reads with rocketmq-client-go v2.1.2, which asks with JSON
// headers and cuts routes apart by hand.
func TestGoClient(t *testing.T) {
	Require(t)
	binary := buildGoClient(t)
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{})
	a := LaunchBroker(t, BrokerOptions{Addrs: ns.Addr()})
	b := LaunchBroker(t, BrokerOptions{Name: "broker-b", Addrs: ns.Addr()})
	ask := ns.Ask(t)
	ask.AwaitMembers(t, "broker-a", "0")
	ask.AwaitMembers(t, "broker-b", "0")
	a.CreateTopic(t, "GoTopic", 4)
	b.CreateTopic(t, "GoTopic", 4)
	ask.Await(t, "GoTopic is on both brokers", onGroups(t, "GoTopic", "broker-a", "broker-b"))
	for _, topic := range []string{"GoTopic", "GoAutoCreated"} {
		ctx, cancel := context.WithTimeout(t.Context(), goClientTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, "-namesrv", ns.Addr(), "-topic", topic, "-group", "g"+topic, "-n", "40")
		cmd.Dir = t.TempDir()
		cmd.Env = append(baseEnv(), "HOME="+cmd.Dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "sent=40 received=40") {
			t.Errorf("Go client on %s: %v\n%s", topic, err, out)
		}
	}
}

// buildGoClient builds the program of goclient, a module of its own, so that the product
// does not depend on that client.
func buildGoClient(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "goclient")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	cmd.Dir = interopDir("goclient")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the Go client: %v\n%s", err, out)
	}
	return binary
}

package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// TestPrivilegedDeadClientsAreClosed: hosts of clients vanish, of one while it says nothing and
// of one while an answer is under way, and the server closes their connections.
func TestPrivilegedDeadClientsAreClosed(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	t.Parallel()
	o := &Options{Pharos: buildServer(t), Server: "pharos", Dir: t.TempDir(), Progress: func(string) {}}
	if err := o.findServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := o.newBed(t.Context(), "clients", Sampling, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	dial := func(host int) (c *testkit.Client) {
		err := b.star.Peers[host].Do(func() (err error) {
			c, err = testkit.Dial(t.Context(), b.addr(), testkit.ClientOptions{})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	idle, inFlight, witness := dial(0), dial(1), dial(2)
	for _, c := range []*testkit.Client{idle, inFlight, witness} {
		if _, err := c.Call(t.Context(), codec.CodeGetBrokerClusterInfo, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	fault := func(format string, host int) {
		t.Helper()
		if err := b.star.Fault(fmt.Sprintf(format, b.star.PeerIP(host))); err != nil {
			t.Fatal(err)
		}
	}
	fault("ip saddr %s drop", 0)
	fault("ip daddr %s drop", 0)
	fault("ip daddr %s drop", 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, _ = inFlight.Call(ctx, codec.CodeGetBrokerClusterInfo, nil, nil) // its answer is lost
	fault("ip saddr %s drop", 1)
	began := time.Now()
	f := func(closed float64, within time.Duration) {
		t.Helper()
		for time.Since(began) < within {
			m, err := b.metrics(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m[`half_dead_connections_total{role="client"}`] >= closed {
				t.Logf("%v closed after %.1f s", closed, time.Since(began).Seconds())
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("%v connections of dead clients were not closed within %v", closed, within)
	}
	// 11 to 15 and 28 to 32 s on a machine that has time for it.
	f(1, 25*time.Second)
	f(2, 45*time.Second)
	if witness.Err() != nil {
		t.Errorf("the client that lives was closed: %v", witness.Err())
	}
}

// buildServer returns a namesrv of this tree.
func buildServer(t *testing.T) string {
	t.Helper()
	server := filepath.Join(t.TempDir(), "namesrv")
	if out, err := exec.Command("go", "build", "-o", server, "github.com/pharosmq/pharos/cmd/namesrv").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return server
}

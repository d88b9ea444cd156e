package netns

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseCounters(t *testing.T) {
	got := map[string]int64{}
	if err := parseCounters("Tcp: A B\nTcp: 1 -1\nUdp: A\nUdp: 7\n", got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"Tcp.A": 1, "Tcp.B": -1, "Udp.A": 7}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"Tcp: A\n", "Tcp: A B\nTcp: 1\n", "Tcp: A\nUdp: 1\n", "Tcp: A\nTcp: x\n"} {
		if err := parseCounters(bad, got); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestPrivilegedStar sends a line from a peer to the server, over both protocols, and shows that
// a fault in the router stops it and that healing lets it through.
func TestPrivilegedStar(t *testing.T) {
	if os.Getenv("PHAROS_PRIVILEGED") == "" || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces want root and PHAROS_PRIVILEGED=1 (make test-privileged)")
	}
	s, err := NewStar(2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const patience = 5 * time.Second // the first packets over IPv6 wait for its neighbour discovery
	for _, ip := range []string{s.ServerIP().String(), s.ServerIP6().String()} {
		var l net.Listener
		if err := s.Server.Do(func() (err error) {
			l, err = net.Listen("tcp", net.JoinHostPort(ip, "0"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		dial := func(peer int, patience time.Duration) error {
			return s.Peers[peer].Do(func() error {
				c, err := net.DialTimeout("tcp", l.Addr().String(), patience)
				if err == nil {
					err = c.Close()
				}
				return err
			})
		}
		for peer := range s.Peers {
			if err := dial(peer, patience); err != nil {
				t.Errorf("peer %d to %s: %v", peer, ip, err)
			}
		}
		if err := s.Fault(fmt.Sprintf("iifname eth%d drop", 2)); err != nil {
			t.Fatal(err)
		}
		if err := dial(1, 300*time.Millisecond); err == nil {
			t.Error("the fault did not stop the second peer")
		}
		if err := dial(0, patience); err != nil {
			t.Errorf("the fault of the second peer stopped the first: %v", err)
		}
		if err := s.Heal(); err != nil {
			t.Fatal(err)
		}
		if err := dial(1, patience); err != nil {
			t.Errorf("after healing: %v", err)
		}
	}
	counters, err := s.Server.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if counters["Tcp.PassiveOpens"] != 8 {
		t.Errorf("the server accepted %d connections, not 8", counters["Tcp.PassiveOpens"])
	}
}

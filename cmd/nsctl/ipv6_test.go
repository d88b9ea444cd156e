package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
)

// Brokers that announce IPv6 addresses, over IPv6: every answer has the addresses as they
// were sent, with their brackets, and nsctl shows them so.
func TestIPv6Brokers(t *testing.T) {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		t.Skip("NOT TESTED: brokers over IPv6, which this host does not have")
	}
	addr := startServerAt(t, "::1")
	if host, _, err := net.SplitHostPort(addr); err != nil || host != "::1" {
		t.Fatalf("the server listens on %q (%v), want ::1", addr, err)
	}
	register := func(o testkit.BrokerOptions) (*testkit.Broker, *testkit.Message) {
		t.Helper()
		b, err := testkit.DialBroker(t.Context(), addr, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		b.SetTopics(testkit.Topic("T1", 4), testkit.Topic("T2", 4))
		m, err := b.Register(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return b, m
	}
	register(testkit.BrokerOptions{Addr: "[::1]:10911", HAAddr: "[::1]:10912"})
	// A zone names the interface of a link-local address.
	slave, m := register(testkit.BrokerOptions{ID: 1, Addr: "[fe80::1%eth0]:10911", HAAddr: "[fe80::1%eth0]:10912", Compressed: true})
	if m.Ext["masterAddr"] != "[::1]:10911" || m.Ext["haServerAddr"] != "[::1]:10912" {
		t.Errorf("the slave is told %v", m.Ext)
	}

	f := func(want string, code int32, keyValues ...string) {
		t.Helper()
		m, err := slave.Call(t.Context(), code, testkit.Ext(keyValues...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Code != codec.Success || !strings.Contains(string(m.Body), want) {
			t.Errorf("%d: code %d, body %s; want in it %s", code, m.Code, m.Body, want)
		}
	}
	f(`{"brokerAddrs":{"0":"[::1]:10911","1":"[fe80::1%eth0]:10911"},"brokerName":"broker-a"`, codec.CodeGetRouteInfoByTopic, "topic", "T1")
	f(`{"broker-a":{"brokerAddrs":{0:"[::1]:10911",1:"[fe80::1%eth0]:10911"},"brokerName":"broker-a"`, codec.CodeGetBrokerClusterInfo)

	for _, command := range []string{"brokers", "route T1"} {
		code, stdout, stderr := nsctl(t, append(strings.Fields(command), "-n", addr)...)
		if code != exitOK || !strings.Contains(stdout, "[::1]:10911") || !strings.Contains(stdout, "[fe80::1%eth0]:10911") {
			t.Errorf("nsctl %s: exit %d, %s%s", command, code, stdout, stderr)
		}
	}

	if err := slave.Unregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	f(`"brokerAddrs":{0:"[::1]:10911"}`, codec.CodeGetBrokerClusterInfo)
}

package interop

import (
	"testing"
)

// TestFirstLight is the thinnest line through everything: a real broker registers, a real
// producer sends 100 messages, a real consumer gets them.
func TestFirstLight(t *testing.T) {
	Require(t)
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{})
	Progress("first light: %s on %s", ns.Kind, ns.Addr())
	StartBroker(t, BrokerOptions{Addrs: ns.Addr()})
	ns.Ask(t).AwaitMembers(t, "broker-a", "0")
	client := StartDriver(t, V550)
	client.Do(t, "producer", "name=p", "ns="+ns.Addr())
	sent := client.Do(t, "send", "name=p", "topic=FirstLight", "n=100")
	if n := sent.Int(t, "sent"); n != 100 {
		t.Fatalf("sent %d of 100 messages: %v", n, sent)
	}
	client.Do(t, "consumer", "name=c", "group=first_light", "topic=FirstLight", "ns="+ns.Addr())
	got := client.Do(t, "received", "name=c", "n=100", "timeout-ms=30000")
	if n := got.Int(t, "distinct"); n != 100 {
		t.Fatalf("the consumer got %d of 100 messages: %v", n, got)
	}
	Progress("first light: 100 messages sent, 100 received")
}

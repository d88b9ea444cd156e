package interop

import (
	"fmt"
	"testing"
)

// clientVersions are the Java clients of the matrix. The short tier runs one of each
// dialect: 5.5.0 reads standard JSON, 4.8.0 gets map keys without quotes.
func clientVersions() []string {
	if Full() {
		return []string{V550, V498, V480}
	}
	return []string{V550, V480}
}

// TestClients lets real clients find their brokers through the server under test.
func TestClients(t *testing.T) {
	Require(t)
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{Conf: []string{"orderMessageEnable=true"}})
	a := LaunchBroker(t, BrokerOptions{Addrs: ns.Addr()})
	b := LaunchBroker(t, BrokerOptions{Name: "broker-b", Addrs: ns.Addr()})
	ask := ns.Ask(t)
	ask.AwaitMembers(t, "broker-a", "0")
	ask.AwaitMembers(t, "broker-b", "0")
	for i, version := range clientVersions() {
		t.Run(version, func(t *testing.T) {
			c := &clientCase{
				Driver: StartDriver(t, version), ns: ns, ask: ask,
				brokers: []*Broker{a, b}, suffix: fmt.Sprintf("_%d", i),
			}
			c.Do(t, "producer", "name=p", "ns="+ns.Addr())
			for _, kind := range []string{"push", "pull", "lite"} {
				sub(t, kind, func(t *testing.T) { c.sendAndConsume(t, kind) })
			}
			sub(t, "AutoCreatedTopic", c.autoCreated)
			sub(t, "OrderTopic", c.ordered)
			sub(t, "RetryTopic", c.retried)
		})
	}
}

// clientCase is one client release against two brokers.
type clientCase struct {
	*Driver
	ns      *Namesrv
	ask     *Asker
	brokers []*Broker
	suffix  string // keeps topics and groups of the releases apart
}

// topic makes a topic with 4 queues on both brokers.
func (c *clientCase) topic(t *testing.T, name string) string {
	t.Helper()
	topic := name + c.suffix
	for _, b := range c.brokers {
		b.CreateTopic(t, topic, 4)
	}
	c.ask.Await(t, topic+" is on both brokers", onGroups(t, topic, "broker-a", "broker-b"))
	return topic
}

func (c *clientCase) sendAndConsume(t *testing.T, kind string) {
	const n = 64
	topic := c.topic(t, "Plain_"+kind)
	queues := c.Do(t, "queues", "name=p", "topic="+topic)["queues"]
	want := "broker-a:0,broker-a:1,broker-a:2,broker-a:3,broker-b:0,broker-b:1,broker-b:2,broker-b:3"
	if queues != want {
		t.Errorf("a producer sees the queues %s, want %s", queues, want)
	}
	sent := c.Do(t, "send", "name=p", "topic="+topic, fmt.Sprint("n=", n))
	if sent.Int(t, "sent") != n || sent["brokers"] != "{broker-a=32,broker-b=32}" {
		t.Errorf("sent %v, want all %d, half to either broker", sent, n)
	}
	c.Do(t, "consumer", "name=c-"+kind, "kind="+kind, "group=g_"+kind+c.suffix, "topic="+topic, "ns="+c.ns.Addr())
	c.expect(t, "c-"+kind, n)
	c.Do(t, "close", "name=c-"+kind)
}

// autoCreated: a topic nobody made is sent to by TBW102's route, and found afterwards.
func (c *clientCase) autoCreated(t *testing.T) {
	const n = 16
	topic := "AutoCreated" + c.suffix
	if r := c.ask.Route(t, topic); r != nil {
		t.Fatalf("%s has a route already: %+v", topic, r)
	}
	sent := c.Do(t, "send", "name=p", "topic="+topic, fmt.Sprint("n=", n))
	if sent.Int(t, "sent") != n {
		t.Errorf("sent %v, want all %d", sent, n)
	}
	c.ask.Await(t, topic+" has a route", hasTopic(t, topic))
	c.Do(t, "consumer", "name=c-auto", "group=g_auto"+c.suffix, "topic="+topic, "ns="+c.ns.Addr())
	c.expect(t, "c-auto", n)
	c.Do(t, "close", "name=c-auto")
}

// ordered: an order configuration decides the queues, and messages of one key stay in order.
func (c *clientCase) ordered(t *testing.T) {
	const n = 80
	topic := c.topic(t, "Ordered")
	c.ask.PutKV(t, "ORDER_TOPIC_CONFIG", topic, "broker-a:2;broker-b:1")
	queues := c.Do(t, "queues", "name=p", "topic="+topic)["queues"]
	if want := "broker-a:0,broker-a:1,broker-b:0"; queues != want {
		t.Errorf("a producer of an order topic sees the queues %s, want %s", queues, want)
	}
	sent := c.Do(t, "send", "name=p", "topic="+topic, fmt.Sprint("n=", n), "ordered=true")
	if sent.Int(t, "sent") != n {
		t.Errorf("sent %v, want all %d", sent, n)
	}
	c.Do(t, "consumer", "name=c-ordered", "ordered=true", "group=g_ordered"+c.suffix, "topic="+topic, "ns="+c.ns.Addr())
	got := c.expect(t, "c-ordered", n)
	if got.Int(t, "disorder") != 0 {
		t.Errorf("messages of one key came out of order: %v", got)
	}
	c.Do(t, "close", "name=c-ordered")
}

// retried: refused messages come back over the group's own topic, which the consumer finds
// through the name server.
func (c *clientCase) retried(t *testing.T) {
	const n, refused = 20, 5
	topic := c.topic(t, "Retried")
	group := "g_retried" + c.suffix
	c.Do(t, "consumer", "name=c-retry", "group="+group, "topic="+topic, "ns="+c.ns.Addr(), fmt.Sprint("fail-first=", refused))
	sent := c.Do(t, "send", "name=p", "topic="+topic, fmt.Sprint("n=", n))
	if sent.Int(t, "sent") != n {
		t.Errorf("sent %v, want all %d", sent, n)
	}
	got := c.expect(t, "c-retry", n)
	if got.Int(t, "refused") != refused || got.Int(t, "retried") != refused {
		t.Errorf("want %d messages refused and as many back over the retry topic: %v", refused, got)
	}
	c.ask.Await(t, "the retry topic has a route", hasTopic(t, "%RETRY%"+group))
	c.Do(t, "close", "name=c-retry")
}

// expect waits until a consumer has got n different messages.
func (c *clientCase) expect(t *testing.T, consumer string, n int) Answer {
	t.Helper()
	got := c.Do(t, "received", "name="+consumer, fmt.Sprint("n=", n), "timeout-ms=90000")
	if got.Int(t, "distinct") != n {
		t.Errorf("%s of %s got %v, want %d different messages", consumer, c.Name, got, n)
	}
	return got
}

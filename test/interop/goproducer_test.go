package interop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/client"
)

// keptMessage is a message as a Java consumer got it.
type keptMessage struct {
	topic, flag, tags, keys, queue, offset, id, born string
	bodyBytes, digest                                string
	properties                                       map[string]string
}

// consumed returns n messages of the topic GoProducer as a Java consumer gets them. On a machine
// with too much to do a consumer whose first heartbeat is not answered in time can leave out a
// broker for minutes: then another one, of a new group, reads all of them again.
func consumed(t *testing.T, d *Driver, ns *Namesrv, n int) (got map[string]keptMessage) {
	t.Helper()
	for i := range 4 {
		name := fmt.Sprint("c", i)
		d.Do(t, "consumer", "name="+name, "group=go_producer_"+name, "topic=GoProducer", "ns="+ns.Addr(), "keep=1000")
		if got = kept(t, d, name, n); len(got) >= n {
			return got
		}
		Progress("Go producer: consumer %d got %d of %d messages", i+1, len(got), n)
	}
	return got
}

// kept returns what the driver's consumer kept, by message id, when it has n or time is over.
func kept(t *testing.T, d *Driver, consumer string, n int) map[string]keptMessage {
	t.Helper()
	a := d.Do(t, "kept", "name="+consumer, fmt.Sprint("n=", n), "timeout-ms=30000")
	got := map[string]keptMessage{}
	for i := range a.Int(t, "kept") {
		text, err := base64.StdEncoding.DecodeString(a[fmt.Sprint("m", i)])
		parts := strings.Split(string(text), "\x00")
		if err != nil || len(parts) < 10 {
			t.Fatalf("message %d: %v in %d parts", i, err, len(parts))
		}
		m := keptMessage{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7], parts[8], parts[9], map[string]string{}}
		for _, p := range parts[10:] {
			k, v, _ := strings.Cut(p, "\x01")
			m.properties[k] = v
		}
		if _, twice := got[m.id]; twice {
			t.Errorf("message %s came twice", m.id)
		}
		got[m.id] = m
	}
	return got
}

// goProducer is our producer on routes from a name server, with the test's life.
func goProducer(t *testing.T, ns *Namesrv, o client.ProducerOptions) *client.Producer {
	t.Helper()
	resolver, err := client.NewResolver(client.ResolverOptions{Servers: []string{ns.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	routes := client.NewRoutes(resolver, client.RoutesOptions{})
	p, err := client.NewProducer(routes, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); routes.Close(); resolver.Close() })
	return p
}

// TestGoProducer: what our producer sends to real brokers is what a Java consumer gets, byte
// for byte; and when one of the brokers is killed every send succeeds on the other.
func TestGoProducer(t *testing.T) {
	Require(t)
	sub(t, V550, func(t *testing.T) { goProducerSends(t, V550, V550) })
	if Full() {
		sub(t, V497, func(t *testing.T) { goProducerSends(t, V497, V498) })
	}
}

// goProducerSends is TestGoProducer for brokers and a consumer of these releases.
func goProducerSends(t *testing.T, brokers, consumer string) {
	ns := StartNamesrv(t, Subject(t), NamesrvOptions{})
	a := LaunchBroker(t, BrokerOptions{Version: brokers, Addrs: ns.Addr()})
	b := LaunchBroker(t, BrokerOptions{Version: brokers, Name: "broker-b", Addrs: ns.Addr()})
	driver := StartDriver(t, consumer)
	ask := ns.Ask(t)
	ask.AwaitMembers(t, "broker-a", "0")
	ask.AwaitMembers(t, "broker-b", "0")
	a.CreateTopic(t, "GoProducer", 4)
	b.CreateTopic(t, "GoProducer", 4)
	ask.Await(t, "GoProducer is on both brokers", onGroups(t, "GoProducer", "broker-a", "broker-b"))
	// A busy machine is no reason to repeat a message here, unless a broker says that it is busy.
	p := goProducer(t, ns, client.ProducerOptions{Group: "go_producer_test", SendTimeout: time.Minute, AttemptTimeout: 20 * time.Second})

	sent := map[string]*client.Message{}
	results := map[string]*client.SendResult{}
	perBroker := map[string]int{}
	for i := range 40 {
		m := goMessage(i)
		res, err := p.Send(t.Context(), m)
		if err != nil || res.Status != client.SendOK {
			t.Fatalf("message %d: %+v, %v", i, res, err)
		}
		sent[res.MessageID], results[res.MessageID] = m, res
		perBroker[res.Queue.BrokerName]++
	}
	if s := p.Stats(); s.Retried != s.FlowControlled {
		t.Errorf("messages were repeated: %+v", s)
	} else if s.Retried == 0 && (perBroker["broker-a"] != 20 || perBroker["broker-b"] != 20) {
		t.Errorf("40 messages went to %v", perBroker)
	}
	oneway := &client.Message{Topic: "GoProducer", Body: []byte("one way"), Properties: map[string]string{"UNIQ_KEY": "0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A"}}
	if err := p.SendOneway(t.Context(), oneway); err != nil {
		t.Fatal(err)
	}
	sent["0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A"] = oneway
	compareKept(t, consumed(t, driver, ns, len(sent)), sent, results)
	Progress("Go producer: %d messages sent, and received as they were", len(sent))
	outliveBroker(t, p, b)
	if _, err := p.Send(t.Context(), &client.Message{Topic: "GoProducerCreates", Body: []byte("x")}); err != nil {
		t.Errorf("a topic that does not exist: %v", err)
	}
}

// goMessage makes messages of every kind: sizes, bytes, tags, keys, properties, flags.
func goMessage(i int) *client.Message {
	m := &client.Message{Topic: "GoProducer", Body: []byte(fmt.Sprintf("message %d", i)), Flag: int32(i - 20)}
	switch i % 4 {
	case 1:
		m.Tags, m.Keys = "tag-"+fmt.Sprint(i), []string{fmt.Sprint("key-", i), "every"}
	case 2:
		m.Properties = map[string]string{"plain": "value", "empty-is-not": " ", "Größe": "日本語 \"quoted\" \\ and\nlines", "a=b": "c=d"}
	case 3:
		m.Body = make([]byte, 1+i*i*600) // up to 900 KB
		for j := range m.Body {
			m.Body[j] = byte(j * i)
		}
	}
	return m
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// compareKept compares what the consumer got with what was sent.
func compareKept(t *testing.T, got map[string]keptMessage, sent map[string]*client.Message, results map[string]*client.SendResult) {
	t.Helper()
	for id, m := range sent {
		k, ok := got[id]
		if !ok {
			t.Errorf("message %s was not received: %+v", id, results[id])
			continue
		}
		tags, keys := m.Tags, strings.Join(m.Keys, " ")
		if tags == "" {
			tags = "null"
		}
		if keys == "" {
			keys = "null"
		}
		if k.topic != m.Topic || k.digest != digest(m.Body) || k.tags != tags || k.keys != keys || k.flag != fmt.Sprint(m.Flag) {
			t.Errorf("message %s: got topic %s, %s bytes, tags %s, keys %s, flag %s, sent %d bytes and %+v",
				id, k.topic, k.bodyBytes, k.tags, k.keys, k.flag, len(m.Body), m.Properties)
		}
		properties := maps.Clone(k.properties)
		maps.DeleteFunc(properties, func(name, _ string) bool { _, ours := m.Properties[name]; return !ours })
		if !maps.Equal(properties, m.Properties) && len(m.Properties) > 0 {
			t.Errorf("message %s: got properties %q, sent %q", id, k.properties, m.Properties)
		}
		if res := results[id]; res != nil && (k.queue != fmt.Sprint(res.Queue.QueueID) || k.offset != fmt.Sprint(res.QueueOffset)) {
			t.Errorf("message %s: got from queue %s at %s, the broker said %+v", id, k.queue, k.offset, res)
		}
	}
	if len(got) != len(sent) {
		t.Errorf("%d messages received, %d sent", len(got), len(sent))
	}
}

// outliveBroker kills a broker while messages are sent: none fails, and soon all go to the
// other one at the first attempt.
func outliveBroker(t *testing.T, p *client.Producer, b *Broker) {
	t.Helper()
	retried, longest := 0, time.Duration(0)
	repeated := func() uint64 { s := p.Stats(); return s.Retried - s.FlowControlled }
	before := uint64(0)
	for i := range 400 {
		if i == 100 {
			b.Signal(t, syscall.SIGKILL)
		}
		if i == 300 {
			before = repeated()
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		res, err := p.Send(ctx, &client.Message{Topic: "GoProducer", Body: []byte("while it dies")})
		cancel()
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		longest = max(longest, time.Since(start))
		if res.Attempts > 1 {
			retried++
		}
		if i >= 300 && res.Queue.BrokerName == b.Options.Name {
			t.Errorf("message %d after the broker's death: %+v", i, res)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if n := repeated() - before; n != 0 {
		t.Errorf("%d messages were tried on the broker that had long been dead", n)
	}
	Progress("Go producer: a broker was killed, 400 of 400 messages sent, %d at a second attempt, the longest in %v", retried, longest)
}

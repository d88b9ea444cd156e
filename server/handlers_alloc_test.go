//go:build !race

package server

import (
	"fmt"
	"testing"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

// allocs is what one request costs from the bytes of its frame to those of its answer.
func (c *client) allocs(frame []byte) float64 {
	return testing.AllocsPerRun(500, func() {
		c.serve(frame)
		if len(c.out) == 0 && frame != nil {
			panic("no answer")
		}
	})
}

// A lookup allocates nothing: in both header forms and JSON dialects, found and not, with
// acting masters and order configuration.
func TestGetRouteInfoAllocations(t *testing.T) {
	r := newRig(t, func(_ *config.Settings, l *config.Live) { l.OrderMessageEnable, l.SupportActingMaster = true, true })
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
	c.call(codec.CodePutKVConfig, nil, "namespace", "ORDER_TOPIC_CONFIG", "key", "T2", "value", "broker-a:4")
	for _, serialize := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		for _, version := range []int32{317, codec.Version5_5_0} {
			for _, topic := range []string{"TopicTest", "T2", "a-topic-that-nobody-has-and-whose-name-is-not-short-at-all"} {
				c.serialize, c.version = serialize, version
				if n := c.allocs(c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", topic)); n != 0 {
					t.Errorf("serialize %d, version %d, topic %s: %v allocations", serialize, version, topic, n)
				}
			}
		}
	}
}

// Heartbeats come each second from every broker that can act as master.
func TestHeartbeatAllocations(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	b := newBroker("broker-a", 0, "TopicTest", "T2")
	c.mustRegister(b)
	ext := []string{"clusterName", b.cluster, "brokerName", b.name, "brokerAddr", b.addr, "brokerId", "0"}
	version := codec.AppendDataVersion(nil, b.version)
	for _, serialize := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		c.serialize = serialize
		if n := c.allocs(c.frame(codec.CodeBrokerHeartbeat, nil, ext...)); n != 0 {
			t.Errorf("904, serialize %d: %v allocations", serialize, n)
		}
		if n := c.allocs(c.frame(codec.CodeQueryDataVersion, version, ext...)); n != 0 {
			t.Errorf("322, serialize %d: %v allocations", serialize, n)
		}
	}
}

// Brokers ask for the cluster every few seconds.
func TestClusterInfoAllocations(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
	if n := c.allocs(c.frame(codec.CodeGetBrokerClusterInfo, nil)); n != 0 {
		t.Errorf("106: %v allocations", n)
	}
}

// An unchanged registration allocates nothing, however large it is, and whatever its answer
// says of the master.
func TestRegisterUnchangedAllocations(t *testing.T) {
	r := newRig(t, nil)
	c, other := r.dial(), r.dial()
	master, replica := newBroker("broker-a", 0), newBroker("broker-a", 1)
	for i := range 300 {
		master.topics = append(master.topics, fmt.Sprintf("topic-%d", i))
	}
	replica.topics = master.topics
	c.mustRegister(master)
	other.mustRegister(replica)
	c.mustRegister(master) // whose group has changed
	for c, b := range map[*client]broker{c: master, other: replica} {
		body := b.body(c.version)
		if n := c.allocs(c.frame(codec.CodeRegisterBroker, body, b.ext(body)...)); n != 0 {
			t.Errorf("broker %d: %v allocations", b.id, n)
		}
	}
	if r.registrations(RegistrationUnchanged) < 1000 {
		t.Error("the short cut was not taken")
	}
}

func BenchmarkGetRouteInfo(b *testing.B) {
	for _, serialize := range []codec.SerializeType{codec.SerializeJSON, codec.SerializeRocketMQ} {
		b.Run(fmt.Sprintf("serialize=%d", serialize), func(b *testing.B) {
			r := newRig(b, nil)
			c := r.dial()
			c.mustRegister(newBroker("broker-a", 0, "TopicTest", "T2"))
			c.serialize = serialize
			c.benchmark(b, c.frame(codec.CodeGetRouteInfoByTopic, nil, "topic", "TopicTest"))
		})
	}
}

// An unchanged registration of 300 topics (about 50 kB), all on the loop.
func BenchmarkRegisterUnchanged(b *testing.B) {
	r := newRig(b, nil)
	c := r.dial()
	one := newBroker("broker-a", 0)
	for i := range 300 {
		one.topics = append(one.topics, fmt.Sprintf("topic-%d", i))
	}
	body := one.body(c.version)
	frame := c.frame(codec.CodeRegisterBroker, body, one.ext(body)...)
	c.push(frame)
	r.settle()
	b.SetBytes(int64(len(frame)))
	c.benchmark(b, frame)
}

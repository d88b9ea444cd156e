package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// demoOptions describe the broker that demo pretends to be.
type demoOptions struct {
	cluster, name, addr, topic string
	period                     time.Duration
}

func (d *demoOptions) define(fs *flag.FlagSet) {
	fs.StringVar(&d.cluster, "cluster", "DemoCluster", "demo: its `cluster`")
	fs.StringVar(&d.name, "name", "demo-broker", "demo: its broker `name`")
	fs.StringVar(&d.addr, "addr", "127.0.0.1:10911", "demo: the `address` it claims to listen on; nothing does")
	fs.StringVar(&d.topic, "topic", "TopicTest", "demo: the `topic` it brings")
	fs.DurationVar(&d.period, "period", 30*time.Second, "demo: how often it registers")
}

// runDemo registers a pretend broker, keeps registering it as a real one does, and
// unregisters it when ctx ends.
func runDemo(ctx context.Context, s *session, _ []string) error {
	c, err := net.DialTimeout("tcp", s.server, s.timeout)
	if err != nil {
		return fmt.Errorf("name server %s can't be reached: %w", s.server, err)
	}
	defer c.Close()
	text := codec.AppendRegisterBody(nil, s.demo.body(), codec.Version5_5_0)
	register := func() error {
		_, err := s.askOn(c, codec.CodeRegisterBroker, s.demo.identity(true), text)
		return err
	}
	if err := register(); err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "broker %s (%s) with topic %s is registered at %s; interrupt to unregister it\n", s.demo.name, s.demo.addr, s.demo.topic, s.server)
	tick := time.NewTicker(s.demo.period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_, err := s.askOn(c, codec.CodeUnregisterBroker, s.demo.identity(false), nil)
			return err
		case <-tick.C:
			if err := register(); err != nil {
				return err
			}
		}
	}
}

// body is what the broker brings: its topic, and the topics that every broker makes of its
// own and its cluster's name. (A first registration of a single topic is refused.)
func (d *demoOptions) body() *codec.RegisterBody {
	body := &codec.RegisterBody{DataVersion: codec.DataVersion{Timestamp: time.Now().UnixMilli(), Counter: 1}}
	for _, topic := range []string{d.topic, d.name, d.cluster} {
		name := []byte(topic)
		body.Topics = append(body.Topics, codec.TopicConfig{
			Name: name, Key: name, ReadQueueNums: 4, WriteQueueNums: 4, Perm: codec.PermRead | codec.PermWrite,
		})
	}
	return body
}

// identity is what both REGISTER_BROKER and UNREGISTER_BROKER say of the broker.
func (d *demoOptions) identity(registering bool) []codec.ExtField {
	ext := []codec.ExtField{
		{Key: "brokerName", Value: d.name},
		{Key: "brokerAddr", Value: d.addr},
		{Key: "clusterName", Value: d.cluster},
		{Key: "brokerId", Value: "0"},
	}
	if registering {
		ext = append(ext, codec.ExtField{Key: "haServerAddr", Value: d.addr}, codec.ExtField{Key: "compressed", Value: "false"})
	}
	return ext
}

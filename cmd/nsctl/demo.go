package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/pharosmq/pharos/client"
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

// runDemo registers a pretend broker with every name server of the list, keeps registering it
// as a real one does, through failures too, and unregisters it when ctx ends.
func runDemo(ctx context.Context, s *session, _ []string) error {
	resolvers, err := s.eachServer()
	for _, r := range resolvers {
		defer r.Close()
	}
	if err != nil {
		return err
	}
	text := codec.AppendRegisterBody(nil, s.demo.body(), codec.Version5_5_0)
	tell := func(ctx context.Context, code int32, body []byte) error {
		var failed []error
		for _, r := range resolvers {
			h := codec.Header{Code: code, Ext: s.demo.identity(code == codec.CodeRegisterBroker)}
			_, err := askOf(ctx, r, h, body)
			failed = append(failed, err)
		}
		return errors.Join(failed...)
	}
	if err := tell(ctx, codec.CodeRegisterBroker, text); err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "broker %s (%s) with topic %s is registered at %s; interrupt to unregister it\n",
		s.demo.name, s.demo.addr, s.demo.topic, strings.Join(s.servers, " and "))
	tick := time.NewTicker(s.demo.period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return tell(context.WithoutCancel(ctx), codec.CodeUnregisterBroker, nil)
		case <-tick.C:
			if err := tell(ctx, codec.CodeRegisterBroker, text); err != nil && ctx.Err() == nil {
				fmt.Fprintf(s.stderr, "nsctl demo: not registered again, next try in %v: %s\n", s.demo.period, oneLine(err))
			}
		}
	}
}

// eachServer returns a resolver for each server of the list. The caller closes those it gets,
// also beside an error.
func (s *session) eachServer() ([]*client.Resolver, error) {
	var all []*client.Resolver
	for _, server := range s.servers {
		r, err := s.resolverOf(server)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
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

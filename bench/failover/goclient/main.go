// Command goclient is the official Go client of RocketMQ under the load of bench/failover, with
// its defaults. It ends when standard input does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	clienterrors "github.com/apache/rocketmq-client-go/v2/errors"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/pharosmq/pharos/bench/failover/goclient/openloop"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "goclient:", err)
		os.Exit(1)
	}
}

func run() error {
	namesrv := flag.String("namesrv", "", "name servers, a;b")
	topic := flag.String("topic", "", "topic to send to")
	var o openloop.Options
	flag.Float64Var(&o.LookupsPerSecond, "lookups", 200, "lookups a second")
	flag.Float64Var(&o.SendsPerSecond, "sends", 1000, "sends a second")
	flag.IntVar(&o.Callers, "callers", 1024, "calls of a kind at a time")
	flag.DurationVar(&o.Slow, "slow", 50*time.Millisecond, "calls that take longer are printed")
	flag.Parse()
	rlog.SetLogLevel("fatal")
	servers := primitive.NewPassthroughResolver(strings.Split(*namesrv, ";"))
	p, err := rocketmq.NewProducer(producer.WithNsResolver(servers), producer.WithGroupName("failover_producer"))
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	a, err := admin.NewAdmin(admin.WithResolver(servers))
	if err != nil {
		return err
	}
	c := &client{producer: p, admin: a, topic: *topic}
	return openloop.Run(context.Background(), c, o, os.Stdin, os.Stdout)
}

// client asks for another topic each time: this client's public way to a route asks a name
// server once for each topic and never again. That there is no such topic is an answer.
type client struct {
	producer rocketmq.Producer
	admin    admin.Admin
	topic    string
	lookups  atomic.Int64
}

func (c *client) Lookup(ctx context.Context) error {
	_, err := c.admin.FetchPublishMessageQueues(ctx, fmt.Sprintf("no-such-topic-%d", c.lookups.Add(1)))
	if errors.Is(err, clienterrors.ErrTopicNotExist) {
		return nil
	}
	if err == nil {
		err = errors.New("a topic that does not exist has a route")
	}
	return err
}

func (c *client) Send(ctx context.Context) (broker string, err error) {
	r, err := c.producer.SendSync(ctx, primitive.NewMessage(c.topic, []byte("a message of the load")))
	if err != nil {
		return "", err
	}
	if r.Status != primitive.SendOK {
		return "", fmt.Errorf("status %d", r.Status)
	}
	return r.MessageQueue.BrokerName, nil
}

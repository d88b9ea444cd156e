// Command goclient sends messages with the Go client of RocketMQ and reads them back, so
// that the interop tests see a client in another language, with its own parser for routes.
// It prints one line, sent=N received=N, and exits 1 when a message is missing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

func main() {
	os.Exit(run())
}

func run() int {
	namesrv := flag.String("namesrv", "", "name servers, a;b")
	topic := flag.String("topic", "", "topic to send to and read from")
	group := flag.String("group", "goclient", "consumer group")
	n := flag.Int("n", 10, "messages")
	timeout := flag.Duration("timeout", 2*time.Minute, "how long to wait for them")
	flag.Parse()
	rlog.SetLogLevel("warn")
	servers := primitive.NewPassthroughResolver(strings.Split(*namesrv, ";"))

	sent, err := send(servers, *topic, *n)
	if err != nil {
		fmt.Fprintln(os.Stderr, "send:", err)
	}
	received, err := receive(servers, *topic, *group, *n, *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "receive:", err)
	}
	fmt.Printf("sent=%d received=%d\n", sent, received)
	if sent != *n || received != *n {
		return 1
	}
	return 0
}

// send returns how many messages a broker confirmed, and the first error.
func send(servers primitive.NsResolver, topic string, n int) (int, error) {
	p, err := rocketmq.NewProducer(producer.WithNsResolver(servers), producer.WithRetry(2),
		producer.WithSendMsgTimeout(15*time.Second), producer.WithGroupName("goclient_producer"))
	if err != nil {
		return 0, err
	}
	if err := p.Start(); err != nil {
		return 0, err
	}
	defer p.Shutdown()
	sent := 0
	for i := range n {
		r, sendErr := p.SendSync(context.Background(), primitive.NewMessage(topic, fmt.Appendf(nil, "go-%d", i)))
		switch {
		case sendErr == nil && r.Status == primitive.SendOK:
			sent++
		case err == nil:
			err = fmt.Errorf("message %d: %v %v", i, r, sendErr)
		}
	}
	return sent, err
}

// receive returns how many different messages of send came back.
func receive(servers primitive.NsResolver, topic, group string, n int, timeout time.Duration) (int, error) {
	c, err := rocketmq.NewPushConsumer(consumer.WithNsResolver(servers), consumer.WithGroupName(group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	bodies := map[string]bool{}
	all := make(chan struct{})
	err = c.Subscribe(topic, consumer.MessageSelector{}, func(_ context.Context, msgs ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range msgs {
			before := len(bodies)
			bodies[string(m.Body)] = true
			if before < n && len(bodies) == n {
				close(all)
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return 0, err
	}
	if err := c.Start(); err != nil {
		return 0, err
	}
	defer c.Shutdown()
	select {
	case <-all:
	case <-time.After(timeout):
	}
	mu.Lock()
	defer mu.Unlock()
	return len(bodies), nil
}

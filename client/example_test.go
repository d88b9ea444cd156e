package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pharosmq/pharos/client"
)

// A program that finds the brokers of a topic and sends a message: name servers, routes, a
// producer. The name servers are those in NAMESRV_ADDR, as Java's programs have it; Servers would
// name them in the program.
func Example() {
	resolver, err := client.NewResolver(client.ResolverOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer resolver.Close()
	routes := client.NewRoutes(resolver, client.RoutesOptions{})
	defer routes.Close()
	producer, err := client.NewProducer(routes, client.ProducerOptions{
		Group: "orders", Selector: client.LeastInFlight{}, SendTimeout: 10 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	route, err := routes.Fetch(ctx, "Orders")
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range route.Data.BrokerDatas {
		fmt.Println("Orders is on", b.BrokerName, "of", b.Cluster)
	}
	result, err := producer.Send(ctx, &client.Message{
		Topic: "Orders", Body: []byte(`{"order": 4711}`), Tags: "new", Keys: []string{"4711"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Status, "by", result.Queue.BrokerName, "at offset", result.QueueOffset)
	// Output:
	// Orders is on broker-a of DefaultCluster
	// SEND_OK by broker-a at offset 0
}

// What is known of name servers: which one is in use, which stand by, what went wrong.
func ExampleResolver_Servers() {
	resolver, err := client.NewResolver(client.ResolverOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer resolver.Close()
	route, err := resolver.Route(context.Background(), "Orders")
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range route.BrokerDatas {
		fmt.Println(b.BrokerName, "of", b.Cluster)
	}
	for _, s := range resolver.Servers() {
		fmt.Println("a name server", s.Role, s.LastError)
	}
	// Output:
	// broker-a of DefaultCluster
	// a name server in use <nil>
}

// What an error says: who was asked, what each of them did, and what it comes down to.
func ExampleSendError() {
	var producer *client.Producer // of client.NewProducer
	_, err := producer.Send(context.Background(), &client.Message{Topic: "Orders", Body: []byte("x")})
	var failed *client.SendError
	var refused *client.BrokerError
	switch {
	case err == nil:
	case errors.Is(err, client.ErrMessage):
		log.Print("such a message cannot be sent: ", err)
	case errors.Is(err, client.ErrTopicNotFound):
		log.Print("no name server knows the topic")
	case errors.As(err, &refused):
		log.Printf("%s refused it with code %d: %s", refused.Addr, refused.Code, refused.Remark)
	case errors.As(err, &failed):
		for _, a := range failed.Attempts {
			log.Printf("%s, after %v: %v", a.Addr, a.Took, a.Err)
		}
	}
}

// A watcher is told of brokers that come, go and move, and of queues.
func ExampleRoutes_Watch() {
	var routes *client.Routes // of client.NewRoutes
	stop := routes.Watch("Orders", func(c client.Change) {
		log.Printf("%s: brokers %v came, %v went, %v moved; %d queues", c.Topic, c.BrokersAdded, c.BrokersRemoved, c.BrokersMoved, len(c.New.Queues))
	})
	defer stop()
}

// A mix: a broker with half the disk gets half the messages, and less while it is slow.
func ExampleWeighted() {
	selector := client.Weighted{client.StaticWeights{"broker-small": 0.5}, client.ByLatency{}, client.ByInFlight{}}
	_ = client.ProducerOptions{Selector: selector}
}

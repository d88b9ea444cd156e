package failover

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pharosmq/pharos/bench/failover/openloop"
	"github.com/pharosmq/pharos/client"
)

// ClientOptions is what our client is told when it is under test.
type ClientOptions struct {
	Servers  []string
	Topic    string
	NoHedge  bool
	Selector string // "round-robin" or "least-in-flight"
	Load     openloop.Options
}

// RunClient puts the load on our client, with its defaults, until in ends. It prints the lines
// of package openloop.
func RunClient(ctx context.Context, o ClientOptions, in io.Reader, out io.Writer) (err error) {
	po := client.ProducerOptions{Group: "failover_producer"}
	switch o.Selector {
	case "round-robin":
		po.Selector = client.RoundRobin{}
	case "least-in-flight":
		po.Selector = client.LeastInFlight{}
	default:
		return fmt.Errorf("-selector: %q is neither round-robin nor least-in-flight", o.Selector)
	}
	c := &ourClient{topic: o.Topic}
	// KeepOrder: another name server is in use in each run, not one by chance.
	if c.resolver, err = client.NewResolver(client.ResolverOptions{Servers: o.Servers, KeepOrder: true, NoHedge: o.NoHedge}); err != nil {
		return err
	}
	c.routes = client.NewRoutes(c.resolver, client.RoutesOptions{})
	if c.producer, err = client.NewProducer(c.routes, po); err == nil {
		err = openloop.Run(ctx, c, o.Load, in, out)
		err = errors.Join(err, c.producer.Close())
	}
	return errors.Join(err, c.routes.Close(), c.resolver.Close())
}

// ourClient is an openloop.Client, Cacher and User.
type ourClient struct {
	topic    string
	resolver *client.Resolver
	routes   *client.Routes
	producer *client.Producer
}

func (c *ourClient) Lookup(ctx context.Context) error {
	_, err := c.resolver.Route(ctx, c.topic)
	return err
}

func (c *ourClient) Cached() error {
	r, ok := c.routes.Route(c.topic)
	if !ok || len(r.Queues) == 0 {
		return errors.New("the cache has no route")
	}
	return nil
}

func (c *ourClient) Send(ctx context.Context) (broker string, err error) {
	r, err := c.producer.Send(ctx, &client.Message{Topic: c.topic, Body: []byte("a message of the load")})
	if err != nil {
		return "", err
	}
	if r.Status != client.SendOK {
		return "", fmt.Errorf("status %v", r.Status)
	}
	return r.Queue.BrokerName, nil
}

// InUse is "" while no name server is.
func (c *ourClient) InUse() string {
	for _, s := range c.resolver.Servers() {
		if s.Role == client.ServerInUse {
			return s.Addr
		}
	}
	return ""
}

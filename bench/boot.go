package bench

import (
	"context"
	"time"

	"github.com/pharosmq/pharos/client"
	"github.com/pharosmq/pharos/codec"
)

// asking returns a client of one server, which gives it so long to answer. It connects when it
// is used. End it with Close.
func asking(addr string, timeout time.Duration) (*client.Resolver, error) {
	return client.NewResolver(client.ResolverOptions{
		Servers: []string{addr}, ConnectTimeout: time.Second, RPCTimeout: timeout,
	})
}

// firstAnswer asks a server for the route of a topic that nobody has, on a connection of its
// own: it is there when it answers, not when its kernel accepts. What the connection costs us
// is tens of microseconds, against starts of milliseconds.
func firstAnswer(ctx context.Context, c *client.Resolver, addr string) error {
	_, err := c.CallAt(ctx, addr, routeRequest("nobody-has-this-topic"), nil)
	return err
}

// routeRequest asks for a topic's route.
func routeRequest(topic string) codec.Header {
	return codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: topic}}}
}

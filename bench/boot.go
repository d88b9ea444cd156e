package bench

import (
	"context"
	"errors"
	"time"

	"github.com/pharosmq/pharos/client"
	"github.com/pharosmq/pharos/codec"
)

// bootConnectTimeout bounds one attempt to connect to a server that starts.
const bootConnectTimeout = time.Second

// firstAnswer connects to addr and asks for the route of a topic that nobody has: it is there
// when the server answers, not when its kernel accepts. Whatever comes is an answer: that of a
// yardstick, made for the correlation ids of the load engine, makes no sense to others.
func firstAnswer(ctx context.Context, addr string) error {
	r, err := client.NewResolver(client.ResolverOptions{Servers: []string{addr}, ConnectTimeout: bootConnectTimeout, RPCTimeout: bootTimeout})
	if err != nil {
		return err
	}
	defer r.Close()
	h := codec.Header{Code: codec.CodeGetRouteInfoByTopic, Ext: []codec.ExtField{{Key: "topic", Value: "nobody-has-this-topic"}}}
	if _, err = r.CallAt(ctx, addr, h, nil); errors.Is(err, client.ErrBadReply) {
		return nil
	}
	return err
}

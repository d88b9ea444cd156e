package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/pharosmq/pharos/bench/limit"
)

func defineLimit(fs *flag.FlagSet, e env) func(context.Context) error {
	listen := fs.String("listen", "127.0.0.1:9876", "`address` to listen on; port 0: any free one")
	body := fs.Int("body", 875, "`bytes` of the body of every reply")
	engine := fs.String("engine", "gnet", "gnet: as Pharos uses it, one loop; epoll: the bare system calls")
	return func(ctx context.Context) error {
		serve := limit.RunGnet
		switch *engine {
		case "gnet":
		case "epoll":
			serve = limit.RunEpoll
		default:
			return usagef("-engine %q is neither gnet nor epoll", *engine)
		}
		return serve(ctx, *listen, *body, func(address string) {
			fmt.Fprintf(e.stdout, "%s answers everything with %d bytes on %s\n", *engine, *body, address)
		})
	}
}

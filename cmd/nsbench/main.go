// Command nsbench puts load on RocketMQ name servers and compares them: lookups from real
// sockets, pretend brokers, the yardstick of what the event loop alone can do.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// env is all that the command touches of its process, so that tests run the real thing.
type env struct {
	args   []string
	getenv func(string) string
	stdout io.Writer
	stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, env{os.Args[1:], os.Getenv, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

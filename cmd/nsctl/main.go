// Command nsctl looks at a RocketMQ name server, Pharos or the Java one: routes, clusters,
// brokers and topics; and it can pretend to be a broker, to see a server at work.
//
// Nouns look, verbs change: only demo changes anything, and takes it back when it ends.
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

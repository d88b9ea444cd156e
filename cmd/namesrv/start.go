package main

import (
	"fmt"
	"io"
	"time"

	"github.com/pharosmq/pharos/internal/config"
)

// start reads the configuration and then prints it (-p) or serves with it.
func start(e env, opts options) int {
	cfg, err := config.Load(config.Source{ConfigFile: opts.configFile, Getenv: e.getenv})
	if err != nil {
		fmt.Fprintf(e.stderr, "namesrv: %v\n", err)
		return exitStart
	}
	if opts.print {
		sayLoaded(e.stdout, opts)
		for _, w := range cfg.Warnings() {
			fmt.Fprintf(e.stderr, "namesrv: %s\n", w)
		}
		printConfig(e.stdout, cfg, time.Now())
		return exitOK
	}
	// A stuck stdout must not hold up the server.
	stdout := newAsyncWriter(e.stdout, nil)
	defer stdout.Close(logFlushTimeout)
	sayLoaded(stdout, opts)
	return serve(e, cfg, stdout)
}

func sayLoaded(w io.Writer, opts options) {
	if opts.configFile != nil {
		fmt.Fprintf(w, "load config properties file OK, %s\n", *opts.configFile)
	}
}

// printConfig prints what Java's console logger prints for -p, in its time zone.
func printConfig(w io.Writer, cfg *config.Namesrv, now time.Time) {
	stamp := now.In(time.FixedZone("GMT+8", 8*60*60)).Format(time.DateTime)
	for _, line := range cfg.Printed() {
		fmt.Fprintf(w, "%s INFO main - %s\n", stamp, line)
	}
}

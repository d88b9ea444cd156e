package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit codes, Java's as the shell sees them.
const (
	exitOK       = 0
	exitOption   = 1   // an unknown option, an option without its value
	exitStart    = 255 // the server could not start (Java: -1)
	exitSignaled = 128 // plus the number of the signal that stopped it
)

// env is the process's surroundings, so that tests can make up their own.
type env struct {
	args           []string // without the program's name
	getenv         func(string) string
	stdout, stderr io.Writer
	stderrTerminal bool
	// signals delivers SIGTERM, SIGINT and SIGQUIT.
	signals <-chan os.Signal
	// hangups delivers SIGHUP, apart: however many come, none of the others is lost.
	hangups <-chan os.Signal
}

func main() {
	os.Exit(run(processEnv()))
}

// processEnv is the real surroundings. From here on SIGHUP ends nothing (Java stops, but
// under nohup), and a closed stdout or stderr is an error of a write instead of the end.
func processEnv() env {
	signal.Ignore(syscall.SIGPIPE)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGQUIT)
	// A shell without job control starts what it puts in the background with SIGINT
	// ignored; then a Ctrl-C is not meant for us.
	if !signal.Ignored(syscall.SIGINT) {
		signal.Notify(signals, syscall.SIGINT)
	}
	_, err := unix.IoctlGetTermios(int(os.Stderr.Fd()), unix.TCGETS)
	return env{
		args: os.Args[1:], getenv: os.Getenv,
		stdout: os.Stdout, stderr: os.Stderr, stderrTerminal: err == nil,
		signals: signals, hangups: hangups,
	}
}

// run is the whole command.
func run(e env) int {
	opts, err := parseOptions(e.args)
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		fmt.Fprint(e.stdout, usage)
		return exitOption
	}
	if opts.help {
		fmt.Fprint(e.stdout, usage)
		return exitOK
	}
	return start(e, opts)
}

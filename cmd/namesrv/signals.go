package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"syscall"
	"time"
)

// untilSignal waits for SIGTERM or SIGINT, stops the server, and returns Java's exit code
// for it: 143 or 130. A second one ends the wait for the stop. SIGQUIT only asks how
// things are, and SIGHUP opens the log file again.
func (p *process) untilSignal(signals, hangups <-chan os.Signal) int {
	var stopped chan struct{}
	code := exitOK
	for {
		select {
		case <-stopped:
			p.log.Info("stopped")
			return code
		case <-hangups:
			p.log.reopen()
		case sig := <-signals:
			if sig == syscall.SIGQUIT {
				p.dumpGoroutines()
				continue
			}
			if stopped != nil {
				p.log.Warn("a second signal: ending at once", "signal", sig.String())
				return code
			}
			p.log.Info("stopping", "signal", sig.String())
			code = exitSignaled + signalNumber(sig)
			stopped = make(chan struct{})
			go func() {
				p.down()
				close(stopped)
			}()
		}
	}
}

func signalNumber(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return int(s)
	}
	return 0
}

// dumpGoroutines writes what every goroutine does, as Java's SIGQUIT does for threads.
func (p *process) dumpGoroutines() {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s goroutine dump\n", time.Now().Format(time.RFC3339))
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		p.log.Warn("no goroutine dump", "error", err)
		return
	}
	fmt.Fprintln(&b, "end of goroutine dump")
	p.log.dump(b.Bytes())
}

package main

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/admin"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/connwatch"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// health is the watch over connections and the kernel's part in it.
type health struct {
	watch  *connwatch.Watch // nil: connectionHealth=off
	log    *logs
	cancel context.CancelFunc
	opened sync.WaitGroup
	tracer *bpf.Tracer
}

// newHealth makes the watch, which the server has to know before it listens.
func newHealth(cfg *config.Namesrv, log *logs) *health {
	h := &health{log: log, cancel: func() {}}
	if mode := connwatch.Mode(cfg.ConnectionHealth); mode != connwatch.Off {
		h.watch = connwatch.New(connwatch.Options{Mode: mode, Params: connhealth.DefaultParams(), Log: log.Logger})
	}
	return h
}

// watcher returns the watch as the server wants it: nil when there is none.
func (h *health) watcher() server.Watcher {
	if h.watch == nil {
		return nil
	}
	return h.watch
}

// diagnosis returns the watch as the HTTP port wants it: nil when there is none.
func (h *health) diagnosis() admin.Diagnosis {
	if h.watch == nil {
		return nil
	}
	return h.watch
}

// start begins to judge. The BPF programs are loaded behind the back of a server that
// answers already: that takes tens of milliseconds and, for as long, some ten megabytes.
func (h *health) start(srv *server.Server, table *routetable.Table, mode bpf.Mode, port uint16) {
	if h.watch == nil {
		return
	}
	h.watch.Start(srv, table)
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.opened.Go(func() {
		t, err := bpf.Open(bpf.Options{Mode: mode, Ports: []uint16{port}})
		if err != nil {
			h.watch.TraceFailed(err)
			h.log.tell("tcpTracing=on, but the kernel's events cannot be had, so connections are judged by samples alone: " + err.Error())
			return
		}
		h.tracer = t
		h.reportTracer(t)
		h.watch.Trace(ctx, t)
		debug.FreeOSMemory() // of the kernel's type information
	})
}

func (h *health) reportTracer(t *bpf.Tracer) {
	if t.Mode() != bpf.RunningEBPF {
		h.log.Info("connections are judged by samples alone, without the kernel's events", "reason", t.Reason())
		return
	}
	h.log.Info("the kernel reports retransmissions, resets and errors of our connections")
	for _, m := range t.Missing() {
		h.log.Info("a hook in the kernel is not available", "hook", m.Hook, "without", m.Feature, "reason", m.Reason)
	}
}

// stop ends what start began, after the server has stopped.
func (h *health) stop() {
	if h.watch == nil {
		return
	}
	h.opened.Wait()
	h.cancel()
	h.watch.Stop()
	if h.tracer != nil {
		_ = h.tracer.Close()
	}
}

package main

import (
	"context"
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
	watch      *connwatch.Watch // nil: connectionHealth=off
	log        *logs
	openTracer openTracer

	ctx    context.Context // until stop
	cancel context.CancelFunc
	mu     sync.Mutex // of what comes after loading
	tracer *bpf.Tracer
}

// openTracer is bpf.Open, or what tests have for it.
type openTracer func(bpf.Options) (*bpf.Tracer, error)

// newHealth makes the watch, which the server has to know before it listens.
func newHealth(cfg *config.Namesrv, log *logs, open openTracer) *health {
	h := &health{log: log, openTracer: open}
	h.ctx, h.cancel = context.WithCancel(context.Background())
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
	go func() {
		t, err := h.openTracer(bpf.Options{Mode: mode, Ports: []uint16{port}})
		h.opened(t, err)
		srv.GiveBackWhenCalm() // the kernel's type information, which is garbage now
	}()
}

// opened takes the programs into use, unless the server was stopped meanwhile.
func (h *health) opened(t *bpf.Tracer, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch stopped := h.ctx.Err() != nil; {
	case err != nil && stopped:
	case err != nil:
		h.watch.TraceFailed(err)
		h.log.tell("tcpTracing=on, but the kernel's events cannot be had, so connections are judged by samples alone: " + err.Error())
	case stopped:
		_ = t.Close() // nobody reads it
	default:
		h.tracer = t
		h.reportTracer(t)
		h.watch.Trace(h.ctx, t)
	}
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

// stop ends what start began, after the server has stopped. It does not wait for programs
// that are still being loaded: the kernel takes as long as it likes for that.
func (h *health) stop() {
	h.cancel()
	if h.watch == nil {
		return
	}
	h.mu.Lock()
	t := h.tracer
	h.mu.Unlock()
	h.watch.Stop()
	if t != nil {
		_ = t.Close()
	}
}

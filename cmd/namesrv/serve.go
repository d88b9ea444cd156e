package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/internal/admin"
	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/kvconfig"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// stopTimeout bounds a stop, without the time of a graceful one.
const stopTimeout = 8 * time.Second

// process is a name server with everything around it.
type process struct {
	cfg   *config.Namesrv
	log   *logs
	srv   *server.Server
	admin *admin.Server // nil: off
	heap  *smallHeap    // nil: the collector is as it was

	openTracer openTracer
	health     *health
}

// serve runs the server until a signal stops it.
func serve(e env, cfg *config.Namesrv, stdout io.Writer) int {
	p := &process{cfg: cfg, log: openLogs(cfg, e.stderr, e.stderrTerminal), openTracer: bpf.Open}
	defer p.log.close()
	slog.SetDefault(p.log.Logger)
	p.reportConfig()
	if err := p.up(); err != nil {
		p.log.fatal(err)
		return exitStart
	}
	boot := fmt.Sprintf("The Name Server boot success. serializeType=%s, address %s:%d",
		cfg.SerializeType, cfg.BindAddress, cfg.BoundPort())
	p.log.Info(boot)
	fmt.Fprintln(stdout, boot)
	return p.untilSignal(e.signals, e.hangups)
}

// reportConfig says in the log where the settings came from, and what in them was not
// taken as written.
func (p *process) reportConfig() {
	p.log.Info("Pharos starts", "revision", revision(), "configFile", p.cfg.ConfigFile(), "rocketmqHome", p.cfg.RocketmqHome,
		"userHome", p.cfg.UserHome, "kvConfigPath", p.cfg.KVConfigPath, "configStorePath", p.cfg.ConfigStorePath)
	for _, hint := range p.cfg.Hints() {
		p.log.Info(hint)
	}
	for _, w := range p.cfg.Warnings() {
		p.log.tell(w.String())
	}
}

// revision is the commit the binary was built from.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}

// up brings everything up, or leaves nothing behind.
func (p *process) up() error {
	p.limitMemory()
	kv, err := kvconfig.Load(kvconfig.Options{
		Path: p.cfg.KVConfigPath, NamespaceBytesMax: p.cfg.KVNamespaceBytesMax, Warn: p.log.Warn,
	})
	if err != nil {
		return err
	}
	if err := kv.Writable(); err != nil {
		p.log.tell(fmt.Sprintf("the KV file %s (kvConfigPath) cannot be written, so every PUT_KV_CONFIG will be refused: %v", kv.Path(), err))
	}
	options, err := server.OptionsFrom(p.cfg)
	if err != nil {
		return err
	}
	table := routetable.New(routetable.Options{BodyBytesMax: bodyBytesMax(p.cfg.RouteCacheBytesMax)})
	p.health = newHealth(p.cfg, p.log, p.openTracer)
	p.srv, err = server.New(options, server.Deps{
		Log: p.log.Logger, Table: table, Config: p.cfg, KV: kv, Watcher: p.health.watcher(),
	})
	if err != nil {
		return err
	}
	p.heap = letSmallHeapGrow() // before anybody is answered, whom it would stop
	if err := p.srv.Start(); err != nil {
		p.heap.end()
		return err
	}
	p.cfg.SetBoundPort(int(p.srv.Addr().Port()))
	p.health.start(p.srv, table, bpf.Mode(p.cfg.TCPTracing), p.srv.Addr().Port())
	if err := p.startAdmin(); err != nil {
		p.down()
		return err
	}
	p.srv.GiveBackWhenCalm() // what the start leaves
	return nil
}

// bodyBytesMax: routeCacheBytesMax=0 means none, which the table spells differently.
func bodyBytesMax(bytes int64) int64 {
	if bytes == 0 {
		return -1
	}
	return bytes
}

// limitMemory tells the collector about the memory limit of the container. GOMEMLIMIT and
// AUTOMEMLIMIT in the environment have the last word.
func (p *process) limitMemory() {
	limit, err := memlimit.Set()
	if err != nil {
		p.log.Warn("the memory limit of the container was not found out; set GOMEMLIMIT if there is one", "error", err)
		return
	}
	p.log.Debug("memory limit of the garbage collector", "bytes", limit)
}

// startAdmin opens the HTTP port. A name server without it is a name server, so a busy
// default port is only worth a warning; one that was asked for stops the start.
func (p *process) startAdmin() error {
	if p.cfg.AdminListen == "" {
		return nil
	}
	a, err := admin.Start(admin.Options{Listen: p.cfg.AdminListen, Source: p.srv, Diagnosis: p.health.diagnosis(), Log: p.log.Logger})
	if err != nil && p.cfg.IsSet("adminListen") {
		return err
	}
	if err != nil {
		p.log.tell(fmt.Sprintf("no HTTP port for metrics and health (set adminListen to another address, or to nothing): %v", err))
		return nil
	}
	p.admin = a
	p.log.Info("metrics and health", "address", a.Addr().String())
	return nil
}

// down stops everything that is up.
func (p *process) down() {
	timeout := stopTimeout
	if p.cfg.EnableShutdownGracefully {
		timeout += time.Duration(max(0, p.cfg.ShutdownWaitTimeSeconds)) * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	p.heap.end()
	if err := p.srv.Stop(ctx); err != nil {
		p.log.Warn("the server did not stop cleanly", "error", err)
	}
	p.health.stop()
	if p.admin == nil {
		return
	}
	if err := p.admin.Stop(ctx); err != nil {
		p.log.Warn("the HTTP port did not stop cleanly", "error", err)
	}
}

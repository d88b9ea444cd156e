package server

import (
	"log/slog"
	"sync"

	"github.com/pharosmq/pharos/internal/config"
	"github.com/pharosmq/pharos/internal/kvconfig"
	"github.com/pharosmq/pharos/routetable"
)

// Deps is what a Server is given to serve from. What is nil becomes its default, which is
// a name server without files: an empty table, default settings, and a KV table that can
// be read (it is empty) and not written.
type Deps struct {
	// Log gets what the operator should know. Nil: slog.Default().
	Log *slog.Logger
	// Table is the route table. It outlives the engine, and belongs to the server.
	Table *routetable.Table
	// Config are the settings; what is live in it is read for each request.
	Config *config.Namesrv
	// KV is the KV table with its file.
	KV *kvconfig.Store
	// Watcher is told of connections and judges their ends. Nil: nobody is, nobody does.
	Watcher Watcher
}

// handlers is what the request handlers share. It is made once, before the first
// connection, and used from all loops and lanes at once.
type handlers struct {
	srv     *Server // lanes, connections by id, limits
	log     *slog.Logger
	lines   *RateLimitedLog
	events  eventLog // of brokers
	changes eventLog // by operators' requests
	futile  eventLog // operators' requests that changed nothing
	clock   *Clock
	table   *routetable.Table
	config  *config.Namesrv
	kv      *kvconfig.Store

	notifier      *minBrokerNotifier
	stats         handlerCounters
	registerSinks sync.Pool
	startMillis   int64
	quit          chan struct{} // closed when the housekeeping is to end
	running       sync.WaitGroup
}

func newHandlers(srv *Server, deps Deps) *handlers {
	if deps.Table == nil {
		deps.Table = routetable.New(routetable.Options{})
	}
	if deps.Config == nil {
		deps.Config = config.New(config.DefaultSettings(""), config.DefaultLive())
	}
	if deps.KV == nil {
		deps.KV, _ = kvconfig.Load(kvconfig.Options{}) // no file: nothing can be wrong with it
	}
	return &handlers{
		srv: srv, log: srv.log, lines: srv.lines, clock: srv.clock,
		events:  newEventLog(srv, eventsInWindow),
		changes: newEventLog(srv, changesInWindow),
		futile:  newEventLog(srv, eventsInWindow),
		table:   deps.Table, config: deps.Config, kv: deps.KV,
		notifier:    newMinBrokerNotifier(srv.o.SerializeType, deps.Config.ConnectTimeoutMillis),
		startMillis: srv.clock.Millis(),
		quit:        make(chan struct{}),
	}
}

// rules are the settings that a transaction depends on, as they are now.
func (h *handlers) rules() routetable.Rules {
	live := h.config.Live()
	return routetable.Rules{
		DeleteTopicWithBrokerRegistration: live.DeleteTopicWithBrokerRegistration,
		NotifyMinBrokerIDChanged:          live.NotifyMinBrokerIDChanged,
	}
}

// started is called when the server listens.
func (h *handlers) started() {
	h.notifier.start()
	h.running.Go(func() { h.runExpiryScan(h.quit) })
}

// stopping is called once, when the server begins to stop: the timers end, so that nobody
// is removed for being silent towards a server that does not listen.
func (h *handlers) stopping() {
	close(h.quit)
	h.running.Wait()
	h.notifier.stop()
}

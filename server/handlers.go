package server

import (
	"log/slog"
)

// handlers is what the request handlers share. It is made once, before the first
// connection, and used from all loops and lanes at once.
type handlers struct {
	srv   *Server // lanes, connections by id, clock
	deps  Deps
	log   *slog.Logger
	clock *Clock
}

// Deps is what a Server is given to serve from.
type Deps struct {
	// Log gets what the operator should know. Nil: slog.Default().
	Log *slog.Logger
}

func newHandlers(srv *Server, deps Deps) *handlers {
	return &handlers{srv: srv, deps: deps, log: srv.log, clock: srv.clock}
}

// connOpened is called on the connection's loop, before its first request.
func (h *handlers) connOpened(Conn) {}

// connClosed is called once on the connection's loop, after the last request. What the
// connection carried is in conn.Bindings. It must not block: submit to the lanes.
func (h *handlers) connClosed(Conn, CloseReason) {}

// started is called when the server listens, stopping when it begins to stop: for
// timers of the housekeeping.
func (h *handlers) started() {}

func (h *handlers) stopping() {}

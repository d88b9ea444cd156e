package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 60 * time.Second
	headerBytesMax = 16 << 10
	scrapesMax     = 4 // at once; a scrape asks every event loop
)

// Options say where the port is and what it shows.
type Options struct {
	// Listen is host:port; the port may be 0.
	Listen string
	// Source is the server that is shown.
	Source Source
	// Diagnosis tells about connections; nil: they are not watched.
	Diagnosis Diagnosis
	Log       *slog.Logger
}

// Server is the HTTP port.
type Server struct {
	http     *http.Server
	listener net.Listener
	log      *slog.Logger
	ended    chan struct{}
}

// Start listens and serves until Stop. It returns an error when the address can't be
// listened on.
func Start(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("adminListen=%s: %w", o.Listen, err)
	}
	s := &Server{
		listener: l, log: o.Log, ended: make(chan struct{}),
		http: &http.Server{
			Handler:      handler(o),
			ReadTimeout:  readTimeout,
			WriteTimeout: writeTimeout,
			IdleTimeout:  idleTimeout, MaxHeaderBytes: headerBytesMax,
			ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		},
	}
	go s.serve()
	return s, nil
}

func (s *Server) serve() {
	defer close(s.ended)
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("the admin port ended", "address", s.listener.Addr().String(), "error", err)
	}
}

// Addr is the address that is listened on, with the real port.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stop ends it, waiting for answers under way until ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.ended
	return err
}

func handler(o Options) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(o.Source, o.Diagnosis), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", computing(o.Source, promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesMax,
		ErrorLog:            slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	})))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reason := o.Source.NotReady(); reason != "" {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	(&diagnosis{of: o.Diagnosis, slots: make(chan struct{}, questionsMax)}).register(mux, o.Source)
	return mux
}

// computing has s know that an answer is made, which may take long.
func computing(s Source, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.Computing()()
		h.ServeHTTP(w, r)
	})
}

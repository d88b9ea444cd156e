package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/pharosmq/pharos/internal/diag"
)

// Diagnosis is what is known about connections; *connwatch.Watch is one. All methods may be
// called at the same time and end when ctx does.
type Diagnosis interface {
	// Conns calls yield for every open connection that f wants; the row is valid during the call.
	Conns(ctx context.Context, f *diag.ConnFilter, yield func(*diag.Conn) error) error
	// Conn explains one connection, open or closed.
	Conn(ctx context.Context, id uint64) (diag.ConnReport, error)
	// Evidence returns what is kept with ids greater than after.
	Evidence(after uint64) diag.EvidencePage
	// Brokers returns every registration and what is thought of it.
	Brokers(ctx context.Context) ([]diag.BrokerState, error)
	// Dump asks the kernel for all sockets of ours.
	Dump(ctx context.Context) (diag.Dump, error)
	// Health returns counters; with an error, those that could be had.
	Health(ctx context.Context) (diag.Health, error)
}

// questionsMax bounds the answers about connections that are worked out at once.
const questionsMax = 4

// diagnosis serves what names peers: to processes of this machine only, whatever address the
// port listens on.
type diagnosis struct {
	of    Diagnosis // nil: connections are not watched
	slots chan struct{}
}

func (d *diagnosis) register(mux *http.ServeMux, s Source) {
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /conns":      d.conns,
		"GET /conns/dump": d.dump,
		"GET /conns/{id}": d.conn,
		"GET /brokers":    d.brokers,
		"GET /evidence":   d.evidence,
	} {
		mux.Handle(pattern, computing(s, d.guarded(serve)))
	}
}

// guarded refuses who must not ask, and turns errors into answers.
func (d *diagnosis) guarded(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !fromHere(r) {
			http.Error(w, "only processes of this machine are told about connections", http.StatusForbidden)
			return
		}
		if d.of == nil {
			http.Error(w, "connections are not watched: connectionHealth=off", http.StatusServiceUnavailable)
			return
		}
		select {
		case d.slots <- struct{}{}:
			defer func() { <-d.slots }()
		default:
			http.Error(w, fmt.Sprintf("%d questions are being answered; try again", questionsMax), http.StatusServiceUnavailable)
			return
		}
		if err := serve(w, r); err != nil {
			http.Error(w, err.Error(), statusOf(err))
		}
	}
}

// errQuestion is a question that makes no sense.
var errQuestion = errors.New("bad question")

func statusOf(err error) int {
	switch {
	case errors.Is(err, errQuestion):
		return http.StatusBadRequest
	case errors.Is(err, diag.ErrNoConn):
		return http.StatusNotFound
	case errors.Is(err, diag.ErrNoDump):
		return http.StatusNotImplemented
	}
	return http.StatusServiceUnavailable
}

// fromHere reports whether a request comes from this machine, and not from a web page that
// was led to it by a name of its own.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	here, err := netip.ParseAddrPort(local.String())
	if err != nil || !peer.Addr().IsLoopback() && peer.Addr().Unmap() != here.Addr().Unmap() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err = netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return dropped(json.NewEncoder(w).Encode(v))
}

// dropped ends an answer that was begun and can't be told to have failed.
func dropped(err error) error {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// conns streams an array with a line for each connection.
func (d *diagnosis) conns(w http.ResponseWriter, r *http.Request) error {
	f, err := filterOf(r)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 32<<10)
	rows := 0
	err = d.of.Conns(r.Context(), &f, func(c *diag.Conn) error {
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		separator := ",\n"
		if rows++; rows == 1 {
			w.Header().Set("Content-Type", "application/json")
			separator = "[\n"
		}
		_, _ = out.WriteString(separator) // the error stays until the next
		_, err = out.Write(line)
		return err
	})
	switch {
	case err != nil && rows == 0:
		return err
	case err != nil:
		return dropped(err)
	case rows == 0:
		return writeJSON(w, []diag.Conn{})
	}
	_, _ = out.WriteString("\n]\n")
	return dropped(out.Flush())
}

func filterOf(r *http.Request) (diag.ConnFilter, error) {
	q := r.URL.Query()
	f := diag.ConnFilter{Role: q.Get("role"), Broker: q.Get("broker"), Peer: q.Get("peer")}
	if f.Role != "" && f.Role != diag.RoleBroker && f.Role != diag.RoleClient {
		return f, fmt.Errorf("%w: role=%s: it is broker or client", errQuestion, f.Role)
	}
	if text := q.Get("suspect"); text != "" {
		suspect, err := strconv.ParseBool(text)
		if err != nil {
			return f, fmt.Errorf("%w: suspect=%s: it is true or false", errQuestion, text)
		}
		f.Suspect = suspect
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return f, fmt.Errorf("%w: limit=%s: it is a number from 1", errQuestion, text)
		}
		f.Limit = n
	}
	return f, nil
}

func (d *diagnosis) conn(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil || id == 0 {
		return fmt.Errorf("%w: %q is no connection's id", errQuestion, r.PathValue("id"))
	}
	report, err := d.of.Conn(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, &report)
}

func (d *diagnosis) brokers(w http.ResponseWriter, r *http.Request) error {
	list, err := d.of.Brokers(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, list)
}

func (d *diagnosis) evidence(w http.ResponseWriter, r *http.Request) error {
	after := uint64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("%w: after=%s: it is an id", errQuestion, text)
		}
	}
	page := d.of.Evidence(after)
	return writeJSON(w, &page)
}

func (d *diagnosis) dump(w http.ResponseWriter, r *http.Request) error {
	dump, err := d.of.Dump(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, &dump)
}

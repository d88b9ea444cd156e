package connwatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
	"github.com/pharosmq/pharos/routetable"
)

func (r *rig) rows(f diag.ConnFilter) (list []diag.Conn) {
	r.t.Helper()
	if err := r.Conns(r.t.Context(), &f, func(c *diag.Conn) error { list = append(list, *c); return nil }); err != nil {
		r.t.Fatal(err)
	}
	return list
}

func TestConnectionsAfterABrokerVanished(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	r.opens(3, "10.0.0.3:5000")
	rows := r.rows(diag.ConnFilter{})
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	a, b, c := rows[0], rows[1], rows[2]
	if a.ID != 1 || a.Role != diag.RoleBroker || a.State != diag.StateParked || a.Why != "idle_silent" || a.Probes < 5 || a.SilentMillis < 4000 || a.HeardAgeMillis < 10_000 {
		t.Errorf("the dead: %+v", a)
	}
	if b.State != diag.StateOK || b.Why != "healthy" || b.Peer != "10.0.0.2:4002" || b.Language != "JAVA" || b.Version != 513 || !b.WindowKnown || b.WindowBytes != 64_000 || b.RTTMicros != 400 {
		t.Errorf("the living: %+v", b)
	}
	if c.Role != diag.RoleClient || c.Sampled || c.SampleAge != -1 || c.WindowKnown {
		t.Errorf("the client: %+v", c)
	}
	f := func(want string, filter diag.ConnFilter) {
		t.Helper()
		got := ""
		for _, row := range r.rows(filter) {
			got += fmt.Sprint(row.ID)
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", filter, got, want)
		}
	}
	f("12", diag.ConnFilter{Role: "broker"})
	f("3", diag.ConnFilter{Role: "client"})
	f("1", diag.ConnFilter{Suspect: true})
	f("2", diag.ConnFilter{Broker: "10.0.0.2:10"})
	f("3", diag.ConnFilter{Peer: "10.0.0.3"})
	f("12", diag.ConnFilter{Limit: 2})
}

func TestExplainAConnection(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	report, err := r.Conn(t.Context(), 1)
	if err != nil || report.Conn == nil || report.Why == nil || len(report.Evidence) != 2 || len(report.Why.Timeline) == 0 {
		t.Errorf("open: %+v, %v", report, err)
	}
	r.srv.mu.Lock()
	delete(r.srv.conns, routetable.ConnID(1))
	r.srv.mu.Unlock()
	r.happens(note{kind: noteClosed, conn: 1, how: connhealth.CloseOurs})
	report, err = r.Conn(t.Context(), 1)
	if err != nil || report.Conn != nil || len(report.Evidence) != 2 {
		t.Errorf("closed: %+v, %v", report, err)
	}
	if report, err := r.Conn(t.Context(), 2); err != nil || len(report.Evidence) != 0 {
		t.Errorf("nothing happened to 2: %+v, %v", report, err)
	}
	if _, err := r.Conn(t.Context(), 99); !errors.Is(err, diag.ErrNoConn) {
		t.Errorf("unknown: %v", err)
	}
	if _, known := r.det.Conn(0, 1); known || len(r.tally.suspects) != 0 {
		t.Error("a closed connection is remembered")
	}
}

func TestBrokersAndTheirStates(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	r.silence()
	list, err := r.Brokers(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	a, b := list[0], list[1]
	if a.Name != "broker-a" || a.State != "parked" || a.Judged != "parked" || a.Why != "silence" || a.Class != "idle_silent" || a.Conn != 1 || a.SinceMillis < 1000 || a.HeartbeatAgeMillis != -1 {
		t.Errorf("the dead: %+v", a)
	}
	if b.State != "live" || b.Basis != "registered" || b.Why != "named" {
		t.Errorf("the living: %+v", b)
	}
}

// Goal: eighteen thousand connections, all of one host, don't hold up the watch.
func TestManyConnectionsInShortPieces(t *testing.T) {
	const n = 18_000
	r := newRig(t, slog.DiscardHandler)
	for id := range connhealth.ConnID(n) {
		r.opens(id+1, fmt.Sprintf("10.0.%d.%d:4000", id>>8&3, id&255))
	}
	for id := range connhealth.ConnID(200) {
		r.registers(id+1, "broker", fmt.Sprintf("10.0.0.%d:10911", id&255))
	}
	// Of several passes the best: others use this machine, too.
	typical := time.Hour
	for pass := 0; pass < 5 && typical > 50*time.Millisecond; pass++ {
		var pieces []time.Duration
		for ids := r.srv.ConnectionIDs(); len(ids) > 0; {
			began := time.Now()
			p, err := r.piece(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if p.done == 0 || p.done > pieceRows {
				t.Fatalf("a piece of %d", p.done)
			}
			pieces = append(pieces, time.Since(began))
			ids = ids[p.done:]
		}
		slices.Sort(pieces)
		typical = min(typical, pieces[len(pieces)/2])
		t.Logf("%d pieces, typically %v, the longest %v", len(pieces), pieces[len(pieces)/2], pieces[len(pieces)-1])
	}
	if typical > 50*time.Millisecond {
		t.Errorf("a piece takes %v", typical)
	}
	rows := r.rows(diag.ConnFilter{})
	if len(rows) != n || rows[0].ID != 1 || rows[n-1].ID != n {
		t.Errorf("%d rows", len(rows))
	}
}

func TestQuestionsThatFail(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(ctx, r.Watch, func(int64) int { panic("a mistake") }); err == nil {
		t.Error("a question that panicked was answered")
	}
	if got, err := ask(t.Context(), r.Watch, func(int64) int { return 7 }); got != 7 || err != nil {
		t.Errorf("after a panic: %d, %v", got, err)
	}
	nobody := New(Options{Mode: Evict})
	ctx, cancel = context.WithTimeoutCause(t.Context(), 10*time.Millisecond, diag.ErrBusy)
	defer cancel()
	if _, err := nobody.Health(ctx); !errors.Is(err, diag.ErrBusy) {
		t.Errorf("nobody answers: %v", err)
	}
	r.broken.Store(true)
	if _, err := r.Brokers(t.Context()); !errors.Is(err, diag.ErrNotJudging) {
		t.Errorf("after a panic of the detector: %v", err)
	}
	if h, err := r.Health(t.Context()); err == nil || h.Mode != "evict" || h.Tracing != bpf.RunningSampling {
		t.Errorf("what can be had without it: %+v, %v", h, err)
	}
}

func TestDumpSaysWhatIsMissing(t *testing.T) {
	r := newRig(t, slog.DiscardHandler)
	tracer, err := bpf.Open(bpf.Options{Mode: bpf.ModeOff})
	if err != nil {
		t.Fatal(err)
	}
	r.Trace(t.Context(), tracer)
	if _, err := r.Dump(t.Context()); !errors.Is(err, diag.ErrNoDump) || !strings.Contains(err.Error(), "turned off") {
		t.Errorf("error %v", err)
	}
}

package connwatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

const (
	// linesPerSecond bounds the lines about connections without a broker, and those about
	// brokers, over time: a router that dies can take thousands of clients with it, and any
	// peer can register and hang up again and again.
	linesPerSecond = 20
	// brokerLinesMax is how many about brokers may come at once: those of the largest cluster
	// that loses all of its brokers.
	brokerLinesMax = 1000
)

// record keeps what was decided or noticed, counts it and writes it to the log.
func (w *Watch) record(a *connhealth.Action) {
	if a.Kind == connhealth.ActDialBack || a.Kind == connhealth.ActKeepalive {
		return
	}
	w.tally.action(a)
	e := entry{at: w.wall(a), mode: w.o.Mode, action: *a}
	if a.Peer.IsValid() {
		e.peer = a.Peer.String()
	}
	e.id = w.kept.add(e)
	w.report(&e)
}

// wall is the time of day of an action.
func (w *Watch) wall(a *connhealth.Action) time.Time {
	now := time.Now()
	if a.Why == nil {
		return now
	}
	return now.Add(-millis(max(0, w.now()-a.Why.AtMillis)))
}

// line is what a kind of action says in the log.
type line struct {
	text   string
	broker slog.Level
	client slog.Level // about a connection without a broker
}

var lines = map[connhealth.ActionKind]line{
	connhealth.ActSuspect:   {"a connection is suspect: what was sent on it is not answered", slog.LevelInfo, slog.LevelDebug},
	connhealth.ActRecovered: {"a suspect connection has recovered", slog.LevelInfo, slog.LevelDebug},
	connhealth.ActHold:      {"a broker's connection closed out of trouble; its routes are kept until it is known whether it lives", slog.LevelInfo, slog.LevelInfo},
	connhealth.ActPark:      {"a broker cannot be reached and is hidden from routes until it is heard of", slog.LevelWarn, slog.LevelWarn},
	connhealth.ActRestore:   {"a broker lives and is shown in routes", slog.LevelInfo, slog.LevelInfo},
	connhealth.ActRemove:    {"a broker's connection was closed in order; the broker is unregistered", slog.LevelInfo, slog.LevelInfo},
	connhealth.ActCloseConn: {"a connection is half dead and closed", slog.LevelInfo, slog.LevelInfo},
	connhealth.ActFreeze:    {"so many hosts are silent at once that our own link may be at fault; verdicts wait", slog.LevelWarn, slog.LevelWarn},
	connhealth.ActThaw:      {"verdicts don't wait any longer", slog.LevelInfo, slog.LevelInfo},
}

// confirming is what a hold says that lasts for a dial-back: nothing was wrong before.
const confirming = "a broker's connection closed; its routes are kept until a dial-back has shown whether it is gone"

// textOf is what an action says in the log.
func (l *line) textOf(a *connhealth.Action) string {
	if a.Kind == connhealth.ActHold && a.Why != nil && a.Why.Rule == connhealth.RuleConfirmClose {
		return confirming
	}
	return l.text
}

// report writes one structured line about an entry.
func (w *Watch) report(e *entry) {
	l, known := lines[e.action.Kind]
	if !known {
		return
	}
	level := l.broker
	aboutClient := e.action.Broker.Addr == "" && e.action.Conn != 0
	if aboutClient {
		level = l.client
	}
	ctx := context.Background()
	if !w.o.Log.Enabled(ctx, level) {
		return
	}
	budget, most := &w.tally.brokerLines, brokerLinesMax
	if aboutClient {
		budget, most = &w.tally.clientLines, linesPerSecond
	}
	omitted, ok := budget.take(e.at, most)
	if !ok {
		return
	}
	x := e.evidence()
	w.o.Log.Log(ctx, level, l.textOf(&e.action), attributes(&x, omitted)...)
}

// attributes are the evidence as the log has it: names as in the JSON, one value each.
func attributes(x *diag.Evidence, omitted uint64) []any {
	args := []any{"mode", x.Mode, "action", x.Action}
	if b := x.Broker; b != nil {
		args = append(args, "clusterName", b.Cluster, "brokerName", b.Name, "brokerId", b.ID, "brokerAddr", b.Addr)
	}
	if x.Conn != 0 {
		args = append(args, "conn", x.Conn, "peer", x.Peer)
	}
	if x.HoldMillis != 0 {
		args = append(args, "holdMillis", x.HoldMillis)
	}
	w := &x.Why
	args = append(args, "why", w.Class, "rule", w.Rule, "freeze", w.Freeze)
	if x.Conn != 0 {
		args = append(args,
			"silentMillis", w.SilentMillis, "unansweredMillis", w.UnansweredMillis, "unanswered", w.Unanswered,
			"thresholdMillis", w.ThresholdMillis, "phi", round(w.Phi), "lossOwn", round(w.LossOwn), "lossGlobal", round(w.LossGlobal),
			"heardAgeMillis", w.HeardAgeMillis, "ackAgeMillis", w.AckAgeMillis, "dataAgeMillis", w.DataAgeMillis,
			"unackedSegs", w.UnackedSegs, "retransmits", w.Retransmits, "probes", w.Probes, "windowBytes", w.WindowBytes, "rttMicros", w.RTTMicros,
			"witnessAgeMillis", w.WitnessAgeMillis, "alone", w.Alone)
	}
	if w.SoftError != "" {
		args = append(args, "softError", w.SoftError)
	}
	if x.Broker != nil {
		args = append(args, "dialBack", w.DialBack, "dialBackAgeMillis", w.DialBackAge, "strikes", w.Strikes, "hopOnly", w.HopOnly,
			"lastOfTopic", w.LastOfTopic)
	}
	if c := w.Close; c != nil {
		args = append(args, "close", c.How, "closeSilenceMillis", c.SilenceMillis, "closeLateMillis", c.LateMillis, "closeMass", c.Mass)
	}
	if w.NewConn != 0 {
		args = append(args, "newConn", w.NewConn)
	}
	if len(w.Timeline) > 0 {
		args = append(args, "timeline", w.TimelineText())
	}
	if omitted > 0 {
		args = append(args, "linesOmitted", omitted)
	}
	return append(args, "evidence", x.ID)
}

// round keeps three digits behind the point: more is noise in a log.
func round(f float64) float64 { return float64(int64(f*1000+0.5)) / 1000 }

// lineBudget bounds lines, and counts what was left out.
type lineBudget struct {
	second  int64
	n       int // lines of late: each second takes linesPerSecond off
	omitted uint64
}

// take reports whether another line may be written, of which so many may come at once, and
// how many were not before it.
func (b *lineBudget) take(at time.Time, most int) (omitted uint64, ok bool) {
	if passed := at.Unix() - b.second; passed > 0 {
		b.second += passed
		b.n = int(max(0, int64(b.n)-passed*linesPerSecond))
	}
	if b.n >= most {
		b.omitted++
		return 0, false
	}
	b.n++
	omitted, b.omitted = b.omitted, 0
	return omitted, true
}

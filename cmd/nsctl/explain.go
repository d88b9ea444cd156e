package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pharosmq/pharos/internal/diag"
)

func explainConn(ctx context.Context, s *session, args []string) error {
	id, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil || id == 0 {
		return fmt.Errorf("%q is no connection's id: nsctl conns shows them", args[0])
	}
	var report diag.ConnReport
	if err := s.getJSON(ctx, s.adminAddr(), "/conns/"+strconv.FormatUint(id, 10), &report); err != nil {
		return err
	}
	if s.json {
		enc := json.NewEncoder(s.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(&report)
	}
	var out strings.Builder
	writeReport(&out, id, &report)
	_, err = fmt.Fprint(s.stdout, out.String())
	return err
}

// writeReport is a connection's story: how it stands, then what was decided, oldest first.
func writeReport(out *strings.Builder, id uint64, r *diag.ConnReport) {
	if c := r.Conn; c == nil {
		fmt.Fprintf(out, "connection %d is closed\n", id)
	} else {
		fmt.Fprintf(out, "connection %d: %s %s, peer %s, open for %s\n", c.ID, c.Role, plain(identity(c)), c.Peer, span(c.AgeMillis))
		fmt.Fprintf(out, "now: %s, %s\n", c.State, c.Why)
		if r.Why != nil {
			writeWhy(out, r.Why)
		}
	}
	if len(r.Evidence) == 0 {
		fmt.Fprintln(out, "\nnothing was decided about it")
	}
	for i := range r.Evidence {
		e := &r.Evidence[i]
		fmt.Fprintf(out, "\n#%d %s %s", e.ID, e.Time.UTC().Format("2006-01-02 15:04:05.000"), strings.ToUpper(e.Action))
		if e.Broker != nil {
			fmt.Fprintf(out, " %s", plain(e.Broker.String()))
		}
		fmt.Fprintf(out, " by rule %s, %s", e.Why.Rule, e.Why.Class)
		if e.Conn != 0 && e.Conn != id {
			fmt.Fprintf(out, ", connection %d", e.Conn)
		}
		if e.HoldMillis > 0 {
			fmt.Fprintf(out, ", for at most %s", span(e.HoldMillis))
		}
		if e.Mode == "observe" {
			fmt.Fprint(out, " (observed only: nothing was done)")
		}
		fmt.Fprintln(out)
		writeWhy(out, &e.Why)
	}
}

func writeWhy(out *strings.Builder, w *diag.Why) {
	line := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
	if w.ThresholdMillis > 0 { // there is a connection
		line("silent %s of %s (tested), without an answer %s, %d transmissions unanswered, phi %.1f",
			span(w.SilentMillis), span(w.ThresholdMillis), span(w.UnansweredMillis), w.Unanswered, w.Phi)
		line("heard %s ago, acknowledgement %s, data %s; RTT %s, loss to this host %s, to all %s",
			span(w.HeardAgeMillis), span(w.AckAgeMillis), span(w.DataAgeMillis), micros(w.RTTMicros), loss(w.LossOwn), loss(w.LossGlobal))
		line("in flight %d segments, %d time-outs in a row, %d probes unanswered, window %s", w.UnackedSegs, w.Retransmits, w.Probes, windowText(w.WindowBytes))
	}
	var facts []string
	fact := func(say bool, format string, args ...any) {
		if say {
			facts = append(facts, fmt.Sprintf(format, args...))
		}
	}
	fact(w.WitnessAgeMillis >= 0, "another host was heard %s ago", span(w.WitnessAgeMillis))
	fact(w.Alone, "no other host that could be a witness")
	fact(w.Freeze != "none", "freeze: %s", w.Freeze)
	fact(w.DialBack != "none", "dial-back %s %s ago", w.DialBack, span(w.DialBackAge))
	fact(w.Strikes > 0, "%d contradicted verdicts double its thresholds", w.Strikes)
	fact(w.SoftError != "", "the network says: %s", w.SoftError)
	fact(w.HopOnly, "the peer is only a hop before the broker")
	fact(w.LastOfTopic, "the last broker of a topic")
	fact(w.NewConn != 0, "proved by connection %d", w.NewConn)
	if len(facts) > 0 {
		line("%s", strings.Join(facts, "; "))
	}
	if c := w.Close; c != nil {
		many := ""
		if c.Mass {
			many = ", one of many at once"
		}
		line("closed by %s; before it, unanswered for up to %s, our answers late by up to %s%s", c.How, span(c.SilenceMillis), span(c.LateMillis), many)
	}
	writeTimeline(out, w.Timeline)
}

func writeTimeline(out *strings.Builder, list []diag.Transmission) {
	if len(list) > 0 {
		fmt.Fprintln(out, "  transmissions:")
	}
	for i := range list {
		x := &list[i]
		rto := ""
		if x.RTOMillis > 0 {
			rto = fmt.Sprintf("rto %dms", x.RTOMillis)
		}
		at := fmt.Sprintf("-%.3fs", float64(x.BeforeMillis)/1000)
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %10s  %-15s  %-10s  %s", at, x.Class, rto, x.Error), " "))
	}
}

// windowText is a window in bytes, unless the kernel does not tell it.
func windowText(bytes uint32) string {
	if bytes == 1<<32-1 {
		return "?"
	}
	return strconv.FormatUint(uint64(bytes), 10)
}

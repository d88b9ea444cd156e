package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pharosmq/pharos/internal/diag"
)

func dumpConns(ctx context.Context, s *session, _ []string) error {
	var d diag.Dump
	if err := s.getJSON(ctx, s.adminAddr(), "/conns/dump", &d); err != nil {
		return err
	}
	slices.SortFunc(d.Sockets, func(a, b diag.Socket) int {
		return cmp.Or(cmp.Compare(a.Conn, b.Conn), cmp.Compare(a.Remote, b.Remote))
	})
	rows := make([][]string, len(d.Sockets))
	for i := range d.Sockets {
		rows[i] = socketCells(&d.Sockets[i])
	}
	if d.Omitted > 0 {
		fmt.Fprintf(s.stderr, "nsctl conns dump: %d more sockets were left out\n", d.Omitted)
	}
	return s.print(d, []string{"CONN", "ROLE", "IDENTITY", "LOCAL", "REMOTE", "STATE", "TIMER", "UNACKED", "UNSENT", "UNREAD",
		"RTOS", "PROBES", "WINDOW", "RTT", "RTO", "RESENT", "ACK", "DATA", "ERROR"}, rows)
}

func socketCells(d *diag.Socket) []string {
	names := make([]string, len(d.Brokers))
	for i, b := range d.Brokers {
		names[i] = b.String()
	}
	state := d.State
	if d.Orphan && d.State != "time_wait" && d.State != "new_syn_recv" {
		state += " (closed here)"
	}
	ack, data := span(int64(d.AckAgeMillis)), span(int64(d.DataAgeMillis))
	switch d.State {
	case "listen", "time_wait", "new_syn_recv":
		ack, data = "", "" // the kernel doesn't know
	}
	n := func(v uint32) string { return strconv.FormatUint(uint64(v), 10) }
	return []string{
		strconv.FormatUint(d.Conn, 10), d.Role, strings.Join(names, " "), d.Local, d.Remote, state, d.Timer,
		n(d.UnackedBytes), n(d.UnsentBytes), n(d.UnreadBytes), n(uint32(d.Retransmits)), n(uint32(d.Probes)), n(d.WindowBytes),
		micros(d.RTTMicros), n(d.RTOMillis) + "ms", n(d.TotalRetrans), ack, data,
		cmp.Or(d.Error, d.SoftError),
	}
}

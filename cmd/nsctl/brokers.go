package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pharosmq/pharos/internal/diag"
)

// brokerRow is one broker address.
type brokerRow struct {
	Cluster            string `json:"cluster"`
	Broker             string `json:"broker"`
	ID                 int64  `json:"id"`
	Addr               string `json:"addr"`
	Zone               string `json:"zone,omitempty"`
	EnableActingMaster bool   `json:"enableActingMaster"`
	// Health is there when the admin port told it.
	Health *diag.BrokerState `json:"health,omitempty"`
}

// showBrokers lists what the name server lists; where its admin port can be asked, also what
// it thinks of them, and those it hides.
func showBrokers(ctx context.Context, s *session, _ []string) error {
	info, err := s.clusterInfo(ctx)
	if err != nil {
		return err
	}
	var out []brokerRow
	for _, name := range slices.Sorted(maps.Keys(info.BrokerAddrTable)) {
		g := info.BrokerAddrTable[name]
		for _, id := range sortedIDs(g.BrokerAddrs) {
			out = append(out, brokerRow{Cluster: g.Cluster, Broker: name, ID: id, Addr: g.BrokerAddrs[id],
				Zone: g.ZoneName.String, EnableActingMaster: g.EnableActingMaster})
		}
	}
	heading := []string{"CLUSTER", "BROKER", "ID", "ADDRESS", "ZONE", "ACTING MASTER"}
	states, told := s.brokerStates(ctx)
	if told {
		out = withStates(out, states)
		heading = append(heading, "STATE", "SINCE", "WHY")
	}
	var rows [][]string
	for _, r := range out {
		row := []string{r.Cluster, r.Broker, strconv.FormatInt(r.ID, 10), r.Addr, r.Zone, strconv.FormatBool(r.EnableActingMaster)}
		if told {
			row = append(row, stateCells(r.Health)...)
		}
		rows = append(rows, row)
	}
	return s.print(out, heading, rows)
}

// brokerStates asks the admin port, if it is known. Only when it was named is it worth a word
// that it can't be asked.
func (s *session) brokerStates(ctx context.Context) (list []diag.BrokerState, told bool) {
	addr := s.ownAdmin()
	if addr == "" {
		return nil, false
	}
	if err := s.getJSON(ctx, addr, "/brokers", &list); err != nil {
		if s.admin.addr != "" {
			fmt.Fprintf(s.stderr, "nsctl brokers: states are not shown: %v\n", err)
		}
		return nil, false
	}
	return list, true
}

// withStates gives rows their states, and those that are hidden a row.
func withStates(rows []brokerRow, states []diag.BrokerState) []brokerRow {
	type key struct{ cluster, name, addr string }
	listed := map[key]int{}
	for i := range rows {
		listed[key{rows[i].Cluster, rows[i].Broker, rows[i].Addr}] = i
	}
	for i := range states {
		b := &states[i]
		if at, is := listed[key{b.Cluster, b.Name, b.Addr}]; is {
			rows[at].Health = b
			continue
		}
		rows = append(rows, brokerRow{Cluster: b.Cluster, Broker: b.Name, ID: b.ID, Addr: b.Addr, Health: b})
	}
	slices.SortStableFunc(rows, func(a, b brokerRow) int {
		return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
	})
	return rows
}

func stateCells(b *diag.BrokerState) []string {
	if b == nil {
		return []string{"?", "", ""}
	}
	state := strings.ToUpper(b.State)
	if b.Judged != b.State {
		state += " (would be " + strings.ToUpper(b.Judged) + ")"
	}
	why := b.Why
	if b.Class != "healthy" {
		why += ", " + b.Class
	}
	if b.Strikes > 0 {
		why += fmt.Sprintf(", %d strikes", b.Strikes)
	}
	return []string{state, span(b.SinceMillis), why}
}

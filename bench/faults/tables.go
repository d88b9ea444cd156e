package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pharosmq/pharos/bench/results"
)

// tables are the rows as docs/connection-health.md has them: for each path what died, what
// lived, and how long verdicts waited; a line for a case, a column for a server in a mode.
func tables(rows []Row) string {
	var b strings.Builder
	for _, path := range paths(rows) {
		of := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.path() != path })
		deaths := func(r *Row) bool { return r.Target.MaxSeconds != 0 }
		b.WriteString(table(of, "fault", path, "seconds until the dead are out: median (quartiles) / most; runs", deaths, (*Row).detection, (*Row).death))
		hardships := func(r *Row) bool { return r.Target.MaxSeconds == 0 }
		b.WriteString(table(of, "hardship", path, "seconds that the living were missing: mean / worst run; runs (broker-hours)", hardships, (*Row).missing, (*Row).hardship))
		frozen := func(r *Row) bool { return r.FreezeSeconds > 0 }
		b.WriteString(table(of, "case", path, "seconds that verdicts waited, of those watched", frozen, nil, (*Row).frozen))
	}
	return b.String()
}

// paths are the paths of rows, the shortest first.
func paths(rows []Row) (names []string) {
	sorted := slices.SortedStableFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.RTTMillis, b.RTTMillis) })
	for i := range sorted {
		names = append(names, sorted[i].path())
	}
	return slices.Compact(names)
}

// table has the rows of a path that belong into it, "" if none does.
func table(rows []Row, what, path, about string, belongs func(*Row) bool, target, cell func(*Row) string) string {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !belongs(&r) })
	if len(rows) == 0 {
		return ""
	}
	head := []string{what}
	if target != nil {
		head = append(head, "wanted")
	}
	series := columns(rows)
	t := results.NewTable(append(head, series...)...)
	for len(rows) > 0 {
		name := rows[0].Case
		line := []string{name}
		if target != nil {
			line = append(line, target(&rows[0]))
		}
		for _, s := range series {
			line = append(line, cellOf(rows, name, s, cell))
		}
		t.Row(line...)
		rows = slices.DeleteFunc(rows, func(r Row) bool { return r.Case == name })
	}
	return fmt.Sprintf("Path: %s; %s.\n\n%s\n", path, about, t)
}

func cellOf(rows []Row, name, series string, cell func(*Row) string) string {
	for i := range rows {
		if r := &rows[i]; r.Case == name && r.series() == series {
			return cell(r)
		}
	}
	return "-"
}

// columns are the series of rows: ours first, Java's last.
func columns(rows []Row) (names []string) {
	sorted := slices.SortedStableFunc(slices.Values(rows), func(a, b Row) int {
		return cmp.Or(-cmp.Compare(a.Server, b.Server), cmp.Compare(a.Mode, b.Mode))
	})
	for i := range sorted {
		names = append(names, sorted[i].series())
	}
	return slices.Compact(names)
}

func (r *Row) detection() string { return r.Target.detection() }

func (r *Row) missing() string { return wanted(r.Target.MissingSeconds) }

func (r *Row) death() string {
	text := r.found() + "; " + r.runs()
	if r.MissingSeconds > 0 {
		text += fmt.Sprintf("; the living missing for %.1f s", r.MissingSeconds)
	}
	return text + r.unmet()
}

func (r *Row) hardship() string {
	if r.Runs == 0 {
		return "-; " + r.runs()
	}
	text := "0"
	if r.MissingSeconds > 0 {
		text = fmt.Sprintf("%.1f / %.1f", r.MissingSeconds/float64(r.Runs), r.MissingMost)
	}
	return fmt.Sprintf("%s; %s (%.2f h)%s", text, r.runs(), r.BrokerHours, r.unmet())
}

func (r *Row) frozen() string { return fmt.Sprintf("%.1f of %.0f", r.FreezeSeconds, r.WatchedSeconds) }

func (r *Row) unmet() string {
	if r.Met == "NOT MET" {
		return " **NOT MET**"
	}
	return ""
}

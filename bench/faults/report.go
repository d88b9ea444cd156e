package faults

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pharosmq/pharos/bench/results"
)

// Summary is all that a folder's records say.
type Summary struct {
	Builds map[string]string // of the servers that tell
	Rows   []Row
	Claims []Claim
}

func summarize(o *Options) (*Summary, error) {
	rows, err := Rows(o)
	if err != nil {
		return nil, err
	}
	records, err := results.Read[*Record](o.Dir)
	if err != nil {
		return nil, err
	}
	return &Summary{Builds: results.Builds(records), Rows: rows, Claims: Claims(rows)}, nil
}

// WriteJSON writes the folder's results as JSON.
func WriteJSON(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	return results.WriteJSON(w, s)
}

// WriteMarkdown writes the folder's results as tables.
func WriteMarkdown(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, s.markdown())
	return err
}

func (s *Summary) markdown() string {
	var b strings.Builder
	for _, server := range slices.Sorted(maps.Keys(s.Builds)) {
		fmt.Fprintf(&b, "%s: %s\n\n", server, s.Builds[server])
	}
	rows := results.NewTable("fault", "server, mode", "path", "runs", "found after s: median (quartiles) / most",
		"wrongly missing s: all runs / worst run (removals)", "freeze s", "target", "")
	for i := range s.Rows {
		r := &s.Rows[i]
		rows.Row(r.Case, r.series(), r.path(), r.runs(), r.found(), r.missing(), fmt.Sprintf("%.1f", r.FreezeSeconds), r.Target.text(), r.Met)
	}
	claims := results.NewTable("claim", "found", "")
	for _, c := range s.Claims {
		claims.Row(c.Text, c.Found, c.Met)
	}
	fmt.Fprintf(&b, "%s\n%s", rows, claims)
	return b.String()
}

// Save writes report.md, report.json and pictures into the folder.
func Save(o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	if err := results.Save(o.Dir, s.markdown(), s); err != nil {
		return err
	}
	return drawAll(o.Dir, s.Rows)
}

func (r *Row) runs() string {
	if r.Failed > 0 {
		return fmt.Sprintf("%d + %d not measured", r.Runs, r.Failed)
	}
	return fmt.Sprint(r.Runs)
}

func (r *Row) found() string {
	text := "-"
	if n := len(r.Detected); n > 2 {
		text = fmt.Sprintf("%.2f (%.2f, %.2f) / %.2f", r.Median, r.Quartiles[0], r.Quartiles[1], r.Detected[n-1])
	} else if n > 0 {
		text = fmt.Sprintf("%.2f / %.2f", r.Median, r.Detected[n-1])
	}
	if r.Undetected > 0 {
		text += fmt.Sprintf(", %d never", r.Undetected)
	}
	if r.Returned > 0 {
		text += fmt.Sprintf(", %d came back", r.Returned)
	}
	return text
}

func (r *Row) missing() string {
	switch {
	case r.Runs == 0:
		return "-"
	case r.Removals == 0 && r.MissingSeconds == 0:
		return fmt.Sprintf("0 in %.2f broker-hours (95 %%: < %.1f/h)", r.BrokerHours, r.RemovalsMost)
	}
	return fmt.Sprintf("%.1f / %.1f (%d)", r.MissingSeconds, r.MissingMost, r.Removals)
}

func (t Target) text() string {
	number := func(x float64) string {
		if x == NoTarget {
			return "any"
		}
		return fmt.Sprintf("%g", x)
	}
	text := ""
	if t.MaxSeconds != 0 {
		text = number(t.MedianSeconds) + " / " + number(t.MaxSeconds) + ", "
	}
	return text + "missing " + number(t.MissingSeconds)
}

// List writes what there is to measure.
func List(w io.Writer, o *Options) error {
	for _, c := range o.cases() {
		if _, err := fmt.Fprintf(w, "%-26s %2d brokers  %-28s %s\n", c.Name, c.Brokers, c.Target.text(), c.Help); err != nil {
			return err
		}
	}
	return nil
}

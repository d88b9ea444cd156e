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
	claims := results.NewTable("claim", "found", "")
	for _, c := range s.Claims {
		claims.Row(c.Text, c.Found, c.Met)
	}
	fmt.Fprintf(&b, "%s%s", tables(s.Rows), claims)
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

func (t Target) text() string {
	text := ""
	if t.MaxSeconds != 0 {
		text = t.detection() + ", "
	}
	return text + "missing " + wanted(t.MissingSeconds)
}

// detection is of the median and of the slowest, in seconds.
func (t Target) detection() string { return wanted(t.MedianSeconds) + " / " + wanted(t.MaxSeconds) }

func wanted(seconds float64) string {
	if seconds == NoTarget {
		return "any"
	}
	return fmt.Sprintf("%g", seconds)
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

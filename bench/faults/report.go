package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	records, err := readRecords(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Summary{Builds: map[string]string{}, Rows: rows, Claims: Claims(rows)}
	for _, r := range records {
		if r.Build != "" {
			s.Builds[r.Server] = r.Build
		}
	}
	return s, nil
}

// WriteJSON writes the folder's results as JSON.
func WriteJSON(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(s)
}

// WriteMarkdown writes the folder's results as tables.
func WriteMarkdown(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for server, build := range s.Builds {
		fmt.Fprintf(&b, "%s: %s\n\n", server, build)
	}
	b.WriteString("| fault | server, mode | path | runs | found after s: median (quartiles) / most | wrongly missing s: all runs / worst run (removals) | freeze s | target | |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for i := range s.Rows {
		r := &s.Rows[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %.1f | %s | %s |\n",
			r.Case, r.series(), r.path(), r.runs(), r.found(), r.missing(), r.FreezeSeconds, r.Target.text(), r.Met)
	}
	b.WriteString("\n| claim | found | |\n|---|---|---|\n")
	for _, c := range s.Claims {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Text, c.Found, c.Met)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Save writes report.md, report.json and pictures into the folder.
func Save(o *Options) error {
	for name, write := range map[string]func(io.Writer, *Options) error{"report.md": WriteMarkdown, "report.json": WriteJSON} {
		var b bytes.Buffer
		if err := write(&b, o); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(o.Dir, name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	rows, err := Rows(o)
	if err != nil {
		return err
	}
	return drawAll(o.Dir, rows)
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

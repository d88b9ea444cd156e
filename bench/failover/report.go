package failover

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/pharosmq/pharos/bench/results"
)

// Summary is all that a folder's records say.
type Summary struct {
	Builds map[string]string // by client
	Rows   []Row
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
	return &Summary{Builds: results.Builds(records), Rows: rows}, nil
}

// WriteJSON writes the folder's results as JSON.
func WriteJSON(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	return results.WriteJSON(w, s)
}

// WriteMarkdown writes the folder's results as a table.
func WriteMarkdown(w io.Writer, o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, s.markdown())
	return err
}

func (s *Summary) markdown() string {
	table := results.NewTable("fault", "client", "runs", "lookups, failed", "from the cache, failed", "sends, failed", "longest wait: lookup / send",
		"lookups well after: median / most", "sends well after", "left after", "")
	for i := range s.Rows {
		r := &s.Rows[i]
		if r.Even != "" {
			table.Row(r.Case, r.Client, r.runs(), r.Even, "", "", "", "", "", "", r.Met)
			continue
		}
		table.Row(r.Case, r.Client, r.runs(), failures(r.Lookups, r.LookupsFailed), failures(r.Cached, r.CachedFailed), failures(r.Sends, r.SendsFailed),
			waited(r.LookupWait)+" / "+waited(r.SendWait), r.LookupsWell.text(), r.SendsWell.text(), r.Left.text(), r.verdict())
	}
	return table.String()
}

// failures is how many calls failed, of how many.
func failures(calls, failed int64) string {
	switch {
	case calls == 0:
		return "-"
	case failed == 0:
		return fmt.Sprintf("%d, 0", calls)
	}
	return fmt.Sprintf("%d, %d (%.3g %%)", calls, failed, 100*float64(failed)/float64(calls))
}

// waited is the longest wait; those of up to 200 ms are not noted.
func waited(s float64) string {
	if s == 0 {
		return "< 0.2 s"
	}
	return seconds(s)
}

func (t *Times) text() string {
	if t.N == 0 {
		return "-"
	}
	return seconds(t.Median) + " / " + seconds(t.Most)
}

func (r *Row) runs() string {
	text := fmt.Sprint(r.Runs)
	if r.Failed > 0 {
		text += fmt.Sprintf(" + %d not measured", r.Failed)
	}
	if r.Repeated > 0 {
		text += fmt.Sprintf(", %d repeated", r.Repeated)
	}
	return text
}

// verdict is what was wanted, and whether the program lived to the end.
func (r *Row) verdict() string {
	if r.Ended == 0 {
		return r.Met
	}
	return fmt.Sprintf("%s; program ended in %d of %d runs: %s", r.Met, r.Ended, r.Runs, r.EndedWhy)
}

// Save writes report.md, report.json and the picture into the folder.
func Save(o *Options) error {
	s, err := summarize(o)
	if err != nil {
		return err
	}
	if err := results.Save(o.Dir, s.markdown(), s); err != nil {
		return err
	}
	return draw(filepath.Join(o.Dir, "failover.svg"), s.Rows)
}

// List writes what there is to measure, and with whom.
func List(w io.Writer) error {
	var b bytes.Buffer
	for _, c := range allCases() {
		fmt.Fprintf(&b, "%-20s  %s", c.Name, c.Help)
		if c.LeftSeconds > 0 {
			fmt.Fprintf(&b, "; to be left within %g s, %g s with hedging", c.LeftSeconds, c.LeftHedged)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, k := range kinds() {
		fmt.Fprintf(&b, "%-20s  %s\n", k.name, k.help)
	}
	_, err := w.Write(b.Bytes())
	return err
}

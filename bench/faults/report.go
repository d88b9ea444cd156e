package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Row sums up the runs of one case in one mode.
type Row struct {
	Server string
	Mode   Mode
	Case   string
	Help   string
	Runs   int
	Failed int // runs that could not be measured, or were disturbed by a busy machine

	Detected       []float64 // of all runs, sorted
	Median, Most   float64   // of Detected; Most is -1 if one was never found
	Undetected     int
	Returned       int
	MissingSeconds float64 // of all runs
	MissingMost    float64 // in one run
	Removals       int
	BrokerHours    float64
	RemovalsMost   float64 // removals an hour of a broker's life, 95 % upper bound
	FreezeSeconds  float64

	Target Target
	Met    string // "met", "NOT MET", "reported"
}

// Rows sums up the records of the folder.
func Rows(o *Options) ([]Row, error) {
	records, err := readRecords(o.Dir)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, c := range allCases() {
		if o.Match != nil && !o.Match.MatchString(c.Name) {
			continue
		}
		for _, group := range groups(records, c.Name) {
			rows = append(rows, sum(&c, group))
		}
	}
	return rows, nil
}

// groups are the records of a case, by server and mode in the order of their first run.
func groups(records []*Record, name string) (all [][]*Record) {
	at := map[string]int{}
	for _, r := range records {
		if r.Case != name {
			continue
		}
		key := r.Server + " " + string(r.Mode)
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key], all = i, append(all, nil)
		}
		all[i] = append(all[i], r)
	}
	slices.SortStableFunc(all, func(a, b []*Record) int {
		if a[0].Server+string(a[0].Mode) < b[0].Server+string(b[0].Mode) {
			return -1
		}
		return 1
	})
	return all
}

func sum(c *Case, records []*Record) Row {
	row := Row{Server: records[0].Server, Mode: records[0].Mode, Case: c.Name, Help: c.Help, Target: c.Target}
	for _, r := range records {
		if r.Error != "" || r.Disturbed != "" {
			row.Failed++
			continue
		}
		row.Runs++
		detected := r.Detected
		if c.Name == "third-at-once" && len(detected) > 0 {
			detected = []float64{slices.Max(detected)} // until all are out
		}
		row.Detected = append(row.Detected, detected...)
		row.Undetected += r.Undetected
		row.Returned += r.Returned
		row.MissingSeconds += r.MissingSeconds
		row.MissingMost = max(row.MissingMost, r.MissingSeconds)
		row.Removals += r.Removals
		row.BrokerHours += r.BrokerSeconds / 3600
		row.FreezeSeconds += r.FreezeSeconds
	}
	slices.Sort(row.Detected)
	if n := len(row.Detected); n > 0 {
		row.Median, row.Most = row.Detected[n/2], row.Detected[n-1]
		if n%2 == 0 {
			row.Median = (row.Detected[n/2-1] + row.Detected[n/2]) / 2
		}
	}
	if row.Undetected > 0 {
		row.Most = NoTarget
	}
	if row.BrokerHours > 0 {
		row.RemovalsMost = upperBound(row.Removals, row.BrokerHours)
	}
	row.Met = row.judge()
	return row
}

// observerSlack is what the observer's period and the machine add to a figure.
const observerSlack = 0.1

// judge compares with the target.
func (r *Row) judge() string {
	within := func(value, target float64) bool { return target == NoTarget || value <= target+observerSlack }
	t := r.Target
	switch {
	case r.Runs == 0:
		return "not measured"
	case t.MaxSeconds != 0 && t.MaxSeconds != NoTarget && (r.Undetected > 0 || !within(r.Median, t.MedianSeconds) || !within(r.Most, t.MaxSeconds)):
		return "NOT MET"
	case !within(r.MissingMost, t.MissingSeconds):
		return "NOT MET"
	case t.MissingSeconds == NoTarget && (t.MaxSeconds == 0 || t.MaxSeconds == NoTarget):
		return "reported"
	}
	return "met"
}

// upperBound is the most removals an hour that 95 % confidence leaves when so many were seen:
// exact for none, for more the usual approximation of Poisson's limit (Wilson and Hilferty).
func upperBound(removals int, hours float64) float64 {
	const z = 1.645 // of 95 %, one side
	k := float64(removals + 1)
	if removals == 0 {
		return -math.Log(0.05) / hours
	}
	return k * math.Pow(1-1/(9*k)+z/(3*math.Sqrt(k)), 3) / hours
}

// Report writes the folder's results: a table in Markdown, or JSON.
func Report(w io.Writer, o *Options, asJSON bool) error {
	rows, err := Rows(o)
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(rows)
	}
	fmt.Fprintln(w, "| fault | server, mode | runs | found after s: median / max | wrongly missing s: all runs / worst run (removals) | freeze s | target | |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(w, "| %s | %s, %s | %s | %s | %s | %.1f | %s | %s |\n",
			r.Case, r.Server, r.Mode, r.runs(), r.found(), r.missing(), r.FreezeSeconds, r.Target.text(), r.Met)
	}
	return nil
}

func (r *Row) runs() string {
	if r.Failed > 0 {
		return fmt.Sprintf("%d + %d not measured", r.Runs, r.Failed)
	}
	return fmt.Sprint(r.Runs)
}

func (r *Row) found() string {
	text := "-"
	if len(r.Detected) > 0 {
		text = fmt.Sprintf("%.2f / %.2f", r.Median, r.Detected[len(r.Detected)-1])
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
	case r.Removals == 0:
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

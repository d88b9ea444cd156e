package faults

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/pharosmq/pharos/bench/results"
)

// Row sums up the runs of one case, in one mode and at one round trip.
type Row struct {
	Server    string
	Mode      Mode
	RTTMillis float64 // 0: the bare path
	Case      string
	Help      string
	Runs      int
	Failed    int // runs that could not be measured, or were disturbed by a busy machine

	Detected       []float64 // of all runs, sorted
	Median, Most   float64   // of Detected; Most is -1 if one was never found
	Quartiles      [2]float64
	Undetected     int
	Returned       int
	MissingSeconds float64 // of all runs
	MissingMost    float64 // in one run
	MissingLongest float64 // of one broker, in a row
	Removals       int
	BrokerHours    float64
	RemovalsMost   float64 // removals an hour of a broker's life, 95 % upper bound
	FreezeSeconds  float64
	WatchedSeconds float64 // of the server's life, FreezeSeconds are of them

	Target Target
	Met    string // "met", "NOT MET", "reported", "not measured"
}

// Rows sums up the records of the folder.
func Rows(o *Options) ([]Row, error) {
	records, err := results.Read[*Record](o.Dir)
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

// groups are the records of a case, by server, mode and round trip.
func groups(records []*Record, name string) (all [][]*Record) {
	of := slices.DeleteFunc(slices.Clone(records), func(r *Record) bool { return r.Case != name })
	order := func(a, b *Record) int {
		return cmp.Or(cmp.Compare(a.RTTMillis, b.RTTMillis), -cmp.Compare(a.Server, b.Server), cmp.Compare(a.Mode, b.Mode))
	}
	slices.SortStableFunc(of, order)
	for i, r := range of {
		if i == 0 || order(of[i-1], r) != 0 {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], r)
	}
	return all
}

func sum(c *Case, records []*Record) Row {
	first := records[0]
	row := Row{Server: first.Server, Mode: first.Mode, RTTMillis: first.RTTMillis, Case: c.Name, Help: c.Help, Target: c.Target.in(first.Mode)}
	for _, r := range records {
		if !r.Counts() {
			row.Failed++
			continue
		}
		row.add(r)
	}
	slices.Sort(row.Detected)
	if n := len(row.Detected); n > 0 {
		row.Median, row.Most = quantile(row.Detected, 0.5), row.Detected[n-1]
		row.Quartiles = [2]float64{quantile(row.Detected, 0.25), quantile(row.Detected, 0.75)}
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

func (r *Row) add(record *Record) {
	r.Runs++
	detected := record.Detected
	if r.Case == "third-at-once" && len(detected) > 0 {
		detected = []float64{slices.Max(detected)} // until all are out
	}
	r.Detected = append(r.Detected, detected...)
	r.Undetected += record.Undetected
	r.Returned += record.Returned
	r.MissingSeconds += record.MissingSeconds
	r.MissingMost = max(r.MissingMost, record.MissingSeconds)
	r.MissingLongest = max(r.MissingLongest, record.MissingLongest)
	r.Removals += record.Removals
	r.BrokerHours += record.BrokerSeconds / 3600
	r.FreezeSeconds += record.FreezeSeconds
	r.WatchedSeconds += record.WatchedSeconds
}

// quantile of sorted values, between two of them if need be.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

const (
	// observerSlack is what the observer's period and the machine add to a figure.
	observerSlack = 0.1
	// samplingLater is how much later the mode without BPF may be.
	samplingLater = 1.0
)

// in is the target in a mode. Other servers, and Pharos without connection health, promise
// nothing.
func (t Target) in(mode Mode) Target {
	switch mode {
	case Plain, Off:
		if t.MaxSeconds != 0 {
			t.MedianSeconds, t.MaxSeconds = NoTarget, NoTarget
		}
		t.MissingSeconds = NoTarget
	case Sampling:
		for _, seconds := range []*float64{&t.MedianSeconds, &t.MaxSeconds} {
			if *seconds > 0 {
				*seconds += samplingLater
			}
		}
	}
	return t
}

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

// path names the round trip.
func (r *Row) path() string {
	if r.RTTMillis == 0 {
		return "bare"
	}
	return fmt.Sprintf("%g ms", r.RTTMillis)
}

// series names what a row is of, but for the case.
func (r *Row) series() string {
	if r.Mode == Plain {
		return r.Server
	}
	return r.Server + ", " + string(r.Mode)
}

package failover

import (
	"slices"
	"strings"

	"github.com/pharosmq/pharos/bench/results"
)

// Row sums up the runs of one case with one client.
type Row struct {
	Case, Help string
	Client     string
	Runs       int
	Failed     int // runs that could not be measured, or were disturbed by a busy machine
	Repeated   int // times that runs were done again since they did not count
	// Ended are those of Runs in which the client's program ended, EndedWhy is why it did the last
	// time. Of them nothing is counted, and calls never went well again.
	Ended    int    `json:",omitempty"`
	EndedWhy string `json:",omitempty"`

	Lookups, Cached, Sends                   int64
	LookupsFailed, CachedFailed, SendsFailed int64
	LookupWait, SendWait                     float64 // seconds: the longest of all runs
	Left, LookupsWell, SendsWell             Times
	Even                                     string // of the cases of evenness: what was found

	Met string // "met", "NOT MET: what", "reported", "not measured"
}

// Times are seconds of the runs; Never counts as the longest.
type Times struct {
	N            int // runs that tell
	Median, Most float64
	All          []float64 // sorted, Never last
}

func timesOf(all []float64) Times {
	t := Times{N: len(all), All: all}
	if t.N == 0 {
		return t
	}
	slices.SortFunc(t.All, func(a, b float64) int {
		switch {
		case a == b:
			return 0
		case a == Never || b != Never && a > b:
			return 1
		}
		return -1
	})
	t.Median, t.Most = t.All[(t.N-1)/2], t.All[t.N-1]
	return t
}

// within says whether all of them are.
func (t *Times) within(seconds float64) bool { return t.N > 0 && t.Most != Never && t.Most <= seconds }

// Rows sums up the records of the folder.
func Rows(o *Options) ([]Row, error) {
	records, err := results.Read[*Record](o.Dir)
	if err != nil {
		return nil, err
	}
	repeated, err := results.Repeated[*Record](o.Dir)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, c := range allCases() {
		if o.Match != nil && !o.Match.MatchString(c.Name) {
			continue
		}
		for _, k := range kinds() {
			of := slices.DeleteFunc(slices.Clone(records), func(r *Record) bool { return r.Case != c.Name || r.Client != k.name })
			if len(of) == 0 {
				continue
			}
			row := sum(&c, &k, of)
			for _, r := range of {
				row.Repeated += repeated[r.Key()]
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func sum(c *Case, k *kind, records []*Record) Row {
	row := Row{Case: c.Name, Help: c.Help, Client: k.name}
	var left, lookups, sends []float64
	even := true
	for _, r := range records {
		if !r.Counts() {
			row.Failed++
			continue
		}
		row.Runs++
		if why := r.endedBecause(); why != "" {
			row.Ended, row.EndedWhy = row.Ended+1, why
			lookups, sends = append(lookups, Never), append(sends, Never)
			continue
		}
		row.Lookups, row.LookupsFailed = row.Lookups+made(r.Lookups, r.LookupsFailed), row.LookupsFailed+r.LookupsFailed
		row.Cached, row.CachedFailed = row.Cached+made(r.Cached, r.CachedFailed), row.CachedFailed+r.CachedFailed
		row.Sends, row.SendsFailed = row.Sends+made(r.Sends, r.SendsFailed), row.SendsFailed+r.SendsFailed
		row.LookupWait, row.SendWait = max(row.LookupWait, r.LookupWait), max(row.SendWait, r.SendWait)
		if c.Victim == Choices {
			found, met := evenVerdict(r)
			row.Even, even = found, even && met
			continue
		}
		lookups, sends = append(lookups, r.LookupsWell), append(sends, r.SendsWell)
		if r.Left != nil {
			left = append(left, *r.Left)
		}
	}
	row.Left, row.LookupsWell, row.SendsWell = timesOf(left), timesOf(lookups), timesOf(sends)
	row.Met = row.judge(c, k, even)
	return row
}

// made is how many calls a run made. Of calls that were under way when the fault struck, records
// once had those that failed among the failed only: where more failed than were made, as many
// were made as failed. Where fewer did, the few that lack cannot be told any more.
func made(calls, failed int64) int64 { return max(calls, failed) }

// judge compares with what is wanted of our client.
func (r *Row) judge(c *Case, k *kind, even bool) string {
	switch {
	case r.Runs == 0:
		return "not measured"
	case !k.ours:
		return "reported"
	case c.Victim == Choices && even:
		return "met"
	case c.Victim == Choices:
		return "NOT MET"
	}
	var missed []string
	miss := func(failed bool, what string) {
		if failed {
			missed = append(missed, what)
		}
	}
	miss(r.Ended > 0, "the program ended")
	miss(succeeded(r.Lookups, r.LookupsFailed) < lookupsTarget, "lookups")
	miss(succeeded(r.Cached, r.CachedFailed) < cachedTarget, "cached lookups")
	miss(succeeded(r.Sends, r.SendsFailed) < sendsTarget, "sends")
	if most := c.leftWithin(k); most > 0 {
		miss(!r.Left.within(most.Seconds()), "left")
	}
	if len(missed) == 0 {
		return "met"
	}
	return "NOT MET: " + strings.Join(missed, ", ")
}

// succeeded is the part of calls that did; 1 of none.
func succeeded(calls, failed int64) float64 {
	if calls == 0 {
		return 1
	}
	return 1 - float64(failed)/float64(calls)
}

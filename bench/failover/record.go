package failover

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
)

// Record is what one run showed: a line of results.jsonl.
type Record struct {
	Client  string
	Build   string
	Case    string
	Run     int
	Victim  string `json:",omitempty"`
	Started time.Time
	Seconds float64

	// Of calls that were due while the fault lasted, and of those that were under way when it struck
	// and that it hurt: they failed, or took longer than 200 ms.
	Lookups, Cached, Sends                   int64
	LookupsFailed, CachedFailed, SendsFailed int64
	// LookupWait and SendWait are how long the one that waited longest did, in seconds, from when
	// its call was due.
	LookupWait, SendWait float64
	// Left is when the client left the failed name server, by its own word, in seconds from the
	// fault; nil if it does not tell. Never: it uses it to the end.
	Left *float64 `json:",omitempty"`
	// LookupsWell and SendsWell are when calls began to go well again, in seconds: those that were
	// due in the second after it succeeded within 200 ms, and of all later ones 999 in 1,000.
	// Never: not in this run.
	LookupsWell, SendsWell float64

	Phases []Phase `json:",omitempty"` // of the cases of evenness

	Errors      []string `json:",omitempty"` // the first of each kind of calls
	Load        float64  // of the machine, one minute's
	LateSeconds float64  // how late a call began at worst: what the machine was too busy for
	// PutOffSeconds is how much longer than planned it took until calls went well for long enough
	// and the fault struck.
	PutOffSeconds float64 `json:",omitempty"`
	// Ended is why the client's program ended by itself under the fault, EndedAfter when, in seconds
	// from the fault. A result of its own: nothing else is told of the run.
	Ended      string  `json:",omitempty"`
	EndedAfter float64 `json:",omitempty"`
	Error      string  `json:",omitempty"`
	// Disturbed: the machine was too busy to measure, and why; the run does not count.
	Disturbed string `json:",omitempty"`
}

// Never stands for a time that did not come while the fault lasted.
const Never = -1

// wellTolerance is the part of calls that may go wrong when they go well: that of the target
// for lookups.
const wellTolerance = 1 - lookupsTarget

// window is how long the fault lasted, and the load meanwhile.
type window struct {
	begin, end     time.Time
	lookups, sends float64 // a second
}

// take reads a client's lines. victim is the address of the name server that failed; "": none.
func (r *Record) take(lines []openloop.Line, fault window, victim string) {
	end := lines[len(lines)-1].Count
	began := beganAt(lines, fault)
	r.Lookups = fault.due(began, fault.lookups, end.Lookups)
	r.Sends = fault.due(began, fault.sends, end.Sends)
	if end.Cached > 0 {
		r.Cached = r.Sends // one for each
	}
	lookupsPerSecond, sendsPerSecond := fault.perSecond(r.Lookups), fault.perSecond(r.Sends)
	r.LateSeconds = lateness(lines, fault)
	var lookups, sends []float64 // seconds from the fault on, of calls that it hurt
	note := func(c *openloop.Call) {
		due := time.Unix(0, c.Due)
		back := due.Add(time.Duration(c.Millis * 1e6))
		if !due.Before(fault.end) || back.Before(fault.begin) {
			return
		}
		failed := int64(0)
		if c.Error != "" {
			failed = 1
			r.fails(c)
		}
		underWay := int64(0) // not among those that were due since
		if due.Before(fault.begin) {
			underWay = 1
		}
		at := max(due.Sub(fault.begin).Seconds(), 0)
		switch c.What {
		case "lookup":
			r.Lookups += underWay
			r.LookupsFailed += failed
			r.LookupWait = max(r.LookupWait, c.Millis/1000)
			lookups = append(lookups, at)
		case "cached":
			r.Cached += underWay
			r.CachedFailed += failed
		case "send":
			r.Sends += underWay
			r.SendsFailed += failed
			r.SendWait = max(r.SendWait, c.Millis/1000)
			sends = append(sends, at)
		}
	}
	for i := range lines {
		if lines[i].Call != nil {
			note(lines[i].Call)
		}
	}
	r.LookupsWell = wellFrom(lookups, lookupsPerSecond, fault.seconds())
	r.SendsWell = wellFrom(sends, sendsPerSecond, fault.seconds())
	if victim != "" {
		r.Left = leftAt(lines, fault, victim)
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &r.Load)
	}
}

// due is how many calls were due while the fault lasted, of a load that began then and made so
// many in all.
func (w *window) due(began time.Time, perSecond float64, made int64) int64 {
	before := int64(math.Ceil(w.begin.Sub(began).Seconds() * perSecond))
	until := int64(math.Ceil(w.end.Sub(began).Seconds() * perSecond))
	return max(min(made, until)-before, 0)
}

func (w *window) seconds() float64              { return w.end.Sub(w.begin).Seconds() }
func (w *window) perSecond(calls int64) float64 { return float64(calls) / w.seconds() }

// beganAt is when the load began, of which the first call was due. A JVM says that it is ready some
// 10 ms before, but no call is counted before it is due: from each count follows when the first
// was at the latest, and one of them was made just then.
func beganAt(lines []openloop.Line, load window) (ready time.Time) {
	var latest time.Time
	bound := func(at int64, made int64, perSecond float64) {
		if made == 0 || perSecond == 0 {
			return
		}
		if first := time.Unix(0, at).Add(-time.Duration(float64(made-1) / perSecond * 1e9)); latest.IsZero() || first.Before(latest) {
			latest = first
		}
	}
	for i := range lines {
		l := &lines[i]
		if l.Ready {
			ready = time.Unix(0, l.At)
		}
		if l.Count != nil && !l.Ended { // at the end the load has been over for a while
			bound(l.At, l.Count.Lookups, load.lookups)
			bound(l.At, l.Count.Sends, load.sends)
		}
	}
	if latest.After(ready) {
		return latest
	}
	return ready
}

// lateness is how late a call began at worst while the fault lasted.
func lateness(lines []openloop.Line, fault window) (seconds float64) {
	for i := range lines {
		at := time.Unix(0, lines[i].At)
		if c := lines[i].Count; c != nil && at.After(fault.begin) && at.Before(fault.end) {
			seconds = max(seconds, c.LateMillis/1000)
		}
	}
	return seconds
}

// pause is how long all calls go well between two hiccups that have nothing to do with each other,
// in seconds.
const pause = 1

// wellFrom finds from when on calls went well: hurt are the seconds at which those were due that
// did not.
func wellFrom(hurt []float64, perSecond, length float64) float64 {
	slices.Sort(hurt)
	from := 0.0
	for i := len(hurt) - 1; i >= 0; i-- {
		later := (length - hurt[i]) * perSecond
		if float64(len(hurt)-i) > later*wellTolerance {
			from = hurt[i]
			break
		}
	}
	for _, at := range hurt { // what goes on without a pause is one
		if at > from && at-from <= pause {
			from = at
		}
	}
	if from > length-1 {
		return Never // a second of calls that go well is the least that tells
	}
	return from
}

// leftAt is when the client ceased to use a name server for the last time; nil if it never told
// that it used it.
func leftAt(lines []openloop.Line, fault window, victim string) *float64 {
	told, using, left := false, false, 0.0
	for i := range lines {
		at := time.Unix(0, lines[i].At)
		if lines[i].InUse == "" || at.After(fault.end) {
			continue
		}
		told = true
		if using && lines[i].InUse != victim {
			left = max(at.Sub(fault.begin).Seconds(), 0)
		}
		using = lines[i].InUse == victim
	}
	if !told {
		return nil
	}
	if using {
		left = Never
	}
	return &left
}

// disturbedBy says that a machine with too much to do was measured, not a client.
func (r *Record) disturbedBy(lateness time.Duration) {
	if r.LateSeconds > lateness.Seconds() {
		r.Disturbed = fmt.Sprintf("a call began %.2f s late", r.LateSeconds)
	}
}

// errorsMax bounds what a record keeps of what clients said.
const (
	errorsMax     = 6
	errorBytesMax = 300
)

// fails keeps the first errors of each kind of calls.
func (r *Record) fails(c *openloop.Call) {
	text := c.What + ": " + c.Error
	text = text[:min(len(text), errorBytesMax)]
	same := 0
	for _, e := range r.Errors {
		if strings.HasPrefix(e, c.What) {
			same++
		}
	}
	if same < errorsMax/2 && !slices.Contains(r.Errors, text) {
		r.Errors = append(r.Errors, text)
	}
}

// line is the record for somebody who watches.
func (r *Record) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", r.Key())
	if len(r.Phases) > 0 {
		found, _ := evenVerdict(r)
		fmt.Fprintf(&b, " %s", found)
	} else if why := r.endedBecause(); why != "" {
		fmt.Fprintf(&b, " %s: the program ended: %s", r.Victim, why)
	} else if r.Error == "" && r.Disturbed == "" {
		fmt.Fprintf(&b, " %s: lookups %d, %d failed, longest %s, well after %s; sends %d, %d failed, longest %s, well after %s", r.Victim,
			r.Lookups, r.LookupsFailed, waited(r.LookupWait), seconds(r.LookupsWell), r.Sends, r.SendsFailed, waited(r.SendWait), seconds(r.SendsWell))
		if r.Left != nil {
			fmt.Fprintf(&b, "; left after %s", seconds(*r.Left))
		}
	}
	if r.Disturbed != "" {
		fmt.Fprintf(&b, " DISTURBED: %s", r.Disturbed)
	}
	if r.PutOffSeconds > 0 {
		fmt.Fprintf(&b, "; put off by %s until all was calm", seconds(r.PutOffSeconds))
	}
	if r.Error != "" {
		fmt.Fprintf(&b, " ERROR %s", r.Error)
	}
	return b.String()
}

// seconds is a time for people.
func seconds(s float64) string {
	switch {
	case s == Never:
		return "never"
	case s == 0:
		return "0 s"
	case s < 0.1:
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%.2f s", s)
}

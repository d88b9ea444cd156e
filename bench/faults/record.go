package faults

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Record is what one run showed: a line of results.jsonl.
type Record struct {
	Server string
	Build  string `json:",omitempty"` // of Pharos, as bench.BuildOf names it
	Mode   Mode
	// RTTMillis is the round trip of the delay line; 0: there was none.
	RTTMillis float64 `json:",omitempty"`
	Case      string
	Run       int
	Seed      int64
	Started   time.Time
	Seconds   float64

	// Detected are seconds from death until the route lacked the broker for good.
	Detected   []float64
	Undetected int // dead brokers that were still in the route at the end
	Returned   int // times that a dead broker came back to the route

	MissingSeconds float64 // of living brokers, added up
	MissingLongest float64 // in a row
	Removals       int     // of living brokers
	BrokerSeconds  float64 // that were watched
	WatchedSeconds float64 // what they are of, for one broker
	BlindSeconds   float64 // without answers to the observer
	FreezeSeconds  float64
	Load           float64 // of the machine, one minute's
	LateSeconds    float64 // of the bench's own timers, at worst

	Notes []string // what was done, when
	Said  []string // what the server said about its brokers
	Error string   `json:",omitempty"`
	// Disturbed: the machine was too busy to measure, and why; the run does not count.
	Disturbed string `json:",omitempty"`
}

// take reads the results of a world whose case has been played.
func (r *Record) take(w *world, lasted time.Duration) {
	w.observer.mu.Lock()
	defer w.observer.mu.Unlock()
	for _, s := range w.observer.sights {
		r.Returned += s.returns
		r.MissingSeconds += s.missing.Seconds()
		r.MissingLongest = max(r.MissingLongest, s.longest.Seconds())
		r.Removals += s.removals
		r.BrokerSeconds += lasted.Seconds()
		switch {
		case s.died.IsZero():
		case s.found.IsZero():
			r.Undetected++
		default:
			r.Detected = append(r.Detected, s.found.Sub(s.died).Seconds())
		}
	}
	r.WatchedSeconds = lasted.Seconds()
	r.BlindSeconds = w.observer.blind.Seconds()
	w.mu.Lock()
	r.Notes = w.notes
	if r.MissingSeconds > 0 || len(r.Detected)+r.Undetected > 0 {
		r.Disturbed = w.disturbed // otherwise it was only the harder to keep the living
	}
	w.mu.Unlock()
	r.Said, r.FreezeSeconds = readServerLog(filepath.Join(w.home, "server", outputFile))
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &r.Load)
	}
}

// linesMax bounds what a record keeps of the server's log.
const linesMax = 120

// readServerLog finds what the server said of its judgements, and how long it withheld them.
func readServerLog(path string) (said []string, freezeSeconds float64) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0
	}
	defer f.Close()
	var frozen, last time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "time="); ok {
			stamp, _, _ := strings.Cut(text, " ")
			if t, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
				last = t
			}
		}
		if !strings.Contains(line, "mode=evict") && !strings.Contains(line, "tcpTracing=on") && !strings.Contains(line, "level=ERROR") {
			continue
		}
		if len(said) < linesMax {
			said = append(said, line)
		}
		switch {
		case strings.Contains(line, "verdicts wait"):
			frozen = last
		case strings.Contains(line, "verdicts don't wait") && !frozen.IsZero():
			freezeSeconds += last.Sub(frozen).Seconds()
			frozen = time.Time{}
		}
	}
	if !frozen.IsZero() {
		freezeSeconds += last.Sub(frozen).Seconds()
	}
	return said, freezeSeconds
}

// line is the record for somebody who watches.
func (r *Record) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", r.Key())
	for _, d := range r.Detected {
		fmt.Fprintf(&b, " found after %.2f s", d)
	}
	if r.Undetected > 0 {
		fmt.Fprintf(&b, " %d NOT FOUND", r.Undetected)
	}
	if r.Returned > 0 {
		fmt.Fprintf(&b, " %d returned", r.Returned)
	}
	fmt.Fprintf(&b, " missing %.1f s", r.MissingSeconds)
	if r.FreezeSeconds > 0 {
		fmt.Fprintf(&b, " frozen %.1f s", r.FreezeSeconds)
	}
	if r.Disturbed != "" {
		fmt.Fprintf(&b, " DISTURBED: %s", r.Disturbed)
	}
	if r.Error != "" {
		fmt.Fprintf(&b, " ERROR %s", r.Error)
	}
	return b.String()
}

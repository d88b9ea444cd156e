package bench

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// stopLine finds the times, in milliseconds, for which a collector stopped everything: in a
// line that Go prints with GODEBUG=gctrace=1 (the beginning and the end of a collection), or
// in one of the JVM's log.
var stopLine = regexp.MustCompile(`(?m)^gc \d+ @[^ ]+ [^ ]+ ([0-9.]+)\+[0-9.]+\+([0-9.]+) ms clock|GC\(\d+\) Pause .* ([0-9.]+)ms\s*$`)

// stopLogs are the files in a server's home that may have such lines.
var stopLogs = []string{"output", "gc.log"}

// Stops are a collector's stops since its process started.
type Stops struct {
	Count         int     `json:"count"`
	LongestMillis float64 `json:"longest_ms"`
}

// stopReader reads on where it stopped the last time.
type stopReader struct {
	home  string
	at    map[string]int64
	seen  Stops
	rests []time.Duration // since it was read
}

func newStopReader(home string) *stopReader { return &stopReader{home: home, at: map[string]int64{}} }

// restMin is a rest that would be seen in a stop.
const restMin = 100 * time.Millisecond

// rested is told that the process was stopped by us for d: a collection that it was in then
// shows a stop that contains the rest.
func (r *stopReader) rested(d time.Duration) {
	if d >= restMin {
		r.rests = append(r.rests, d)
	}
}

// isRest reports whether a stop is long enough to contain one of the rests.
func (r *stopReader) isRest(millis float64) bool {
	for _, d := range r.rests {
		if millis >= float64(d.Milliseconds()) {
			return true
		}
	}
	return false
}

// read returns the stops so far; nil: there are none, or no log of them.
func (r *stopReader) read() *Stops {
	for _, name := range stopLogs {
		text, err := os.ReadFile(filepath.Join(r.home, name))
		if err != nil || int64(len(text)) < r.at[name] {
			continue
		}
		fresh := text[r.at[name]:]
		r.at[name] = int64(len(text))
		for _, found := range stopLine.FindAllSubmatch(fresh, -1) {
			for _, digits := range found[1:] {
				if millis, err := strconv.ParseFloat(string(digits), 64); err == nil && !r.isRest(millis) {
					r.seen.Count++
					r.seen.LongestMillis = max(r.seen.LongestMillis, millis)
				}
			}
		}
	}
	r.rests = nil
	if r.seen.Count == 0 {
		return nil
	}
	s := r.seen
	return &s
}

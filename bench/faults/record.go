package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Record is what one run showed: a line of results.jsonl.
type Record struct {
	Server  string
	Mode    Mode
	Case    string
	Run     int
	Seed    int64
	Started time.Time
	Seconds float64

	// Detected are seconds from death until the route lacked the broker for good.
	Detected   []float64
	Undetected int // dead brokers that were still in the route at the end
	Returned   int // times that a dead broker came back to the route

	MissingSeconds float64 // of living brokers, added up
	MissingLongest float64 // in a row
	Removals       int     // of living brokers
	BrokerSeconds  float64 // that were watched
	BlindSeconds   float64 // without answers to the observer
	FreezeSeconds  float64
	Load           float64 // of the machine, one minute's

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
	fmt.Fprintf(&b, "%s %s %d:", r.Mode, r.Case, r.Run)
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

// store is the folder's file of records, one a line.
type store struct {
	mu   sync.Mutex
	file *os.File
	done map[string]bool
}

func storeKey(server string, mode Mode, name string, run int) string {
	return fmt.Sprintf("%s %s %s %d", server, mode, name, run)
}

func storePath(dir string) string { return filepath.Join(dir, "results.jsonl") }

func openStore(dir string) (*store, error) {
	records, err := readRecords(dir)
	if err != nil {
		return nil, err
	}
	s := &store{done: map[string]bool{}}
	for _, r := range records {
		if r.Error == "" && r.Disturbed == "" {
			s.done[storeKey(r.Server, r.Mode, r.Case, r.Run)] = true
		}
	}
	s.file, err = os.OpenFile(storePath(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return s, err
}

func (s *store) has(server string, mode Mode, name string, run int) bool {
	return s.done[storeKey(server, mode, name, run)]
}

func (s *store) add(r *Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.file.Write(append(line, '\n'))
	return err
}

func (s *store) close() { _ = s.file.Close() }

// readRecords reads all records of a folder; none if there is no file. A run that was
// repeated counts once, as it went the last time.
func readRecords(dir string) ([]*Record, error) {
	f, err := os.Open(storePath(dir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []*Record
	at := map[string]int{}
	d := json.NewDecoder(f)
	for d.More() {
		r := &Record{}
		if err := d.Decode(r); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w; remove the line", storePath(dir), len(all)+1, err)
		}
		key := storeKey(r.Server, r.Mode, r.Case, r.Run)
		if i, again := at[key]; again {
			all[i] = r
			continue
		}
		at[key], all = len(all), append(all, r)
	}
	return all, nil
}

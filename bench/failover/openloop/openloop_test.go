package openloop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// fake answers after a time that may change.
type fake struct {
	begin time.Time
	takes func(since time.Duration) time.Duration
	fails time.Duration // from then on, if not 0
}

func (f *fake) wait() { time.Sleep(f.takes(time.Since(f.begin))) }

func (f *fake) Lookup(context.Context) error {
	f.wait()
	if f.fails != 0 && time.Since(f.begin) >= f.fails {
		return errors.New("refused")
	}
	return nil
}
func (f *fake) Send(context.Context) (string, error) {
	f.wait()
	return "broker-a", nil
}
func (f *fake) Cached() error { return nil }
func (f *fake) InUse() string {
	if time.Since(f.begin) < 5*time.Second {
		return "one"
	}
	return "two"
}

// runFor puts a load on a fake for so long and returns what was printed.
func runFor(t *testing.T, f *fake, o Options, d time.Duration) (lines []Line) {
	t.Helper()
	f.begin = time.Now()
	in, w := io.Pipe()
	time.AfterFunc(d, func() { w.Close() })
	var out bytes.Buffer
	if err := Run(t.Context(), f, o, in, &out); err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(&out); s.Scan(); {
		var l Line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestOpenLoop: a client that hangs for a second is called on, and each caller's wait counts
// from when its call was due.
func TestOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: func(since time.Duration) time.Duration {
			if since >= 4*time.Second && since < 5*time.Second {
				return 5*time.Second - since // until the second is over
			}
			return 0
		}}
		lines := runFor(t, f, Options{LookupsPerSecond: 10, SendsPerSecond: 100, Callers: 1000, Slow: 500 * time.Millisecond}, 9995*time.Millisecond)
		if !lines[0].Ready && !lines[1].Ready {
			t.Errorf("it begins with %+v, %+v", lines[0], lines[1])
		}
		end := lines[len(lines)-1]
		if !end.Ended || end.Count.Lookups != 100 || end.Count.Sends != 1000 || end.Count.Cached != 1000 || end.Count.Brokers["broker-a"] != 1000 {
			t.Errorf("it ends with %+v, %+v", end, end.Count)
		}
		slow := map[string]int{}
		for _, l := range lines {
			if l.Call != nil {
				slow[l.Call.What]++
				if l.Call.Millis <= 500 || l.Call.Millis > 1000 || l.Call.Error != "" {
					t.Errorf("%+v", l.Call)
				}
			}
		}
		if slow["lookup"] != 5 || slow["send"] != 50 || slow["cached"] != 0 {
			t.Errorf("slow calls: %v, want those of half a second", slow)
		}
		checkInUse(t, lines, f.begin)
	})
}

func checkInUse(t *testing.T, lines []Line, begin time.Time) {
	t.Helper()
	var seen []string
	for _, l := range lines {
		if l.InUse != "" {
			seen = append(seen, l.InUse)
			if at := time.Unix(0, l.At).Sub(begin); l.InUse == "two" && at != 5*time.Second {
				t.Errorf("the change at 5 s was seen at %v", at)
			}
		}
	}
	if len(seen) != 2 || seen[0] != "one" || seen[1] != "two" {
		t.Errorf("in use were %q", seen)
	}
}

// TestCallers: callers beyond the bound wait, and that counts.
func TestCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: func(since time.Duration) time.Duration {
			if since == 0 {
				return 0 // warming up
			}
			return time.Second
		}}
		lines := runFor(t, f, Options{SendsPerSecond: 10, Callers: 1, Slow: time.Millisecond}, 2050*time.Millisecond)
		var longest float64
		never := 0
		for _, l := range lines {
			if l.Call != nil && l.Call.Error == neverBack {
				never++
			} else if l.Call != nil {
				longest = max(longest, l.Call.Millis)
			}
		}
		// The last of those that came back before the wait for them was over. The first took no time.
		if end := lines[len(lines)-1]; end.Count.Sends != 21 || never != 4 || longest < 14000 || longest > 17500 {
			t.Errorf("%+v, %d never came back, longest %v ms", end.Count, never, longest)
		}
		time.Sleep(time.Minute) // the bubble's goroutines end
	})
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := &fake{fails: 1, takes: func(time.Duration) time.Duration { return 0 }}
		if err := Run(t.Context(), never, Options{LookupsPerSecond: 1, Callers: 1}, bytes.NewReader(nil), io.Discard); err == nil {
			t.Error("no lookup ever succeeds, and it runs")
		}
		f := &fake{fails: 1500 * time.Millisecond, takes: func(time.Duration) time.Duration { return 0 }}
		failed := 0
		for _, l := range runFor(t, f, Options{LookupsPerSecond: 1, Callers: 1, Slow: time.Hour}, 5500*time.Millisecond) {
			if l.Call != nil && l.Call.Error == "refused" && l.Call.What == "lookup" {
				failed++
			}
		}
		if failed != 4 {
			t.Errorf("%d failures, want those of 2, 3, 4 and 5 s", failed)
		}
	})
}

// TestNobodyReads ends the load when its reader is gone.
func TestNobodyReads(t *testing.T) {
	f := &fake{takes: func(time.Duration) time.Duration { return 0 }, begin: time.Now()}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	in, never := io.Pipe()
	defer never.Close()
	if err := Run(t.Context(), f, Options{SendsPerSecond: 100, Callers: 1}, in, w); err == nil {
		t.Error("no error")
	}
}

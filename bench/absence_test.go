package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Goal: an absence of the watching thread's processor is seen. Method: the thread is kept from its
// clock by another, on the same processor, that computes; what is found outlasts the comparison.
func TestAbsencesAreSeenAndKept(t *testing.T) {
	ended := make(chan error)
	go func() {
		_, err := watchProcessor(t.Context(), 0, 600*time.Millisecond)
		ended <- err
	}()
	a, err := watchProcessor(t.Context(), 0, 500*time.Millisecond)
	if err := errors.Join(err, <-ended); err != nil || a.Processor != 0 || a.Seconds < 0.5 {
		t.Fatalf("%+v, %v", a, err)
	}
	if a.Count == 0 || a.Share < 0.2 || a.LongestMicros < 200 {
		t.Errorf("a thread that shares its processor with another was away %d times, %.2f of the time, %.0f us at most", a.Count, a.Share, a.LongestMicros)
	}
	c := &Comparison{Dir: t.TempDir()}
	for range 2 { // as many as there were runs
		again := &Comparison{Dir: c.Dir}
		if err := errors.Join(again.loadAbsences(), again.keepAbsences([]Absence{a})); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.loadAbsences(); err != nil || len(c.absent) != 2 || c.absent[1] != a {
		t.Fatalf("%+v, %v", c.absent, err)
	}
	if !strings.Contains(c.absences(), "processor 0: ") {
		t.Errorf("the report says %q", c.absences())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := watchProcessor(canceled, 0, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("%v when canceled", err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, absenceFile), []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.loadAbsences(); err == nil || !strings.Contains(err.Error(), absenceFile) {
		t.Errorf("%v from a broken file", err)
	}
}

package faults

import (
	"strings"
	"testing"
	"time"
)

// A death that comes into force late is found late by no fault of the server.
func TestSlowDeathDisturbs(t *testing.T) {
	for _, test := range []struct {
		promised  float64 // seconds at most; 0: nothing
		took      time.Duration
		disturbed bool
	}{
		{6, 54 * time.Millisecond, false},
		{6, 250 * time.Millisecond, false},
		{6, 251 * time.Millisecond, true},
		{6, 2198 * time.Millisecond, true},
		{0.2, 50 * time.Millisecond, false},
		{0.2, 51 * time.Millisecond, true},
		{0, 251 * time.Millisecond, true},
	} {
		w := &world{c: &Case{Target: Target{MaxSeconds: test.promised}}, o: &Options{Lateness: 500 * time.Millisecond}}
		w.diedAt = time.Now()
		w.struck(w.diedAt.Add(test.took))
		if got := strings.HasPrefix(w.disturbed, "a death took"); got != test.disturbed {
			t.Errorf("at most %v s promised, the death took %v: disturbed %v (%q)", test.promised, test.took, got, w.disturbed)
		}
	}
}

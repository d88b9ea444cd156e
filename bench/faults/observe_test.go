package faults

import (
	"testing"
	"time"
)

func TestSights(t *testing.T) {
	o := newObserver(nil, "")
	now := time.Unix(1000, 0)
	see := func(after time.Duration, names ...string) {
		now = now.Add(after)
		listed := map[string]bool{}
		for _, name := range names {
			listed[name] = true
		}
		o.saw(now, listed)
	}
	const step = 100 * time.Millisecond
	o.expect("a")
	o.expect("b")
	see(step, "b")
	see(step, "b") // a has not registered yet
	see(step, "a", "b")
	o.watch("a")
	o.watch("b")
	see(step, "a", "b")
	see(step, "b") // a is out for two steps
	see(step, "b")
	see(step, "a", "b")
	see(5*time.Second, "b") // the observer was blind: not a's fault, but its removal is seen
	see(step, "b")
	see(step, "a", "b")
	a := o.sights["a"]
	if want := 3 * step; a.missing != want || a.removals != 2 || a.longest != 2*step {
		t.Errorf("a: missing %v, longest %v, %d removals; want %v, %v, 2", a.missing, a.longest, a.removals, want, 2*step)
	}
	if o.blind != 5*time.Second {
		t.Errorf("blind for %v, not 5 s", o.blind)
	}
	if b := o.sights["b"]; b.missing != 0 || b.removals != 0 {
		t.Errorf("b was never missing: %+v", b)
	}

	o.died("b")
	see(step, "a", "b")
	see(step, "a")
	see(step, "a", "b") // it came back, dead as it is
	see(step, "a")
	found := now
	see(step, "a")
	if b := o.sights["b"]; b.found != found || b.returns != 1 || b.missing != 0 {
		t.Errorf("b was found %v before the end and returned %d times; want %v and 1", now.Sub(b.found), b.returns, step)
	}

	o.forgive("a")
	see(step)
	see(step)
	o.watch("a")
	see(step)
	if want := 4 * step; a.missing != want {
		t.Errorf("a is missing for %v after it was forgiven, want %v", a.missing, want)
	}
}

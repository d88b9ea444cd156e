package pause

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// Goal: whoever is there all the time finds the end where it was set, with two looks.
func TestOverOnTime(t *testing.T) {
	f := func(timeout time.Duration) {
		t.Helper()
		const began = 7 * time.Hour
		d := After(began, timeout)
		now, looks := time.Duration(began), 0
		for !d.Over(now) {
			if d.Next() <= now {
				t.Fatalf("%v: the next look is no later than the last one", timeout)
			}
			if d.Over(d.Next() - 1) {
				t.Fatalf("%v: over before the look", timeout)
			}
			now = d.Next()
			looks++
		}
		if now != began+timeout || looks > 2 {
			t.Errorf("%v: over after %v and %d looks", timeout, now-began, looks)
		}
		if !d.Up() || !d.Over(now+time.Hour) {
			t.Errorf("%v: not over for good", timeout)
		}
	}
	f(3 * time.Second)
	f(20 * ms)
	f(4)
}

// Goal: a pause, whenever it begins and ends, leaves those who read some time before the end;
// and the end comes at once then.
func TestOverAfterAPause(t *testing.T) {
	const timeout, step = time.Second, 5 * ms
	for begins := time.Duration(0); begins < timeout; begins += step {
		for ends := begins + 2*lookMax + step; ends < 3*timeout; ends += step {
			d := After(0, timeout)
			now, awake := time.Duration(0), time.Duration(0)
			for !d.Over(now) {
				if now = d.Next(); now > begins && now < ends {
					now = ends
				}
			}
			if awake = now - ends; now >= ends && awake < lookMax && ends > timeout-lookMax {
				t.Fatalf("a pause from %v to %v: over %v after it", begins, ends, awake)
			}
			if late := now - max(timeout, ends); late > lookMax {
				t.Fatalf("a pause from %v to %v: over %v late", begins, ends, late)
			}
		}
	}
}

// Goal: for one who comes late every time, time is up in the end too.
func TestOneWhoIsAlwaysLate(t *testing.T) {
	d := After(0, time.Second)
	for look := 1; !d.Over(d.Next() + lookMax + 1); look++ {
		if look > looksMax {
			t.Fatalf("not over after %d looks", look)
		}
	}
	if d.looks <= looksMax {
		t.Errorf("over after %d looks, all of them late", d.looks)
	}
}

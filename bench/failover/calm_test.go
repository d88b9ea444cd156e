package failover

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pharosmq/pharos/bench/failover/openloop"
)

func TestRestless(t *testing.T) {
	count := func(second, lateMillis float64) openloop.Line {
		return openloop.Line{At: at(second), Count: &openloop.Count{LateMillis: lateMillis}}
	}
	f := func(want float64, why string, lines ...openloop.Line) {
		t.Helper()
		last, because := restless(lines, began, 250*time.Millisecond, 100*time.Millisecond)
		if why == "" && !last.IsZero() || why != "" && last.UnixNano() != at(want) || because != why {
			t.Errorf("last at %v because %q, want %v s, %q", last, because, want, why)
		}
	}
	call := func(due, seconds float64, failure string) openloop.Line {
		return (&story{}).call("send", due, seconds, failure).lines[0]
	}
	f(0, "")
	f(0, "", call(1, 0.24, ""), count(2, 99), openloop.Line{At: at(3), InUse: "one"})
	f(0, "", call(-2, 1, "refused"), count(-1, 1000)) // before
	f(1.5, "a send took 0.50 s", call(1, 0.5, ""), count(2, 99))
	f(2.5, "a send failed: refused", call(1, 0.5, ""), call(2.25, 0.25, "refused"))
	f(2, "a call began 0.11 s late", call(1, 0.5, ""), count(2, 110), count(3, 3))
}

// TestAwaitCalm: the fault strikes after 3 s in which all went well, and not at all if they never come.
func TestAwaitCalm(t *testing.T) {
	o := &Options{Calm: 250 * time.Millisecond, Lateness: 250 * time.Millisecond}
	f := func(wantPutOff time.Duration, wantWhy string, until time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			c := &child{}
			begin := time.Now()
			ended := make(chan struct{})
			go func() { // every second a call that takes long
				defer close(ended)
				for range until / time.Second {
					time.Sleep(time.Second)
					c.mu.Lock()
					c.lines = append(c.lines, openloop.Line{At: now(), Call: &openloop.Call{What: "lookup", Millis: 800}})
					c.mu.Unlock()
				}
			}()
			putOff, why, err := o.awaitCalm(t.Context(), c, 3*time.Second)
			if err != nil || putOff.Round(time.Second/5) != wantPutOff || !strings.HasSuffix(why, wantWhy) || (why == "") != (wantWhy == "") {
				t.Errorf("put off by %v, %q, %v; want %v, %q", putOff, why, err, wantPutOff, wantWhy)
			}
			if took := time.Since(begin); took > 3*time.Second+calmPatience+time.Second {
				t.Errorf("it took %v", took)
			}
			<-ended
		})
	}
	f(0, "", 0)
	f(5*time.Second, "", 5*time.Second)
	f(0, "before the fault: a lookup took 0.80 s", 100*time.Second)
}

func now() int64 { return time.Now().UnixNano() }

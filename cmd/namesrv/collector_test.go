package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestHeapPercent(t *testing.T) {
	const mega = 1 << 20
	now := smallHeapPercent
	for _, f := range []struct {
		aliveMB uint64
		want    int
	}{{1, 400}, {8, 400}, {12, 400}, {13, 100}, {12, 100}, {8, 100}, {7, 400}, {11, 400}, {500, 100}} {
		if now = heapPercent(now, f.aliveMB*mega); now != f.want {
			t.Errorf("%d MB alive: %d, want %d", f.aliveMB, now, f.want)
		}
	}
}

var keptAlive []byte

// Goal: the collector is set by what is alive, after each collection, and left as it was. Method:
// 20 MB come and go.
func TestSmallHeapGrows(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(usualPercent)
	t.Cleanup(func() { debug.SetGCPercent(before); keptAlive = nil })
	percent := func(want uint64) {
		t.Helper()
		s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for end := time.Now().Add(10 * time.Second); ; {
			runtime.GC()
			time.Sleep(time.Millisecond) // finalizers have a goroutine of their own
			if metrics.Read(s); s[0].Value.Uint64() == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d percent, want %d", s[0].Value.Uint64(), want)
			}
		}
	}
	h := letSmallHeapGrow()
	percent(smallHeapPercent)
	for range 2 {
		keptAlive = make([]byte, 20<<20)
		percent(usualPercent)
		keptAlive = nil
		percent(smallHeapPercent)
	}
	h.end()
	percent(usualPercent)

	debug.SetGCPercent(50)
	for _, set := range []string{"50", "100"} {
		t.Setenv("GOGC", set)
		if letSmallHeapGrow() != nil {
			t.Errorf("GOGC=%s was overruled", set)
		}
	}
	percent(50)
	var none *smallHeap
	none.end()
	percent(50)
}

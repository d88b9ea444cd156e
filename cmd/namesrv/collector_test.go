package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// Goal: a heap grows to 16 MiB or twice what is alive, whichever is more, but for a step. Method: by
// hand, and what follows from the percentage for each size.
func TestHeapPercent(t *testing.T) {
	const mega = 1 << 20
	for _, f := range []struct {
		aliveMB float64
		want    int
	}{{0, 400}, {1, 400}, {3.2, 400}, {3.3, 300}, {4, 300}, {5, 200}, {6, 100}, {8, 100}, {15, 100}, {16, 100}, {500, 100}} {
		if got := heapPercent(uint64(f.aliveMB * mega)); got != f.want {
			t.Errorf("%.1f MB alive: %d, want %d", f.aliveMB, got, f.want)
		}
	}
	for alive := uint64(1 << 16); alive < 100*mega; alive += 1 << 16 {
		grown, most := alive+alive*uint64(heapPercent(alive))/100, max(2*alive, smallHeapBytes)
		if grown > most {
			t.Fatalf("%d bytes alive grow to %d", alive, grown)
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
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	percent := func(want uint64) {
		t.Helper()
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
	if metrics.Read(s); s[0].Value.Uint64() != startPercent {
		t.Errorf("%d percent before the first collection, want %d", s[0].Value.Uint64(), startPercent)
	}
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

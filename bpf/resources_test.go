package bpf

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pharosmq/pharos/internal/testkit/netns"
)

// inNamespace runs f on a thread in a fresh namespace with only a loopback.
func inNamespace(t *testing.T, f func() error) {
	t.Helper()
	needsKernel(t)
	ns, err := netns.New("alone")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := ns.Do(f); err != nil {
		t.Fatal(err)
	}
}

// resetConnections makes n connections with the given role and resets them from the far end.
func resetConnections(t *Tracer, n int, role Role) error {
	for i := range n {
		s, c, err := childPair()
		if err != nil {
			return err
		}
		if err := markAs(t, s, uint64(i), role); err != nil {
			return err
		}
		if err := c.SetLinger(0); err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// TestPrivilegedFloodLeavesRoomForBrokers fills the ring with nobody reading.
func TestPrivilegedFloodLeavesRoomForBrokers(t *testing.T) {
	inNamespace(t, func() error {
		tracer, err := Open(Options{Mode: ModeOn, RingBytes: 4096})
		if err != nil {
			return err
		}
		defer tracer.Close()
		// A record takes 144 bytes of the ring: 15 pass its half, 28 fill it.
		if err := resetConnections(tracer, 40, RoleClient); err != nil {
			return err
		}
		flood, err := tracer.Counters()
		if err != nil {
			return err
		}
		if flood.ResetsReceived != 40 || flood.Records != 15 || flood.Suppressed == 0 || flood.Lost != 0 {
			t.Errorf("after the flood: %+v", flood)
		}
		if err := resetConnections(tracer, 20, RoleBroker); err != nil {
			return err
		}
		after, err := tracer.Counters()
		if err != nil {
			return err
		}
		if after.Records != 28 || after.Lost == 0 || after.Suppressed != flood.Suppressed {
			t.Errorf("after the brokers: %+v", after)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		read := map[Role]int{}
		if err := tracer.Read(ctx, func(e *Event) { read[e.Role]++ }); err != context.DeadlineExceeded {
			t.Errorf("read: %v", err)
		}
		if read[RoleClient] != 15 || read[RoleBroker] != 13 {
			t.Errorf("read %v", read)
		}
		return nil
	})
}

// TestPrivilegedReadAllocatesNothing reads thousands of records.
func TestPrivilegedReadAllocatesNothing(t *testing.T) {
	inNamespace(t, func() error {
		tracer, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		defer tracer.Close()
		if err := resetConnections(tracer, 1000, RoleBroker); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		counters, err := tracer.Counters()
		if err != nil {
			return err
		}
		var before, after runtime.MemStats
		n, last := uint64(0), int64(0)
		runtime.ReadMemStats(&before)
		began := time.Now()
		err = tracer.Read(ctx, func(e *Event) {
			if e.TimeNanos < last {
				t.Errorf("event %d is older than the one before", n)
			}
			last = e.TimeNanos
			if n++; n == counters.Records {
				cancel()
			}
		})
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if err != context.Canceled || n != counters.Records || n < 3000 {
			t.Errorf("%d records, read %d, %v", counters.Records, n, err)
		}
		if allocated := after.Mallocs - before.Mallocs; allocated > 50 {
			t.Errorf("%d allocations for %d records", allocated, n)
		}
		t.Logf("%d records, %d allocations in all, %d ns a record", n, after.Mallocs-before.Mallocs, took.Nanoseconds()/int64(n))
		return nil
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// resident is the memory of this process in kilobytes.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(v)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestPrivilegedMemory: the kernel's types are gone after Open, everything after Close.
func TestPrivilegedMemory(t *testing.T) {
	inNamespace(t, func() error {
		heap := func() uint64 {
			runtime.GC()
			runtime.GC() // what a clean-up function of the first round held
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		files, heapBefore, rssBefore := openFiles(t), heap(), resident(t)
		began := time.Now()
		tracer, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		took, rssOpen := time.Since(began), resident(t)
		heapAfter, rssAfter := heap(), resident(t)
		t.Logf("opened in %v; heap +%d kB; resident +%d kB at once, +%d kB after the collector, of them the ring up to 1024 kB twice mapped",
			took, (int64(heapAfter)-int64(heapBefore))/1024, rssOpen-rssBefore, rssAfter-rssBefore)
		if grown := int64(heapAfter) - int64(heapBefore); grown > 1<<20 {
			t.Errorf("the heap grew by %d bytes: something holds the kernel's types", grown)
		}
		if grown := rssAfter - rssBefore; grown > 8<<10 {
			t.Errorf("resident memory grew by %d kB", grown)
		}
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
		if now := openFiles(t); now != files {
			t.Errorf("%d files open, %d before", now, files)
		}
		return nil
	})
}

// TestPrivilegedCloseEndsRead, without a context that does.
func TestPrivilegedCloseEndsRead(t *testing.T) {
	inNamespace(t, func() error {
		tracer, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- tracer.Read(context.Background(), func(*Event) {}) }()
		time.Sleep(20 * time.Millisecond)
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("read: %v", err)
		}
		// A context that ended before ends a read at once, too.
		second, err := Open(Options{Mode: ModeOn})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := second.Read(ctx, func(*Event) {}); err != context.Canceled {
			t.Errorf("read: %v", err)
		}
		return second.Close()
	})
}

package server

import (
	"bytes"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// In a table of a million topics each step of a lookup comes to another page of memory, and the
// processor waits for where the page is as long as for what is in it. Linux has large pages
// for that. By itself it makes them of a heap only where its setting
// (transparent_hugepage/enabled) is "always", and "madvise" is as common: so the heap is asked
// to be moved to large ones when the table is large and grows no more. Who touches a page while
// it is moved waits for a millisecond or two. What has not been used yet is left to the kernel,
// since large pages that are made on first use may take long.

const (
	largePagesFrom        = 250_000     // topics and shapes: with fewer it makes no difference
	largePagesSteadyParts = 8           // a table that changes by less than one part in so many is steady
	largePagesAfterMillis = 2_000       // of being steady
	largePagesAgainMillis = 10 * 60_000 // what registrations change lies elsewhere then
	largePageBytes        = 2 << 20     // where they have another size, the kernel refuses
	largePagePause        = 3 * time.Millisecond
	largePagesSetting     = "/sys/kernel/mm/transparent_hugepage/enabled"
)

// movingToLargePages decides when the heap is moved. Pure: time and the table's size come in.
type movingToLargePages struct {
	size         int // of which it has not changed much
	steadyMillis int64
	doneMillis   int64
	done         bool
}

// due is told, every second or so, how many topics and shapes there are.
func (m *movingToLargePages) due(nowMillis int64, size int) bool {
	if d := m.size / largePagesSteadyParts; size > m.size+d || size < m.size-d {
		*m = movingToLargePages{size: size, steadyMillis: nowMillis}
	}
	if size < largePagesFrom || nowMillis-m.steadyMillis < largePagesAfterMillis {
		return false
	}
	if m.done && nowMillis-m.doneMillis < largePagesAgainMillis {
		return false
	}
	m.done, m.doneMillis = true, nowMillis
	return true
}

// moveToLargePages moves the heap, as far as it lies in one piece around the server, until
// quit. An operator who wants no large pages has none; a kernel before 6.1 knows nothing of it.
func (s *Server) moveToLargePages() {
	setting, err := os.ReadFile(largePagesSetting)
	if err != nil || bytes.Contains(setting, []byte("[never]")) {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	from, to := mappedAround(maps, uintptr(unsafe.Pointer(s)))
	from = (from + largePageBytes - 1) &^ (largePageBytes - 1)
	for ; from+largePageBytes <= to; from += largePageBytes {
		select {
		case <-s.quit:
			return
		case <-time.After(largePagePause):
		}
		// What cannot be moved stays where it is: nothing was there yet, or memory is short.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, largePageBytes, unix.MADV_COLLAPSE)
	}
}

// mappedAround returns the piece of memory that can be written to and has at in it, of maps as
// /proc/PID/maps lists them; 0, 0 if there is none.
func mappedAround(maps []byte, at uintptr) (from, to uintptr) {
	var start, end uintptr
	var mode string
	for line := range bytes.Lines(maps) {
		if n, _ := fmt.Sscanf(string(line), "%x-%x %s", &start, &end, &mode); n < 3 || mode != "rw-p" {
			continue
		}
		if start != to {
			if from <= at && at < to {
				return from, to
			}
			from = start
		}
		to = end
	}
	if from <= at && at < to {
		return from, to
	}
	return 0, 0
}

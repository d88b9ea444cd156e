package server

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// sliceNanos is how long a thread of ours may keep a processor from another that wakes up.
// It is the least that the kernel takes.
const sliceNanos = 100_000

// shortenSlices asks the scheduler for short slices for every thread of the process; those
// that it starts later inherit them. A thread that wakes up takes the processor at once from
// one of lower priority only when that has used its slice, 3 ms by default: so long a lookup
// would wait for a lane, or for the collector, on a machine whose processors are all busy.
//
// Kernels before 6.12 accept the request and ignore it (struct sched_attr.sched_runtime of a
// SCHED_OTHER thread). Not being allowed to is no harm.
func shortenSlices() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		attr, err := unix.SchedGetAttr(tid, 0)
		if err != nil || attr.Policy != unix.SCHED_NORMAL {
			continue // ended meanwhile; or somebody chose a policy for us
		}
		attr.Runtime = sliceNanos
		_ = unix.SchedSetAttr(tid, attr, 0)
	}
}

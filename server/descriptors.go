package server

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	descriptorsMax      = 1 << 20 // more than that is not worth asking for
	descriptorsHeadroom = 48      // files, the HTTP port, outgoing connections
)

// descriptorPlan says how many descriptors are for what. Surplus connections are accepted
// and closed at once, so some are set aside for them: two for each that may be on its way
// to an event loop at a time, and as many as wait in the kernel's queue, which costs little
// and leaves room for what else the process opens.
type descriptorPlan struct {
	limit       int // of the process
	backlog     int
	arriving    int // connections that may be on their way to a loop
	connections int // that may be open at a time
}

// arrivingEach is how many connections are on their way at a time for each loop when there are plenty of
// descriptors, and arrivingMax for all. A loop takes them in once a round, and a round of busy ones takes a while. Each is a
// goroutine with system calls to make, which may cost the process a thread, for ever: with 256,
// bursts left 90 to 200 threads behind, and every collection waited for them.
const (
	arrivingEach = 16
	arrivingMax  = 256
)

// planDescriptors divides up a limit of which openNow descriptors are in use.
func planDescriptors(limit, openNow, backlogMax, connectionsMax, loops int) descriptorPlan {
	p := descriptorPlan{limit: limit, backlog: max(1, min(backlogMax, limit/8)), arriving: max(1, min(arrivingEach*loops, arrivingMax, limit/16))}
	reserve := openNow + descriptorsHeadroom + p.backlog + 2*p.arriving
	p.connections = max(1, limit-reserve)
	if connectionsMax > 0 {
		p.connections = min(p.connections, connectionsMax)
	}
	return p
}

// raiseDescriptorLimit raises the soft limit to the hard one, and returns the limit. The
// Go runtime does so too, but not in every way a process can be started.
func raiseDescriptorLimit() (int, error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	if want := min(r.Max, descriptorsMax); r.Cur < want {
		raised := unix.Rlimit{Cur: want, Max: r.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err == nil {
			r.Cur = want
		}
	}
	return int(min(r.Cur, descriptorsMax)), nil
}

// openDescriptors counts the process's descriptors; a fair guess where it cannot.
func openDescriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 32
	}
	return len(entries)
}

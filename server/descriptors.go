package server

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	descriptorsMax      = 1 << 20 // more than that is not worth asking for
	descriptorsHeadroom = 48      // files, the HTTP port, outgoing connections
)

// descriptorPlan says how many descriptors are for what. gnet ends the whole engine when
// accepting fails for want of a descriptor, so the last one must never be taken: surplus
// connections are accepted and closed at once, and the reserve covers those that are
// accepted before their loop gets to closing them: about the listen backlog, as long as
// loops keep up, and twice that is set aside.
type descriptorPlan struct {
	limit       int // of the process
	backlog     int
	connections int // that may be open at a time
}

// planDescriptors divides up a limit of which openNow descriptors are in use.
func planDescriptors(limit, openNow, backlogMax, connectionsMax int) descriptorPlan {
	p := descriptorPlan{limit: limit, backlog: max(1, min(backlogMax, limit/8))}
	reserve := openNow + descriptorsHeadroom + 2*p.backlog
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

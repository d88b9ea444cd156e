package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// usage is what a process and its processor had used at one moment.
type usage struct {
	cpuNanos  int64 // of the living threads, and what /proc/PID/stat adds for ended ones
	rssBytes  int64
	peakBytes int64
	threads   int
	coreBusy  int64 // ticks of the one processor it is bound to
	coreTotal int64
	coreSteal int64
	coreIdle  int64
	// machineBusy are ticks of all processors together.
	machineBusy int64
	coreNumber  int       // -1: it may run on several
	begun       int64     // processes and threads since the machine's start
	others      taskTimes // nil: not looked at
}

// ProcessUse is what a server used in one window.
type ProcessUse struct {
	CPUSeconds float64 `json:"cpu_s"`
	// CPUShare is its processor time by the window's: 1 is one core, all the time.
	CPUShare  float64 `json:"cpu_share"`
	RSSBytes  int64   `json:"rss_bytes"`
	PeakBytes int64   `json:"rss_peak_bytes"`
	Threads   int     `json:"threads"`
	// Stops of its collector since it started, if its log tells.
	Stops *Stops `json:"stops,omitempty"`
	// Core is the processor it is bound to, -1 for several; CoreBusy and CoreSteal are the
	// shares of the window in which that processor did anything, for anybody, or was taken
	// away by the hypervisor.
	Core      int     `json:"core"`
	CoreBusy  float64 `json:"core_busy,omitempty"`
	CoreSteal float64 `json:"core_steal,omitempty"`
	// CoreAwake is the share in which that processor was not idle: to a tick exactly where the
	// kernel stops its tick when idle, whereas CoreBusy is sampled. Falling asleep and waking up
	// counts, too.
	CoreAwake float64 `json:"core_awake,omitempty"`
	// MachineBusy is how many processors did anything, for anybody, on the average.
	MachineBusy float64 `json:"machine_busy,omitempty"`
	// Others is nil if it was not looked at.
	Others *OtherTasks `json:"others,omitempty"`
}

// clockTick is how long a tick of /proc/PID/stat is.
const clockTickNanos = 10_000_000

// readUsage looks at process pid.
func readUsage(pid int) (u usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if u.cpuNanos, u.threads, err = threadTimes(dir); err != nil {
		return u, err
	}
	ticks, err := processTicks(dir)
	if err != nil {
		return u, err
	}
	u.cpuNanos = max(u.cpuNanos, ticks*clockTickNanos)
	if u.rssBytes, u.peakBytes, err = memory(dir); err != nil {
		return u, err
	}
	u.coreNumber = boundTo(pid)
	return u, u.readProcessors()
}

// Use is the processor time that the threads of process pid have had, in nanoseconds, and its
// resident memory.
func Use(pid int) (cpuNanos, rssBytes int64, err error) {
	u, err := readUsage(pid)
	return u.cpuNanos, u.rssBytes, err
}

// forgetPeak has the kernel begin anew with the largest resident size of a process: the peak is
// the window's then. Without the right to do so it stays what it was.
func forgetPeak(pid int) {
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "clear_refs"), []byte("5"), 0)
}

// threadTimes adds up what the threads of a process have run, in nanoseconds.
func threadTimes(dir string) (nanos int64, threads int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "task", "*", "schedstat"))
	if err != nil || len(files) == 0 {
		return 0, 0, fmt.Errorf("read the processor time of %s: is there such a process, and may you look at it?", dir)
	}
	for _, file := range files {
		n, err := ranNanos(filepath.Dir(file))
		switch {
		case errors.Is(err, strconv.ErrSyntax):
			return 0, 0, fmt.Errorf("%s: %w", file, err)
		case err != nil:
			continue // the thread has ended
		}
		nanos += n
	}
	return nanos, len(files), nil
}

// processTicks is utime + stime of /proc/PID/stat.
func processTicks(dir string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s/stat has %d fields behind the name", dir, len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("%s/stat: %q and %q are no numbers", dir, fields[11], fields[12])
	}
	return user + system, nil
}

// memory is what is resident and was at most.
func memory(dir string) (rss, peak int64, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			rss = kb << 10
		case "VmHWM:":
			peak = kb << 10
		}
	}
	return rss, peak, nil
}

// boundTo is the one processor that pid may run on, or -1.
func boundTo(pid int) int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil || set.Count() != 1 {
		return -1
	}
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			return cpu
		}
	}
	return -1
}

// readProcessors reads /proc/stat: what its processor did, if it has but one, and all together.
func (u *usage) readProcessors() error {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return err
	}
	own, found := "cpu"+strconv.Itoa(u.coreNumber), u.coreNumber < 0
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "processes":
			u.begun, _ = strconv.ParseInt(fields[1], 10, 64)
		case len(fields) < 9:
		case fields[0] == "cpu":
			u.machineBusy, _, _, _ = processorTicks(fields)
		case fields[0] == own:
			u.coreBusy, u.coreIdle, u.coreSteal, u.coreTotal = processorTicks(fields)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("/proc/stat has no %s", own)
	}
	return nil
}

// processorTicks sums up a line of /proc/stat: user nice system idle iowait irq softirq steal.
func processorTicks(fields []string) (busy, idle, steal, total int64) {
	for i, field := range fields[1:9] {
		n, _ := strconv.ParseInt(field, 10, 64)
		total += n
		switch i {
		case 3, 4:
			idle += n
		case 7:
			steal = n
		default:
			busy += n
		}
	}
	return busy, idle, steal, total
}

// between is what was used from a to b.
func between(a, b usage, seconds float64) *ProcessUse {
	use := &ProcessUse{
		CPUSeconds: float64(b.cpuNanos-a.cpuNanos) / 1e9, RSSBytes: b.rssBytes, PeakBytes: b.peakBytes,
		Threads: b.threads, Core: b.coreNumber,
	}
	use.CPUShare = use.CPUSeconds / seconds
	use.MachineBusy = float64(b.machineBusy-a.machineBusy) * clockTickNanos / 1e9 / seconds
	if a.others != nil && b.others != nil {
		nanos, ended := b.others.since(a.others)
		use.Others = &OtherTasks{Ran: float64(nanos) / 1e9 / seconds, Begun: b.begun - a.begun, Ended: ended}
	}
	if ticks := float64(b.coreTotal - a.coreTotal); b.coreNumber >= 0 && ticks > 0 {
		use.CoreBusy = float64(b.coreBusy-a.coreBusy) / ticks
		use.CoreSteal = float64(b.coreSteal-a.coreSteal) / ticks
		use.CoreAwake = max(0, 1-float64(b.coreIdle-a.coreIdle)*clockTickNanos/1e9/seconds)
	}
	return use
}

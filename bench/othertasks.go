package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// OtherTasks is what all tasks but the server's and the bench's own had in a window, as the
// scheduler counted it, to the nanosecond. The ticks of /proc/stat are samples, and a load that
// sends every two milliseconds wakes up with the tick: they then find a processor busy that
// mostly is not.
type OtherTasks struct {
	// Ran is how many processors they had.
	Ran float64 `json:"ran"`
	// Begun is how many processes and threads began meanwhile, anybody's, and Ended how many ended
	// that had been there before. What they ran until they ended is in no figure.
	Begun int64 `json:"begun,omitempty"`
	Ended int   `json:"ended,omitempty"`
}

// begunMax is how many tasks may begin in a window, most of them likely the server's threads,
// before what ran is not known well enough.
const begunMax = 10

// known reports whether hardly anything can have run uncounted.
func (o *OtherTasks) known() bool { return o != nil && o.Begun <= begunMax && o.Ended == 0 }

// taskTimes is what every task had run at one moment, in nanoseconds, by the path of its folder.
type taskTimes map[string]int64

// readOtherTasks looks at all tasks but those of some processes.
func readOtherTasks(but ...int) (times taskTimes, err error) {
	processes, err := filepath.Glob("/proc/[1-9]*")
	if err != nil {
		return nil, err
	}
	times = make(taskTimes, 4*len(processes))
	for _, process := range processes {
		if pid, err := strconv.Atoi(filepath.Base(process)); err != nil || slices.Contains(but, pid) {
			continue
		}
		tasks, err := os.ReadDir(filepath.Join(process, "task"))
		if err != nil {
			continue // it has ended
		}
		for _, task := range tasks {
			dir := filepath.Join(process, "task", task.Name())
			if nanos, err := ranNanos(dir); err == nil {
				times[dir] = nanos
			}
		}
	}
	return times, nil
}

// ranNanos is the first number of a task's schedstat.
func ranNanos(dir string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, "schedstat"))
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	return strconv.ParseInt(string(first), 10, 64)
}

// since adds up what they ran after an earlier look, and counts those that have ended.
func (t taskTimes) since(before taskTimes) (nanos int64, ended int) {
	for task, now := range t {
		nanos += max(0, now-before[task])
	}
	for task := range before {
		if _, there := t[task]; !there {
			ended++
		}
	}
	return nanos, ended
}

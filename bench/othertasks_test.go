package bench

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A busy process is among the others, unless it is named.
func TestOtherTasks(t *testing.T) {
	busy := exec.Command("sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Process.Kill(); _ = busy.Wait() }()
	own := fmt.Sprintf("/proc/%d/task/%[1]d", busy.Process.Pid)
	look := func(but ...int) taskTimes {
		t.Helper()
		times, err := readOtherTasks(but...)
		if err != nil {
			t.Fatal(err)
		}
		return times
	}
	before := look()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		now := look()
		all, _ := now.since(before)
		if all >= 50e6 && now[own] > before[own] {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the busy process ran %d ns, all of them %d", now[own]-before[own], all)
		}
	}
	for task := range look(busy.Process.Pid, os.Getpid()) {
		if strings.HasPrefix(task, own) || strings.HasPrefix(task, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			t.Errorf("%s is among the others", task)
		}
	}
}

func TestTaskTimesSince(t *testing.T) {
	before := taskTimes{"stays": 10, "ended": 5, "number used again": 30}
	if nanos, ended := (taskTimes{"stays": 17, "began": 4, "number used again": 2}).since(before); nanos != 11 || ended != 1 {
		t.Errorf("%d ns, %d ended", nanos, ended)
	}
}

package bench

import (
	"os"
	"strings"
	"testing"
)

func TestProcessorTicks(t *testing.T) {
	busy, idle, steal, total := processorTicks(strings.Fields("cpu0 1 2 3 40 5 6 7 8 0 0"))
	if busy != 19 || idle != 45 || steal != 8 || total != 72 {
		t.Errorf("busy %d, idle %d, stolen %d of %d ticks", busy, idle, steal, total)
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	u, err := readUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.cpuNanos == 0 || u.rssBytes == 0 || u.peakBytes < u.rssBytes || u.threads == 0 || u.machineBusy == 0 {
		t.Errorf("%+v", u)
	}
	if _, err := readUsage(1 << 30); err == nil {
		t.Error("a process that there can't be")
	}
	// What is used between two looks, of a server bound to processor 1.
	use := between(usage{cpuNanos: 1e9, coreNumber: 1, coreBusy: 10, coreTotal: 100, coreIdle: 90, machineBusy: 10},
		usage{cpuNanos: 2e9, coreNumber: 1, coreBusy: 160, coreTotal: 300, coreIdle: 130, coreSteal: 10, machineBusy: 310}, 2)
	if use.CPUShare != 0.5 || use.CoreBusy != 0.75 || use.CoreSteal != 0.05 || use.CoreAwake != 0.8 || use.MachineBusy != 1.5 {
		t.Errorf("%+v", use)
	}
}

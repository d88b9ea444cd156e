package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// loadSpec is how hard each producer of a load works.
type loadSpec struct {
	Producers  int // clients, each with connections of its own
	Senders    int // threads of each that send
	Lookers    int // threads of each that ask for the topic's route
	Topic      string
	SendPause  time.Duration // between two sends of a thread
	LookPause  time.Duration
	Attempts   int // requests a lookup may take
	SendMillis int // timeout of a send; 0 is the client's default of 3 s
}

// load is producers of one driver that send and look up until stopped.
type load struct {
	driver *Driver
	spec   loadSpec
}

// loadStats is what a load has done, summed over its producers; the times are the worst
// producer's.
type loadStats struct {
	Sends, SendsFailed     int
	Lookups, LookupsFailed int
	SendP99, SendMax       time.Duration
	LookupP99, LookupMax   time.Duration
}

func (s loadStats) String() string {
	return fmt.Sprintf("%d sends, %d failed (P99 %v, max %v); %d lookups, %d failed (P99 %v, max %v)",
		s.Sends, s.SendsFailed, s.SendP99, s.SendMax, s.Lookups, s.LookupsFailed, s.LookupP99, s.LookupMax)
}

// startLoad starts a load. The producers get the address lists in turn.
func startLoad(tb testing.TB, d *Driver, spec loadSpec, addrs ...string) *load {
	tb.Helper()
	l := &load{driver: d, spec: spec}
	if spec.SendMillis == 0 {
		spec.SendMillis = 3000
	}
	for i := range spec.Producers {
		d.Do(tb, "producer", l.name(i), "ns="+addrs[i%len(addrs)], fmt.Sprint("timeout-ms=", spec.SendMillis))
		// The first send of a client connects and looks up; it is not part of the load.
		warm := d.Do(tb, "send", l.name(i), "topic="+spec.Topic, "n=20")
		if warm.Int(tb, "sent") == 0 {
			tb.Fatalf("producer %d cannot send at all: %v", i, warm)
		}
	}
	for i := range spec.Producers {
		d.Do(tb, "load-start", l.name(i), "topic="+spec.Topic,
			fmt.Sprint("senders=", spec.Senders), fmt.Sprint("lookers=", spec.Lookers),
			fmt.Sprint("lookup-attempts=", max(spec.Attempts, 1)),
			fmt.Sprint("send-pause-us=", spec.SendPause.Microseconds()),
			fmt.Sprint("lookup-pause-us=", spec.LookPause.Microseconds()))
	}
	return l
}

func (l *load) name(i int) string { return fmt.Sprintf("name=load-%d", i) }

// stats is what has been done so far.
func (l *load) stats(tb testing.TB) loadStats { tb.Helper(); return l.sum(tb, "load-stats") }

// stop ends the load and returns what it has done.
func (l *load) stop(tb testing.TB) loadStats {
	tb.Helper()
	s := l.sum(tb, "load-stop")
	for i := range l.spec.Producers {
		l.driver.Do(tb, "close", l.name(i))
	}
	return s
}

func (l *load) sum(tb testing.TB, verb string) loadStats {
	tb.Helper()
	var s loadStats
	for i := range l.spec.Producers {
		a := l.driver.Do(tb, verb, l.name(i))
		micros := func(key string) time.Duration { return time.Duration(a.Int(tb, key)) * time.Microsecond }
		s.Sends += a.Int(tb, "send-count")
		s.SendsFailed += a.Int(tb, "send-failed")
		s.Lookups += a.Int(tb, "lookup-count")
		s.LookupsFailed += a.Int(tb, "lookup-failed")
		s.SendP99, s.SendMax = max(s.SendP99, micros("send-p99-us")), max(s.SendMax, micros("send-max-us"))
		s.LookupP99, s.LookupMax = max(s.LookupP99, micros("lookup-p99-us")), max(s.LookupMax, micros("lookup-max-us"))
	}
	return s
}

// await waits until the load has done at least this much.
func (l *load) await(tb testing.TB, sends, lookups int, timeout time.Duration) {
	tb.Helper()
	deadline := time.Now().Add(timeout)
	for {
		s := l.stats(tb)
		if s.Sends >= sends && s.Lookups >= lookups {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("after %v the load has done only %v; want %d sends and %d lookups", timeout, s, sends, lookups)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// failures is what the driver wrote about calls that failed.
func (l *load) failures() string {
	var b strings.Builder
	for _, line := range strings.Split(l.driver.LogTail(1<<20), "\n") {
		if strings.Contains(line, "FAILED after") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

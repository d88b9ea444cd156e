package bpf

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// ErrSampling is what methods of a [Tracer] return that has no programs in the kernel.
var ErrSampling = errors.New("bpf: nothing is traced, only sampling is possible")

// Tracer is a set of BPF programs of one process, or the knowledge of why there is none. All
// methods may be called from any goroutine, and on a tracer that only samples.
type Tracer struct {
	mode      string
	reason    string
	missing   []Missing
	tickNanos uint64

	// The collector closes what is not referenced, and a closed link detaches its program.
	maps     map[string]*ebpf.Map
	programs map[string]*ebpf.Program
	links    []link.Link
	dump     *link.Iter
	ring     *ringbuf.Reader
	totals   *ebpf.Variable
	slots    *ebpf.Memory
	useMarks bool

	closeOnce sync.Once
	closeErr  error
}

// Open loads and attaches what this kernel and this process's privileges allow. It takes tens
// of milliseconds and some ten megabytes for the kernel's type information, which are garbage
// when it returns (debug.FreeOSMemory gives them back): call it when the server already
// answers.
//
// With ModeAuto it never fails for what the kernel lacks: the tracer then only samples and
// [Tracer.Reason] says why. With ModeOn that is an error. Invalid options are always an error.
func Open(o Options) (*Tracer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Mode == ModeOff {
		return &Tracer{mode: RunningSampling, reason: "turned off"}, nil
	}
	t, err := open(o, loadTcphealth)
	switch {
	case err == nil:
		return t, nil
	case o.Mode == ModeOn:
		return nil, fmt.Errorf("bpf: %s", explain(err))
	default:
		return &Tracer{mode: RunningSampling, reason: explain(err)}, nil
	}
}

// Mode is RunningEBPF or RunningSampling.
func (t *Tracer) Mode() string { return t.mode }

// Reason says in one line why nothing is traced; empty when it is.
func (t *Tracer) Reason() string { return t.reason }

// Missing lists what this kernel can't do although the rest is traced.
func (t *Tracer) Missing() []Missing { return t.missing }

// Close detaches everything and makes Read return. Sockets lose their marks. No other method
// than Mode, Reason and Missing may be called during or after it, except a Read under way.
func (t *Tracer) Close() error {
	t.closeOnce.Do(func() { t.closeErr = t.close() })
	return t.closeErr
}

func (t *Tracer) close() error {
	var errs []error
	if t.ring != nil {
		errs = append(errs, t.ring.Close())
	}
	for _, l := range t.links {
		errs = append(errs, l.Close())
	}
	if t.dump != nil {
		errs = append(errs, t.dump.Close())
	}
	for _, p := range t.programs {
		errs = append(errs, p.Close())
	}
	for _, m := range t.maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// MonotonicNanos is the clock of [Event.TimeNanos]. It takes no system call: Go's own clock is
// the same one, counted from another moment.
func MonotonicNanos() int64 { return clockBase + int64(time.Since(clockStart)) }

// clockStart is when this program began, and clockBase is CLOCK_MONOTONIC then.
var clockStart, clockBase = time.Now(), monotonic()

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("bpf: CLOCK_MONOTONIC can't be read: " + err.Error())
	}
	return ts.Nano()
}

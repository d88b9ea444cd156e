package bpf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"
)

// Read calls handle for every record, in the order of the kernel, until ctx ends (its error is
// returned) or the tracer is closed (nil). The event belongs to Read: handle copies what it
// keeps. Nothing is allocated for an event. While handle runs records wait in the ring; what
// does not fit there is counted in [Counters.Lost]. Where many come, all but the first of some
// are up to 30 ms late; their times are exact.
//
// One Read at a time. On a tracer that only samples it returns [ErrSampling].
func (t *Tracer) Read(ctx context.Context, handle func(*Event)) error {
	if t.ring == nil {
		return ErrSampling
	}
	// A flush that comes before the wait is not lost: the next wait ends at once.
	stop := context.AfterFunc(ctx, func() { _ = t.ring.Flush() })
	defer stop()
	record := ringbuf.Record{RawSample: make([]byte, eventBytes)}
	var e Event
	var w wakes
	for {
		switch err := t.ring.ReadInto(&record); {
		case err == nil:
			w.record(t.ring)
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.empty(t.ring)
			continue
		case errors.Is(err, ringbuf.ErrFlushed):
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		case errors.Is(err, os.ErrClosed):
			return nil
		default:
			return fmt.Errorf("bpf: read: %w", err)
		}
		if !e.decode(record.RawSample, t.tickNanos) {
			return fmt.Errorf("bpf: a record of %d bytes, %d are expected", len(record.RawSample), eventBytes)
		}
		handle(&e)
	}
}

// lookAgain is when a reader that was woken up looks for what came without waking it: later
// than the programs' WAKE_NS, so that whatever comes after a look in vain wakes it.
const lookAgain = 25 * time.Millisecond

// wakes says when Read has to look by itself.
type wakes struct {
	looking bool // the reader waits no longer than lookAgain
	read    bool // and has read something in that time
}

// record is told that one was read.
func (w *wakes) record(r *ringbuf.Reader) {
	w.read = true
	if !w.looking {
		w.looking = true
		r.SetDeadline(time.Now().Add(lookAgain))
	}
}

// empty is told that the ring was looked at after that time, and is empty.
func (w *wakes) empty(r *ringbuf.Reader) {
	if w.looking = w.read; w.looking {
		r.SetDeadline(time.Now().Add(lookAgain))
	} else {
		r.SetDeadline(time.Time{})
	}
	w.read = false
}

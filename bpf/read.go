package bpf

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/ringbuf"
)

// Read calls handle for every record, in the order of the kernel, until ctx ends (its error is
// returned) or the tracer is closed (nil). The event belongs to Read: handle copies what it
// keeps. Nothing is allocated for an event. While handle runs records wait in the ring; what
// does not fit there is counted in [Counters.Lost].
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
	for {
		switch err := t.ring.ReadInto(&record); {
		case err == nil:
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

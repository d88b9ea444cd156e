package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// asyncBytesMax bounds what waits for a slow or stuck writer.
const asyncBytesMax = 8 << 20

// asyncWriter hands writes to a goroutine, so that a disk, a terminal or a pipe that
// nobody reads never holds up who writes a line. What does not fit is dropped, counted,
// and said so in the stream once it moves again.
type asyncWriter struct {
	to      io.Writer
	reopen  func() // what Reopen asks for; nil: nothing
	queue   chan []byte
	waiting atomic.Int64 // bytes
	dropped atomic.Uint64
	quit    chan struct{}
	done    chan struct{}
}

func newAsyncWriter(to io.Writer, reopen func()) *asyncWriter {
	w := &asyncWriter{to: to, reopen: reopen, queue: make(chan []byte, 16<<10), quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Write queues a copy of p. It never blocks and never fails.
func (w *asyncWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // nil in the queue is Reopen's
	}
	if w.waiting.Add(int64(len(p))) <= asyncBytesMax {
		select {
		case w.queue <- append([]byte(nil), p...):
			return len(p), nil
		default:
		}
	}
	w.waiting.Add(-int64(len(p)))
	w.dropped.Add(1)
	return len(p), nil
}

// Reopen has what is written to opened again, behind the lines that wait. It never blocks;
// when there is no room in the queue, nothing happens.
func (w *asyncWriter) Reopen() {
	select {
	case w.queue <- nil:
	default:
	}
}

func (w *asyncWriter) run() {
	defer close(w.done)
	for {
		select {
		case p := <-w.queue:
			w.write(p)
		case <-w.quit:
			for {
				select {
				case p := <-w.queue:
					w.write(p)
				default:
					return
				}
			}
		}
	}
}

// write ignores errors: there is nobody to tell who would not be told through here.
func (w *asyncWriter) write(p []byte) {
	if p == nil {
		if w.reopen != nil {
			w.reopen()
		}
		return
	}
	_, _ = w.to.Write(p)
	w.waiting.Add(-int64(len(p)))
	if n := w.dropped.Swap(0); n > 0 {
		_, _ = fmt.Fprintf(w.to, "%d lines were lost here: they could not be written fast enough\n", n)
	}
}

// Close writes what waits, but gives up after the timeout. Later writes go nowhere. It
// may be called once.
func (w *asyncWriter) Close(timeout time.Duration) {
	close(w.quit)
	select {
	case <-w.done:
	case <-time.After(timeout):
	}
}

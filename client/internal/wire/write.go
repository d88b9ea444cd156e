package wire

import (
	"context"
	"fmt"
	"sync"

	"github.com/pharosmq/pharos/codec"
)

// spareBytesMax is the largest buffer that is kept for the next batch.
const spareBytesMax = 256 << 10

// outbox is what waits to be written: the frames of any number of callers in one buffer,
// which the writer takes as a whole.
type outbox struct {
	mu      sync.Mutex
	max     int
	pending []byte
	sent    chan struct{} // closed when what is pending now has been written; nil: nobody asks
	room    chan struct{} // closed when pending is taken; nil: nobody waits
	wake    chan struct{} // of one: there is something to write
}

func (o *outbox) init(bytesMax int) {
	o.max = bytesMax
	o.wake = make(chan struct{}, 1)
}

// enqueue puts a frame into the outbox, waiting for room if need be; Flush sends it. With
// report, sent is closed when the kernel has the frame.
func (c *Conn) enqueue(ctx context.Context, h *codec.Header, body []byte, report bool) (sent <-chan struct{}, err error) {
	if h.Version == 0 {
		h.Version = c.options.Version
	}
	if h.Language == 0 {
		h.Language = c.options.Language
	}
	if len(body) > c.limits.FrameBytesMax {
		return nil, fmt.Errorf("request %d to %s: %w: a body of %d bytes, the limit is %d", h.Code, c.addr, codec.ErrFrameTooLarge, len(body), c.limits.FrameBytesMax)
	}
	for {
		if err := c.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		room, sent, err := c.put(h, body, report)
		if room == nil {
			return sent, err
		}
		c.Flush()
		select {
		case <-room:
		case <-ctx.Done():
			return nil, fmt.Errorf("request %d to %s: not sent, %d bytes wait before it: %w", h.Code, c.addr, c.out.queued(), Cause(ctx))
		case <-c.done:
			return nil, fmt.Errorf("%w: %w", ErrNotSent, c.err)
		}
	}
}

// put appends the frame to the outbox; if there is no room, it returns what to wait for. A
// request without a body never waits: a question must not stand behind megabytes of others'.
func (c *Conn) put(h *codec.Header, body []byte, report bool) (room, sent <-chan struct{}, err error) {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	start := len(o.pending)
	switch {
	case len(body) == 0 && start > 2*o.max:
		return nil, nil, fmt.Errorf("request %d to %s: %w: %d bytes wait before it", h.Code, c.addr, ErrTooManyCalls, start)
	case len(body) > 0 && start > 0 && start+len(body) > o.max:
		if o.room == nil {
			o.room = make(chan struct{})
		}
		return o.room, nil, nil
	}
	o.pending = codec.AppendCommand(o.pending, c.options.Serialize, h, body)
	if n := len(o.pending) - start; n > c.limits.FrameBytesMax {
		o.pending = o.pending[:start]
		return nil, nil, fmt.Errorf("request %d to %s: %w: %d bytes, the limit is %d", h.Code, c.addr, codec.ErrFrameTooLarge, n, c.limits.FrameBytesMax)
	}
	if report {
		if o.sent == nil {
			o.sent = make(chan struct{})
		}
		sent = o.sent
	}
	return nil, sent, nil
}

// Flush sends the requests that were prepared. It does not wait.
func (c *Conn) Flush() {
	select {
	case c.out.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) queued() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending)
}

// take empties the outbox; spare is what the next frames go into.
func (o *outbox) take(spare []byte) (batch []byte, sent chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, sent = o.pending, o.sent
	o.pending, o.sent = spare, nil
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
	return batch, sent
}

// write sends what callers put into the outbox until the connection ends.
func (c *Conn) write() {
	var spare []byte
	for {
		select {
		case <-c.out.wake:
		case <-c.done:
			return
		}
		batch, sent := c.out.take(spare[:0])
		if len(batch) == 0 { // sent with the batch before, by a Flush that came late
			spare = batch
			continue
		}
		if _, err := c.nc.Write(batch); err != nil {
			c.fail(err)
			return
		}
		if sent != nil {
			close(sent)
		}
		if spare = batch; cap(spare) > spareBytesMax {
			spare = nil
		}
	}
}

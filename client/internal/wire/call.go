package wire

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Call sends a request and waits for its reply, until the context ends or the connection
// does. A pause of our own process does not use the context's deadline up: what came meanwhile
// is read first. The header's opaque is the connection's to choose, version and language are filled in
// where they are zero; body is copied before Call returns. A reply with an error code is a
// reply.
//
// The error wraps the context's, ErrClosed, ErrTooManyCalls or codec.ErrFrameTooLarge. A call
// that gave up leaves no trace: its late reply is dropped and counted. Without a deadline a
// call waits as long as the connection lives.
func (c *Conn) Call(ctx context.Context, h codec.Header, body []byte) (*Reply, error) {
	began := time.Now()
	p, err := c.Begin(ctx, h, body)
	if err != nil {
		return nil, err
	}
	switch r, why := wait(ctx, c.done, began, p.reply); why {
	case came:
		return r, nil
	case contextEnded:
		err = fmt.Errorf("request %d to %s: no answer: %w", h.Code, c.addr, Cause(ctx))
	case connEnded:
		err = c.err
	}
	if r := p.Cancel(); r != nil {
		return r, nil
	}
	return nil, err
}

// Pending is a call whose reply has not been taken yet. Whoever began it receives from Reply
// once, or calls Cancel.
type Pending struct {
	conn   *Conn
	opaque int32
	reply  chan *Reply // of one; never closed
}

// Begin is the first half of Call: it sends the request and does not wait. The context only
// bounds the wait for room among what is to be written. The end of the connection does not
// show in Reply: watch its Done too, and Cancel then.
func (c *Conn) Begin(ctx context.Context, h codec.Header, body []byte) (*Pending, error) {
	p, err := c.Prepare(ctx, h, body)
	if err == nil {
		c.Flush()
	}
	return p, err
}

// Prepare is Begin, but the request may wait until Flush is called, so that several leave at
// once.
func (c *Conn) Prepare(ctx context.Context, h codec.Header, body []byte) (*Pending, error) {
	p := &Pending{conn: c, reply: make(chan *Reply, 1)}
	if err := c.calls.add(p); err != nil {
		return nil, fmt.Errorf("request %d to %s: %w", h.Code, c.addr, err)
	}
	h.Opaque = p.opaque
	h.Flag &^= codec.FlagResponse | codec.FlagOneway
	if _, err := c.enqueue(ctx, &h, body, false); err != nil {
		c.calls.remove(p.opaque)
		return nil, err
	}
	return p, nil
}

// Conn is the connection of the call.
func (p *Pending) Conn() *Conn { return p.conn }

// Reply delivers the reply when it comes, once.
func (p *Pending) Reply() <-chan *Reply { return p.reply }

// Cancel gives the call up. It returns the reply if that was there already.
func (p *Pending) Cancel() *Reply {
	if p.conn.calls.remove(p.opaque) {
		return nil
	}
	select { // whoever takes a call out of the table has its reply delivered by then
	case r := <-p.reply:
		return r
	default:
		return nil
	}
}

// Oneway sends a request that is not answered, and returns when the kernel has taken it: that
// says nothing about the server. The error is as that of Call.
func (c *Conn) Oneway(ctx context.Context, h codec.Header, body []byte) error {
	began := time.Now()
	h.Opaque = c.calls.next()
	h.Flag = h.Flag&^codec.FlagResponse | codec.FlagOneway
	sent, err := c.enqueue(ctx, &h, body, true)
	if err != nil {
		return err
	}
	c.Flush()
	switch _, why := wait(ctx, c.done, began, sent); why {
	case came:
		return nil
	case contextEnded:
		err = fmt.Errorf("request %d to %s: not sent: %w", h.Code, c.addr, Cause(ctx))
	case connEnded:
		err = c.err
	}
	select {
	case <-sent: // at the same moment
		return nil
	default:
		return err
	}
}

// calls is the table of those who wait for a reply.
type calls struct {
	mu      sync.Mutex
	opaque  int32
	max     int
	waiting map[int32]*Pending
}

func (t *calls) init(callsMax int) {
	t.max = callsMax
	t.waiting = map[int32]*Pending{}
}

// add gives p an opaque nobody waits for and puts it into the table.
func (t *calls) add(p *Pending) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) >= t.max {
		return fmt.Errorf("%w: %d", ErrTooManyCalls, len(t.waiting))
	}
	t.opaque++
	for t.waiting[t.opaque] != nil { // after 2^32 others
		t.opaque++
	}
	p.opaque = t.opaque
	t.waiting[p.opaque] = p
	return nil
}

// next draws an opaque for a request that nobody waits for.
func (t *calls) next() int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opaque++
	return t.opaque
}

// remove reports whether the call was still waiting.
func (t *calls) remove(opaque int32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, there := t.waiting[opaque]
	delete(t.waiting, opaque)
	return there
}

// askedMax is how many requests ago a late reply may have been asked for.
const askedMax = 1 << 20

// asked reports whether a request with that opaque was sent, not too long ago.
func (t *calls) asked(opaque int32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ago := t.opaque - opaque // also when the numbers have begun again
	return ago >= 0 && ago < askedMax
}

// deliver hands a reply to whom it belongs; false if that one has gone.
func (t *calls) deliver(opaque int32, r *Reply) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.waiting[opaque]
	if p == nil {
		return false
	}
	delete(t.waiting, opaque)
	p.reply <- r // has room: one call, one reply
	return true
}

func (t *calls) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

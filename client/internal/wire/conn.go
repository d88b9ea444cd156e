package wire

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Conn is a connection to one server. Its methods may be called from any goroutine.
type Conn struct {
	nc      net.Conn
	addr    string
	opened  time.Time
	limits  codec.Limits
	options Dialer

	// heardNanos is what Heard says, in nanoseconds after opened: monotonic.
	heardNanos atomic.Int64
	late       atomic.Uint64
	unasked    atomic.Uint64

	calls calls
	out   outbox

	done chan struct{} // closed by fail
	once sync.Once
	err  error          // why; written before done is closed
	ends sync.WaitGroup // reader and writer
}

func newConn(nc net.Conn, addr string, d *Dialer) *Conn {
	c := &Conn{nc: nc, addr: addr, opened: time.Now(), limits: d.Limits, options: *d, done: make(chan struct{})}
	if c.limits == (codec.Limits{}) {
		c.limits = codec.DefaultLimits()
	}
	if c.options.Version == 0 {
		c.options.Version = codec.Version5_5_0
	}
	c.calls.init(orDefault(d.CallsMax, DefaultCallsMax))
	c.out.init(orDefault(d.QueuedBytesMax, DefaultQueuedBytesMax))
	c.ends.Go(c.read)
	c.ends.Go(c.write)
	return c
}

// Addr is the address the connection was dialled with.
func (c *Conn) Addr() string { return c.addr }

// Heard is when the server last answered any request, or sent another 64 KB of a large answer;
// before that, when the connection was opened. Opening is all that Heard then proves: a frozen
// process accepts connections too. Single bytes, requests of the server's own and answers to
// what nobody asked prove nothing: a server that sends those and never an answer hangs as well.
func (c *Conn) Heard() time.Time { return c.opened.Add(time.Duration(c.heardNanos.Load())) }

// Opened is when the connection was established.
func (c *Conn) Opened() time.Time { return c.opened }

// InFlight is how many calls wait for a reply.
func (c *Conn) InFlight() int { return c.calls.count() }

// Stats counts what came without anybody waiting for it.
type Stats struct {
	Late    uint64 // replies whose callers had gone
	Unasked uint64 // requests of the server, which are not answered, and replies to none of ours
}

// Stats returns the connection's counts so far.
func (c *Conn) Stats() Stats { return Stats{Late: c.late.Load(), Unasked: c.unasked.Load()} }

// Done is closed when the connection is gone.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection is gone; it wraps ErrClosed and the cause. It is nil while the
// connection lives.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Abort ends the connection without waiting for its goroutines: they end by themselves. What
// waits on it fails with ErrClosed and the cause, which may be nil. The first cause counts.
func (c *Conn) Abort(cause error) { c.fail(cause) }

// Close is Abort, and waits until the connection's goroutines have ended.
func (c *Conn) Close(cause error) error {
	c.fail(cause)
	c.ends.Wait()
	return nil
}

func (c *Conn) fail(cause error) {
	c.once.Do(func() {
		c.err = fmt.Errorf("%w: %s", ErrClosed, c.addr)
		if cause != nil && !errors.Is(cause, ErrClosed) {
			c.err = fmt.Errorf("%w: %s: %w", ErrClosed, c.addr, cause)
		}
		// On a goroutine: to close a TLS connection is to write to it, which takes its time on
		// one that hangs. The reader and the writer are still there, so ends is not at zero.
		c.ends.Go(func() { c.nc.Close() })
		close(c.done)
	})
}

package wire

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// Defaults of a Dialer.
const (
	// DefaultTimeout is how long connecting may take (Java: connectTimeoutMillis).
	DefaultTimeout = 3 * time.Second
	// DefaultKeepAliveIdle is when the kernel first asks a silent peer whether it is there.
	DefaultKeepAliveIdle = 10 * time.Second
	// DefaultKeepAliveInterval is when it asks again.
	DefaultKeepAliveInterval = 3 * time.Second
	// DefaultUserTimeout is how long the kernel waits for an acknowledgement of anything.
	DefaultUserTimeout = 10 * time.Second
	// DefaultCallsMax bounds the calls that wait on a connection (Java has 65535 for a client).
	DefaultCallsMax = 16384
	// DefaultQueuedBytesMax bounds what waits to be written. One request may be larger, alone;
	// those without a body may come to as much again.
	DefaultQueuedBytesMax = 4 << 20
)

// Dialer makes connections. The zero value dials over TCP with the defaults and JSON headers.
// It is read-only once in use, and may be shared.
type Dialer struct {
	// Timeout bounds connecting; 0 is DefaultTimeout, negative is none but the context's.
	Timeout time.Duration
	// KeepAliveIdle and KeepAliveInterval are the kernel's probes of a silent connection;
	// 0 is the default, a negative KeepAliveIdle turns them off.
	KeepAliveIdle     time.Duration
	KeepAliveInterval time.Duration
	// UserTimeout is TCP_USER_TIMEOUT (Linux); 0 is the default, negative leaves the kernel's.
	UserTimeout time.Duration
	// Serialize is how request headers are written. Replies are read in either form.
	Serialize codec.SerializeType
	// Version and Language stand in headers that leave them zero. Version 0 is
	// codec.Version5_5_0; Language 0 is Java.
	Version  int32
	Language codec.LanguageCode
	// Limits bound what is received, and the size of a frame that is sent; the zero value is
	// codec.DefaultLimits.
	Limits codec.Limits
	// CallsMax and QueuedBytesMax bound what waits on one connection; 0 is the default.
	CallsMax       int
	QueuedBytesMax int
	// DialFunc replaces net.Dialer: for tests, TLS, and network namespaces. A *net.TCPConn it
	// returns gets the socket options above.
	DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial connects to addr ("host:port") and starts the connection's goroutines. End it with
// Close. The context bounds connecting, not the connection's life.
func (d *Dialer) Dial(ctx context.Context, addr string) (*Conn, error) {
	began := time.Now()
	nc, err := d.connect(ctx, addr)
	if timeout := orDefault(d.Timeout, DefaultTimeout); err != nil && ctx.Err() == nil && timeout > 0 && time.Since(began) > timeout+lateMax {
		nc, err = d.connect(ctx, addr) // it was us who stood still
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	if err := d.dress(nc); err != nil {
		nc.Close()
		return nil, fmt.Errorf("socket options of %s: %w", addr, err)
	}
	return newConn(nc, addr, d), nil
}

// lateMax is how late a time-out may end: whatever is later was late because of us.
const lateMax = 100 * time.Millisecond

// connect makes one attempt, within the time-out.
func (d *Dialer) connect(ctx context.Context, addr string) (net.Conn, error) {
	if timeout := orDefault(d.Timeout, DefaultTimeout); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	dial := d.DialFunc
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	return dial(ctx, "tcp", addr)
}

// dress sets the socket options of a TCP connection.
func (d *Dialer) dress(nc net.Conn) error {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	idle := orDefault(d.KeepAliveIdle, DefaultKeepAliveIdle)
	if err := tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: idle > 0, Idle: idle, Interval: orDefault(d.KeepAliveInterval, DefaultKeepAliveInterval),
		// Where there is a user timeout that one decides; this count is for the others.
		Count: 3,
	}); err != nil {
		return err
	}
	if timeout := orDefault(d.UserTimeout, DefaultUserTimeout); timeout > 0 {
		return setUserTimeout(tcp, timeout)
	}
	return nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

package testkit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pharosmq/pharos/codec"
)

// DefaultCallTimeout is how long a call waits when its context has no deadline, as Java's
// clients do.
const DefaultCallTimeout = 3 * time.Second

// ErrClosed: the connection is gone, by our Close or by the peer's.
var ErrClosed = errors.New("testkit: connection closed")

// ClientOptions is how a client speaks. The zero value is a Java 5.5.0 client with JSON
// headers.
type ClientOptions struct {
	Serialize codec.SerializeType
	// Version in request headers; 0 is that of 5.5.0, negative is sent as 0.
	Version  int32
	Language codec.LanguageCode
	// Limits for replies; nil is codec.DefaultLimits.
	Limits *codec.Limits
	// OnRequest gets what the server asks of us (905). It runs on the reading goroutine.
	// nil: requests are dropped.
	OnRequest func(*Message)
	// Dialer dials; the zero Dialer if nil. Set its LocalAddr to come from a chosen address.
	Dialer *net.Dialer
}

// Message is a received command, reply or request. It owns its bytes.
type Message struct {
	Code      int32
	Version   int32
	Opaque    int32
	Flag      int32
	Language  codec.LanguageCode
	Serialize codec.SerializeType
	Remark    string
	HasRemark bool
	Ext       map[string]string // nil: no ext fields at all
	Body      []byte            // nil: none
}

// Client is one connection to a name server. Its methods may be called from any goroutine;
// replies find their callers by opaque, in any order.
type Client struct {
	o    ClientOptions
	conn net.Conn
	done chan struct{} // closed when the reader ends

	mu      sync.Mutex
	opaque  int32
	waiting map[int32]chan *Message
	err     error // why the reader ended
}

// Dial connects to a name server.
func Dial(ctx context.Context, addr string, o ClientOptions) (*Client, error) {
	if o.Version == 0 {
		o.Version = codec.Version5_5_0
	}
	if o.Limits == nil {
		lim := codec.DefaultLimits()
		o.Limits = &lim
	}
	if o.Dialer == nil {
		o.Dialer = &net.Dialer{Timeout: DefaultCallTimeout}
	}
	conn, err := o.Dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to name server: %w", err)
	}
	c := &Client{o: o, conn: conn, done: make(chan struct{}), waiting: map[int32]chan *Message{}}
	go c.read()
	return c, nil
}

// Ext makes ext fields of key, value, key, value, ...
func Ext(keyValues ...string) []codec.ExtField {
	ext := make([]codec.ExtField, 0, len(keyValues)/2)
	for i := 0; i+1 < len(keyValues); i += 2 {
		ext = append(ext, codec.ExtField{Key: keyValues[i], Value: keyValues[i+1]})
	}
	return ext
}

// Call sends a request and waits for its reply: until the context ends, or for
// DefaultCallTimeout if it has no deadline. A reply with an error code is a reply. The
// error wraps ErrClosed or the context's error.
func (c *Client) Call(ctx context.Context, code int32, ext []codec.ExtField, body []byte) (*Message, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultCallTimeout)
		defer cancel()
	}
	reply := make(chan *Message, 1)
	opaque := c.expect(reply)
	defer c.forget(opaque)
	if err := c.send(ctx, code, opaque, 0, ext, body); err != nil {
		return nil, fmt.Errorf("request %d: %w", code, err)
	}
	select {
	case m := <-reply:
		return m, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("request %d: no reply: %w", code, ctx.Err())
	case <-c.done:
	}
	select { // the reply may have come just before the end
	case m := <-reply:
		return m, nil
	default:
		return nil, fmt.Errorf("request %d: %w", code, c.Err())
	}
}

// Oneway sends a request that is not answered. A nil error says that the kernel took it.
func (c *Client) Oneway(ctx context.Context, code int32, ext []codec.ExtField, body []byte) error {
	return c.send(ctx, code, c.nextOpaque(), codec.FlagOneway, ext, body)
}

// Write sends raw bytes: frames made by hand, or no frames at all.
func (c *Client) Write(b []byte) error {
	if _, err := c.conn.Write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}

// LocalAddr is our end of the connection.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// Done is closed when the connection is gone.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the connection is gone; it wraps ErrClosed. It is nil while it lives.
func (c *Client) Err() error {
	select {
	case <-c.done:
		return fmt.Errorf("%w: %w", ErrClosed, c.err)
	default:
		return nil
	}
}

// Close closes the connection and waits until its reader has ended.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	return err
}

func (c *Client) nextOpaque() int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opaque++
	return c.opaque
}

func (c *Client) expect(reply chan *Message) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opaque++
	c.waiting[c.opaque] = reply
	return c.opaque
}

func (c *Client) forget(opaque int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, opaque)
}

func (c *Client) send(ctx context.Context, code, opaque, flag int32, ext []codec.ExtField, body []byte) error {
	h := codec.Header{
		Code: code, Version: max(c.o.Version, 0), Opaque: opaque, Flag: flag,
		Language: c.o.Language, Ext: ext,
	}
	frame := codec.AppendCommand(nil, c.o.Serialize, &h, body)
	// A server that does not read must not hold us beyond the deadline. The deadline of
	// one sender is that of all; each sets it anew.
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return c.Write(frame)
}

func (c *Client) read() {
	defer close(c.done)
	defer c.conn.Close()
	in := bufio.NewReaderSize(c.conn, 64<<10)
	var cmd codec.Command
	for {
		frame, err := c.readFrame(in)
		if err == nil {
			err = cmd.Decode(frame, c.o.Limits)
		}
		if err != nil {
			c.err = err
			return
		}
		c.deliver(own(&cmd))
	}
}

func (c *Client) readFrame(in *bufio.Reader) ([]byte, error) {
	prefix, err := in.Peek(codec.FramePrefixBytes)
	if err != nil {
		return nil, err
	}
	size, err := codec.FrameSize(prefix, c.o.Limits)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, size)
	_, err = io.ReadFull(in, frame)
	return frame, err
}

func (c *Client) deliver(m *Message) {
	if m.Flag&codec.FlagResponse == 0 {
		if c.o.OnRequest != nil {
			c.o.OnRequest(m)
		}
		return
	}
	c.mu.Lock()
	reply := c.waiting[m.Opaque]
	delete(c.waiting, m.Opaque)
	c.mu.Unlock()
	if reply != nil {
		reply <- m
	}
}

// own copies what a decoded command borrows from its frame.
func own(cmd *codec.Command) *Message {
	m := &Message{
		Code: cmd.Code, Version: cmd.Version, Opaque: cmd.Opaque, Flag: cmd.Flag,
		Language: cmd.Language, Serialize: cmd.Serialize,
		Remark: string(cmd.Remark), HasRemark: cmd.Remark != nil,
	}
	if cmd.Body != nil {
		m.Body = append([]byte{}, cmd.Body...)
	}
	if cmd.HasExt {
		m.Ext = make(map[string]string, cmd.NumExt())
		for i := range cmd.NumExt() {
			key, value := cmd.ExtAt(i)
			m.Ext[string(key)] = string(value)
		}
	}
	return m
}

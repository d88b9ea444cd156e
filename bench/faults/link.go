package faults

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/testkit"
	"golang.org/x/sys/unix"
)

// link is a fake broker's way to one name server: at most one connection.
type link struct {
	b      *fakeBroker
	index  int
	server string
	body   []byte

	dialing sync.Mutex // one dial at a time; others wait for its result
	mu      sync.Mutex
	client  *testkit.Client
	socket  syscall.RawConn // of client
}

func newLink(b *fakeBroker, index int, server string) *link {
	body := codec.RegisterBody{DataVersion: codec.DataVersion{Timestamp: time.Now().UnixMilli(), Counter: 1}}
	body.Topics = append(body.Topics, testkit.Topic(routeTopic, 8), testkit.Topic("TBW102", 8), testkit.Topic(b.o.Name, 1)) // as real ones have
	for i := range b.o.Topics {
		body.Topics = append(body.Topics, testkit.Topic(fmt.Sprintf("Topic-%03d", i), 8))
	}
	return &link{b: b, index: index, server: server, body: codec.AppendRegisterBody(nil, &body, codec.Version5_5_0)}
}

// connected returns the living connection, or makes one; nil if that fails.
func (l *link) connected() *testkit.Client {
	l.dialing.Lock()
	defer l.dialing.Unlock()
	l.mu.Lock()
	c := l.client
	l.mu.Unlock()
	if c != nil && c.Err() == nil {
		return c
	}
	var socket syscall.RawConn
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: -1} // Java: SO_KEEPALIVE false
	dialer.Control = func(_, _ string, c syscall.RawConn) error { socket = c; return nil }
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	c, err := testkit.Dial(ctx, l.server, testkit.ClientOptions{Dialer: dialer})
	if err != nil {
		return nil
	}
	l.mu.Lock()
	l.client, l.socket = c, socket
	l.mu.Unlock()
	l.b.tell("connected %d %d", l.index, c.LocalAddr().(*net.TCPAddr).Port)
	go func() {
		<-c.Done()
		l.b.tell("lost %d", l.index)
	}()
	return c
}

// call sends a request and waits for its answer; a late one costs the connection, as it does
// in Java (clientCloseSocketIfTimeout).
func (l *link) call(ctx context.Context, c *testkit.Client, code int32, timeout time.Duration, ext []codec.ExtField, body []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.Call(ctx, code, ext, body)
	if errors.Is(err, context.DeadlineExceeded) {
		l.b.tell("late %d %d", l.index, code)
		_ = c.Close() // its error is that of the connection that we give up
	}
	return err == nil
}

// registration are the ext fields of a 103.
func (l *link) registration() []codec.ExtField {
	return testkit.Ext("clusterName", "DefaultCluster", "brokerName", l.b.o.Name, "brokerAddr", l.b.o.Listen, "brokerId", "0",
		"haServerAddr", l.b.o.Listen, "compressed", "false",
		"bodyCrc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(l.body)&0x7FFFFFFF), 10)) // Java's crc32 has no sign
}

func (l *link) register(ctx context.Context) {
	if c := l.connected(); c != nil && l.call(ctx, c, codec.CodeRegisterBroker, registerTimeout, l.registration(), l.body) {
		l.b.tell("registered %d", l.index)
	}
}

// lingerNot makes the kernel reset and forget the connection when it is closed, as it is gone
// from a host that lost power.
func (l *link) lingerNot() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket == nil {
		return
	}
	_ = l.socket.Control(func(fd uintptr) { // it fails if the connection is closed, which is as good
		_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
}

// stallAsks answers fill every buffer of the connection, but not a server's own limit for it.
const stallAsks = 300

// stall registers on a new connection, closes the old one, and then asks without ever reading:
// the window of the new one closes.
func (l *link) stall(ctx context.Context) error {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: -1}
	dialer.Control = func(_, _ string, c syscall.RawConn) (err error) { // before the first window is told
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		}), err)
	}
	conn, err := dialer.DialContext(ctx, "tcp", l.server)
	if err != nil {
		return err
	}
	defer conn.Close()
	frame := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{
		Code: codec.CodeRegisterBroker, Version: codec.Version5_5_0, Opaque: 1, Ext: l.registration()}, l.body)
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond) // the registration moves before the old connection goes
	l.mu.Lock()
	old := l.client
	l.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	l.b.tell("stalled %d", l.index)
	ask := codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{
		Code: codec.CodeGetBrokerClusterInfo, Version: codec.Version5_5_0, Opaque: 2}, nil)
	for range stallAsks {
		if _, err := conn.Write(ask); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

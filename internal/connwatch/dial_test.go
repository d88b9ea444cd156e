package connwatch

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/connhealth"
)

// dialled returns a connection to a new listener, which has not accepted it.
func dialled(t *testing.T) (net.Listener, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return l, conn
}

// Goal: a process that ends is not taken for one that lives because its listener ends some
// milliseconds after its connections. Method: a connection that nobody accepted, whose
// listener is closed.
func TestDialNoticesADyingListener(t *testing.T) {
	l, conn := dialled(t)
	_ = l.Close()
	d := dialer{ctx: t.Context()}
	if o := outcomeOf(d.stays(conn, staysAtMost)); o != connhealth.DialRefused {
		t.Errorf("the listener of a connection was closed before it accepted: %v", o)
	}
}

// Goal: who accepts and closes at once says nothing: a proxy does so that finds nobody.
func TestDialIsNotFooledByAProxy(t *testing.T) {
	l, conn := dialled(t)
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = accepted.Close()
	d := dialer{ctx: t.Context()}
	if o := outcomeOf(d.stays(conn, staysAtMost)); o != connhealth.DialFailed {
		t.Errorf("accepted and closed: %v", o)
	}
}

// Goal: nobody waits for a dial-back when the watch ends.
func TestDialEndsWithItsContext(t *testing.T) {
	_, conn := dialled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := dialer{ctx: ctx}
	if err := d.stays(conn, time.Hour); err == nil {
		t.Error("a dial-back that was given up says that somebody is there")
	}
}

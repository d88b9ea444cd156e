package connwatch

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/pharosmq/pharos/connhealth"
)

// Goal: a process that ends is not taken for one that lives because its listener ends some
// milliseconds after its connections. Method: a connection that nobody accepted, whose
// listener is closed.
func TestDialNoticesADyingListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = l.Close()
	d := dialer{ctx: t.Context()}
	if o := outcomeOf(d.stays(conn, staysAtMost)); o != connhealth.DialRefused {
		t.Errorf("the listener of a connection was closed before it accepted: %v", o)
	}
}

// Goal: who accepts and closes at once says nothing: a proxy does so that finds nobody.
func TestDialIsNotFooledByAProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := dialer{ctx: ctx}
	if err := d.stays(conn, time.Hour); err == nil {
		t.Error("a dial-back that was given up says that somebody is there")
	}
}

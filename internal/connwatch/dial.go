package connwatch

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/pharosmq/pharos/connhealth"
)

// dialer connects to brokers' own addresses, to see whether anybody is there, and says
// good-bye soon. How often is the detector's concern.
type dialer struct {
	ctx context.Context
	wg  sync.WaitGroup
}

// dial connects to addr, and reports how that ended from a goroutine of its own.
func (d *dialer) dial(addr string, timeout time.Duration, report func(connhealth.DialOutcome)) {
	d.wg.Go(func() {
		dialer := net.Dialer{Timeout: timeout, KeepAlive: -1}
		began := time.Now()
		conn, err := dialer.DialContext(d.ctx, "tcp", addr)
		if err == nil {
			err = d.stays(conn, time.Since(began))
			_ = conn.Close()
		}
		report(outcomeOf(err))
	})
}

func (d *dialer) wait() { d.wg.Wait() }

// A listener that is being closed, because its process ends, resets what it accepted last:
// the reset follows the acceptance within milliseconds and a round trip.
const (
	staysAtLeast = 50 * time.Millisecond
	staysAtMost  = 500 * time.Millisecond
)

// errHungUp says that somebody accepted and closed at once, as a proxy does that finds nobody
// behind it: no answer to whether the broker is there.
var errHungUp = errors.New("accepted and closed at once")

// stays reports whether a connection that took so long to be accepted stays open.
func (d *dialer) stays(conn net.Conn, took time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(min(staysAtLeast+3*took/2, staysAtMost)))
	defer context.AfterFunc(d.ctx, func() { _ = conn.Close() })()
	var one [1]byte
	_, err := conn.Read(one[:])
	var timeout net.Error
	switch {
	case d.ctx.Err() != nil:
		return d.ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil
	case errors.Is(err, io.EOF):
		return errHungUp
	}
	return err
}

// outcomeOf sorts the errors of a connect: the peer's word, silence, or a fault of ours.
func outcomeOf(err error) connhealth.DialOutcome {
	var timeout net.Error
	switch {
	case err == nil:
		return connhealth.DialConnected
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return connhealth.DialRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ETIMEDOUT),
		errors.As(err, &timeout) && timeout.Timeout():
		return connhealth.DialTimeout
	}
	return connhealth.DialFailed
}

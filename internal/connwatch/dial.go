package connwatch

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/pharosmq/pharos/connhealth"
)

// dialer connects to brokers' own addresses, to see whether anybody is there, and says
// good-bye at once. How often is the detector's concern.
type dialer struct {
	ctx context.Context
	wg  sync.WaitGroup
}

// dial connects to addr, and reports how that ended from a goroutine of its own.
func (d *dialer) dial(addr string, timeout time.Duration, report func(connhealth.DialOutcome)) {
	d.wg.Go(func() {
		dialer := net.Dialer{Timeout: timeout, KeepAlive: -1}
		conn, err := dialer.DialContext(d.ctx, "tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		report(outcomeOf(err))
	})
}

func (d *dialer) wait() { d.wg.Wait() }

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

package client

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
)

// brokerLink is the one connection to a broker, made when somebody needs it.
type brokerLink struct {
	conn atomic.Pointer[wire.Conn]

	mu     sync.Mutex
	flight *dialFlight
}

// dialFlight is a connection being made, for all who wait. conn or err is set before done is
// closed.
type dialFlight struct {
	done chan struct{}
	conn *wire.Conn
	err  error
}

// connect returns the broker's connection, and makes it if there is none. The making goes on
// when ctx ends.
func (p *Producer) connect(ctx context.Context, b *Broker) (*wire.Conn, error) {
	if conn := b.alive(); conn != nil {
		return conn, nil
	}
	began := time.Now()
	f, conn := p.joinDial(b)
	if conn != nil {
		return conn, nil
	}
	if _, ok := wire.Await(ctx, began, f.done); !ok {
		return nil, fmt.Errorf("%w: connect to %s: %w", ErrNoAnswer, b.addr, wire.Cause(ctx))
	}
	return f.conn, f.err
}

// alive is the broker's connection, nil if it has none or that is gone.
func (l *brokerLink) alive() *wire.Conn {
	if conn := l.conn.Load(); conn != nil && conn.Err() == nil {
		return conn
	}
	return nil
}

func (p *Producer) joinDial(b *Broker) (*dialFlight, *wire.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if conn := b.alive(); conn != nil {
		return nil, conn // made since
	}
	if b.flight != nil {
		return b.flight, nil
	}
	f := &dialFlight{done: make(chan struct{})}
	if b.gone.Load() {
		f.err = fmt.Errorf("%w: %s is in no route any more", ErrUnreachable, b.addr)
	} else if !p.enter() {
		f.err = ErrClosed
	}
	if f.err != nil {
		close(f.done)
		return f, nil
	}
	b.flight = f
	go p.dial(b, f)
	return f, nil
}

func (p *Producer) dial(b *Broker, f *dialFlight) {
	defer p.wg.Done()
	f.conn, f.err = p.dialer.Dial(p.ctx, b.addr)
	if f.err != nil {
		f.err = fmt.Errorf("%w: %w", ErrUnreachable, f.err)
	}
	b.mu.Lock()
	if f.conn != nil {
		b.conn.Store(f.conn)
		if b.gone.Load() { // sweep has not seen the connection, or is about to
			f.conn.Abort(ErrUnreachable)
		}
	}
	b.flight = nil
	b.mu.Unlock()
	close(f.done)
}

// adopt makes a connection the broker's, if that has none.
func (l *brokerLink) adopt(conn *wire.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flight != nil || l.alive() != nil {
		return false
	}
	l.conn.Store(conn)
	return true
}

// drop ends a connection that does not answer: all who wait on it fail at once, and the next
// one makes another.
func (l *brokerLink) drop(conn *wire.Conn, why error) {
	l.conn.CompareAndSwap(conn, nil)
	conn.Abort(why)
}

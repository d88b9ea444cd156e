package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/pharosmq/pharos/routetable"
	"golang.org/x/sys/unix"
)

// acceptor accepts connections and hands them to the event loops, a few at a time: it waits
// for the loops, so however many connect at once, and however busy the loops are, what was
// accepted and is not yet counted stays within the descriptors that are set aside for it
// (descriptors.go). What is too much is closed here and costs the loops nothing.
type acceptor struct {
	engine   *engine
	listener *net.TCPListener
	addr     netip.AddrPort
	places   chan struct{} // one for each connection on its way to a loop
	onTheWay sync.WaitGroup
	quit     chan struct{}
	closing  sync.Once
}

// arrival is a connection's context until its loop has it. Ids are given out in the order of
// accepting, not that in which loops come round to their new connections: the younger of a
// broker's two connections has the larger one.
type arrival struct {
	id     routetable.ConnID
	opened bool
}

// shortagePause is how long accepting waits when it failed: mostly for want of a descriptor.
const shortagePause = 50 * time.Millisecond

// newAcceptor listens on the address.
func newAcceptor(e *engine, address string) (*acceptor, error) {
	plan := &e.srv.plan
	config := net.ListenConfig{
		KeepAlive: -1, // not by package net
		Control: func(_, _ string, raw syscall.RawConn) error {
			return control(raw, func(fd int) error { return setBuffers(fd, &e.srv.o) })
		},
	}
	config.SetMultipathTCP(false) // what is known about TCP is known about plain TCP
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	a := &acceptor{engine: e, listener: l.(*net.TCPListener), places: make(chan struct{}, plan.arriving), quit: make(chan struct{})}
	a.addr = a.listener.Addr().(*net.TCPAddr).AddrPort()
	if err := a.setBacklog(plan.backlog); err != nil {
		_ = l.Close()
		return nil, err
	}
	return a, nil
}

// setBuffers sets what every accepted socket inherits; 0 leaves it to the kernel.
func setBuffers(fd int, o *Options) error {
	for option, bytes := range map[int]int{unix.SO_SNDBUF: o.SocketSendBufferBytes, unix.SO_RCVBUF: o.SocketReceiveBufferBytes} {
		if bytes <= 0 {
			continue
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, bytes); err != nil {
			return fmt.Errorf("set a socket buffer of %d bytes: %w", bytes, err)
		}
	}
	return nil
}

// setBacklog: package net always asks for the largest.
func (a *acceptor) setBacklog(backlog int) error {
	raw, err := a.listener.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error { return unix.Listen(fd, backlog) })
}

func control(raw syscall.RawConn, f func(fd int) error) error {
	var err error
	if outer := raw.Control(func(fd uintptr) { err = f(int(fd)) }); outer != nil {
		return outer
	}
	return err
}

// close ends run.
func (a *acceptor) close() {
	a.closing.Do(func() {
		close(a.quit)
		_ = a.listener.Close()
	})
}

// run accepts until close, or until the listening socket is lost; then it returns why. It
// returns when all that was accepted has its loop.
func (a *acceptor) run() error {
	defer a.onTheWay.Wait()
	defer a.close()
	for {
		select {
		case a.places <- struct{}{}:
		case <-a.quit:
			return nil
		}
		c, err := a.listener.Accept()
		switch {
		case err == nil && a.engine.srv.admit(c.RemoteAddr()):
			arrived := &arrival{id: a.engine.srv.conns.nextID()}
			a.onTheWay.Go(func() {
				a.handOver(c, arrived)
				<-a.places
			})
			continue
		case err == nil:
			_ = c.Close()
		case errors.Is(err, net.ErrClosed):
			return nil
		case isListenerLost(err):
			return err
		default:
			a.engine.srv.lines.warn(logShortage, "no connection can be accepted for now. Out of descriptors: raise the limit (ulimit -n, LimitNOFILE), or see what else uses them up; not permitted: a firewall or security module refuses",
				"cause", err, "descriptors", a.engine.srv.plan.limit)
			a.pause()
		}
		<-a.places
	}
}

func (a *acceptor) pause() {
	select {
	case <-a.quit:
	case <-time.After(shortagePause):
	}
}

var errNotWatched = errors.New("the kernel refused to add it to an epoll set: too many watches (fs.epoll.max_user_watches), or out of memory")

// handOver gives a connection to a loop and waits until that has it.
func (a *acceptor) handOver(c net.Conn, arrived *arrival) {
	_, err := a.engine.client.EnrollContext(c, arrived)
	if arrived.opened {
		return // OnClose will count it out
	}
	if err == nil { // what the loop was told, EnrollContext is not
		err = errNotWatched
	}
	a.engine.srv.conns.open.Add(-1)
	a.engine.srv.lines.warn(logShortage, "a new connection was closed: no event loop could take it", "peer", c.RemoteAddr().String(), "cause", err)
}

// isListenerLost says whether there is nothing left to accept from. Any other error is of one
// connection, or of a shortage, and passes (accept(2): a firewall's EPERM, errors of the
// network that wait on the new socket, EMFILE, ENFILE, ENOMEM, ENOBUFS).
func isListenerLost(err error) bool {
	for _, lost := range []error{unix.EBADF, unix.EINVAL, unix.ENOTSOCK, unix.EOPNOTSUPP, unix.EFAULT} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

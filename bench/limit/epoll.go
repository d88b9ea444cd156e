package limit

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"
)

// epollServer is the least a server can do: one thread, one read and one write for what a
// connection sent.
type epollServer struct {
	answers  *answers
	epfd     int
	listener int
	wake     int
	in, out  []byte
	conns    map[int]*epollConn
}

// epollConn is a connection whose input or output did not fit.
type epollConn struct {
	in, out []byte
}

// RunEpoll is RunGnet without gnet.
func RunEpoll(ctx context.Context, address string, bodyBytes int, ready func(address string)) error {
	a, err := newAnswers(bodyBytes)
	if err != nil {
		return err
	}
	s := &epollServer{answers: a, in: make([]byte, 64<<10), conns: map[int]*epollConn{}}
	listening, err := s.listen(address)
	if err != nil {
		return fmt.Errorf("limit: listen on %s: %w", address, err)
	}
	defer s.close()
	stop := context.AfterFunc(ctx, func() { _, _ = unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) })
	defer stop()
	ready(listening)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return s.serve(ctx)
}

func (s *epollServer) listen(address string) (string, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return "", err
	}
	if s.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return "", err
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return "", err
	}
	s.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	_ = unix.SetsockoptInt(s.listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	sa := &unix.SockaddrInet4{Port: tcp.Port}
	copy(sa.Addr[:], tcp.IP.To4())
	if err := unix.Bind(s.listener, sa); err != nil {
		return "", err
	}
	if err := unix.Listen(s.listener, 1024); err != nil {
		return "", err
	}
	for _, fd := range []int{s.listener, s.wake} {
		if err := s.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN); err != nil {
			return "", err
		}
	}
	return localAddress(s.listener, false)
}

func (s *epollServer) watch(op, fd int, events uint32) error {
	return unix.EpollCtl(s.epfd, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

func (s *epollServer) close() {
	for fd := range s.conns {
		_ = unix.Close(fd)
	}
	for _, fd := range []int{s.listener, s.wake, s.epfd} {
		_ = unix.Close(fd)
	}
}

func (s *epollServer) serve(ctx context.Context) error {
	events := make([]unix.EpollEvent, 512)
	for ctx.Err() == nil {
		n, err := unix.EpollWait(s.epfd, events, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("limit: epoll_wait: %w", err)
		}
		for i := range events[:n] {
			switch fd := int(events[i].Fd); fd {
			case s.wake:
			case s.listener:
				s.accept()
			default:
				if !s.traffic(fd, s.conns[fd]) {
					_ = unix.Close(fd)
					delete(s.conns, fd)
				}
			}
		}
	}
	return nil
}

func (s *epollServer) accept() {
	for {
		fd, _, err := unix.Accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		s.conns[fd] = &epollConn{}
		if err := s.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN); err != nil {
			_ = unix.Close(fd)
			delete(s.conns, fd)
		}
	}
}

// traffic serves one connection; false: it has ended.
func (s *epollServer) traffic(fd int, c *epollConn) bool {
	if len(c.out) > 0 {
		return s.write(fd, c, nil) // its peer reads first
	}
	n, err := unix.Read(fd, s.in)
	if err == unix.EAGAIN {
		return true
	}
	if err != nil || n == 0 {
		return false
	}
	in := s.in[:n]
	if len(c.in) > 0 {
		c.in = append(c.in, in...)
		in = c.in
	}
	out, used, err := s.answers.appendTo(s.out[:0], in)
	if err != nil {
		return false
	}
	s.out = out
	c.in = append(c.in[:0], in[used:]...)
	return len(out) == 0 || s.write(fd, c, out)
}

// write sends what waits and then out; what the kernel does not take waits.
func (s *epollServer) write(fd int, c *epollConn, out []byte) bool {
	waited := len(c.out) > 0
	if waited {
		out = c.out
	}
	n, err := unix.Write(fd, out)
	if err != nil && err != unix.EAGAIN {
		return false
	}
	rest := out[max(n, 0):]
	c.out = append([]byte(nil), rest...)
	if waits := len(rest) > 0; waits != waited {
		events := uint32(unix.EPOLLIN)
		if waits {
			events = unix.EPOLLOUT
		}
		return s.watch(unix.EPOLL_CTL_MOD, fd, events) == nil
	}
	return true
}

// localAddress is where fd listens.
func localAddress(fd int, closeIt bool) (string, error) {
	if closeIt {
		defer func() { _ = unix.Close(fd) }()
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return "", err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String(), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)).String(), nil
	}
	return "", fmt.Errorf("limit: listening on %T", sa)
}

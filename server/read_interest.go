//go:build !poll_opt

package server

import (
	"reflect"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// gnet v2.9.8 reads from every connection that has something, whatever is done with it. So
// the loop takes the read interest of a connection that is not to be read from out of its
// epoll set, and the peer's bytes stay with the peer once the kernel's buffers are full.
// What that relies on, and TestReadInterest holds:
//
//   - the descriptor of the set is eventloop.poller.fd, and the data of an event is the
//     connection's descriptor (not so with the build tag poll_opt);
//   - errors are reported without interest, so that a reset is not missed; the end of input
//     waits until the connection is read from again;
//   - gnet sets the interest anew when output begins to wait or has gone: it then reads once
//     more from the connection, and the loop takes the interest out again.

// epollOf returns the descriptor of the epoll set of a gnet loop, -1 if gnet is not what it
// was: then a connection that is not to be read from fills its input buffer, and is closed
// when that has reached its limit.
func epollOf(el gnet.EventLoop) int {
	v := reflect.ValueOf(el)
	for _, field := range []string{"poller", "fd"} {
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			return -1
		}
		if v = v.Elem().FieldByName(field); !v.IsValid() {
			return -1
		}
	}
	if !v.CanInt() {
		return -1
	}
	return int(v.Int())
}

// setReading implements loopEngine.
func (g *gnetLoop) setReading(w wire, on bool) {
	if g.epoll < 0 {
		return
	}
	event := unix.EpollEvent{Fd: int32(w.Fd())}
	if on {
		event.Events = unix.EPOLLIN | unix.EPOLLPRI
	}
	if w.OutboundBuffered() > 0 {
		event.Events |= unix.EPOLLOUT
	}
	_ = unix.EpollCtl(g.epoll, unix.EPOLL_CTL_MOD, w.Fd(), &event)
}

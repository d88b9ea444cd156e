package server

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// What one connection, a firewall or a shortage makes accept fail with passes; only a lost
// socket ends the engine, and with it everybody's connection.
func TestAcceptErrorsThatEndTheEngine(t *testing.T) {
	for err, want := range map[unix.Errno]bool{
		unix.EMFILE: false, unix.ENFILE: false, unix.ENOMEM: false, unix.ENOBUFS: false, unix.EPERM: false, unix.EPROTO: false,
		unix.ENETDOWN: false, unix.EHOSTUNREACH: false, unix.ENETUNREACH: false, unix.ENONET: false,
		unix.EBADF: true, unix.EINVAL: true, unix.ENOTSOCK: true,
	} {
		wrapped := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
		if got := isListenerLost(wrapped); got != want {
			t.Errorf("%v ends the engine: %v, want %v", err, got, want)
		}
	}
}

package wire

import "errors"

// What a caller of this package branches on. They come wrapped with what led to them.
var (
	// ErrClosed: the connection is gone, or went while the call waited. The cause is wrapped
	// too: io.EOF, a syscall error, ErrGarbage, or what Close was given.
	ErrClosed = errors.New("connection closed")
	// ErrNotSent: the connection was gone before the request was put among what is to be
	// written, so that not a byte of it left. It comes with ErrClosed.
	ErrNotSent = errors.New("not sent")
	// ErrGarbage: the peer sent what is no frame of the protocol, or one beyond the limits.
	ErrGarbage = errors.New("not a frame of the protocol")
	// ErrTooManyCalls: as many calls wait on the connection as the Dialer allows, or so many
	// bytes that not even a request without a body finds room.
	ErrTooManyCalls = errors.New("too many calls in flight")
)

package server

import (
	"sync/atomic"

	"github.com/pharosmq/pharos/routetable"
)

// Conn is a connection as handlers see it. All methods are safe for concurrent use, and
// may be called on a connection that has closed.
type Conn interface {
	// ID identifies the connection for the life of the process; ids grow in the order of
	// accepting.
	ID() routetable.ConnID
	// RemoteAddr is the peer's ip:port, for logs.
	RemoteAddr() string
	// Bindings is what the connection knows of brokers.
	Bindings() *Bindings
	// Close ends the connection for the given reason, soon. The first reason counts.
	Close(reason CloseReason)
	// Closed reports whether it has ended or is about to.
	Closed() bool
}

// wire is the transport under a connection, used on the connection's loop only. gnet's
// connection is one.
type wire interface {
	// Peek returns the next n > 0 bytes without consuming them; they are valid until
	// Discard or the end of the callback.
	Peek(n int) ([]byte, error)
	// Discard consumes n > 0 bytes. Zero would discard everything.
	Discard(n int) (int, error)
	// InboundBuffered is how many bytes were read from the socket and not yet consumed.
	InboundBuffered() int
	// OutboundBuffered is how many bytes of Write the kernel has not taken yet.
	OutboundBuffered() int
	// Write sends or queues p, copying what is queued. On an error it has already closed
	// the connection, from inside.
	Write(p []byte) (int, error)
	// Writev is Write for several pieces, one behind the other. It may change pieces itself,
	// not the bytes.
	Writev(pieces [][]byte) (int, error)
	// Fd is the socket, valid on the loop while the connection is open.
	Fd() int
}

// connection is one accepted connection. Fields below "loop" belong to its loop.
//
// It is 320 bytes, five cache lines, which Go gives out without anything between: so it begins
// with a line, and none is shared with the next one, that may be of another loop; both are
// written for each request. Small fields stand together, or it would be larger. The next size
// that is good is 384; TestLoopsShareNoCacheLine looks at it.
type connection struct {
	id       routetable.ConnID
	remote   string
	srv      *Server
	loop     *loop
	bindings Bindings

	// closeAsked is 1 + the reason of the first Close, 0 while nobody asked.
	closeAsked atomic.Uint32
	// carries: a broker registered on it. For the watcher.
	carries atomic.Bool
	// waits: it is not read from for a reason of ours, so its silence means nothing.
	waits atomic.Bool

	// loop, those of a byte
	closed      bool  // OnClose has run
	detected    bool  // the first bytes were looked at
	asked       bool  // for a route, and the watcher knows
	inAgain     bool  // waits in loop.again
	inDraining  bool  // is in loop.draining
	inIncoming  bool  // is in loop.incoming
	blocked     bool  // stops is not empty
	stops       stops // why it is not read from
	roomWatched bool  // the watcher knows of roomMillis

	// What it holds of the memory budgets, for whoever has to choose a victim.
	inboundHeld  atomic.Int64
	outboundHeld atomic.Int64
	// agent is what its last request said of its software, see noteAgent. For the watcher.
	agent atomic.Uint64
	// lanes is what of its requests waits in lanes.
	lanes laneShare
	// intake is its large frame's part in what comes in; intake.mu's.
	intake intakeShare
	// progressMillis is when bytes last moved: in for a partial frame, out for a blocked
	// peer. By the loop's clock.
	progressMillis atomic.Int64

	// loop
	wire           wire
	lastUsedMillis int64
	large          *largeFrame // the large frame being received
	slot           int         // index in loop.conns
	roomMillis     int64       // since when its next request waits for room in lanes; 0: it does not
	roomBytes      int         // how much
	look           intakeLook
	turn           turn   // of those that stream
	keptBytes      int    // of what was read, left by the last callback
	outMillis      int64  // when its peer last took something of what waits, or nothing waited
	ackedBytes     uint64 // what the peer had acknowledged
	ackedMillis    int64  // at this time
}

// ID implements Conn.
func (c *connection) ID() routetable.ConnID { return c.id }

// RemoteAddr implements Conn.
func (c *connection) RemoteAddr() string { return c.remote }

// Bindings implements Conn.
func (c *connection) Bindings() *Bindings { return &c.bindings }

// Closed implements Conn.
func (c *connection) Closed() bool { return c.closeAsked.Load() != 0 }

// Close implements Conn.
func (c *connection) Close(reason CloseReason) {
	if c.askClose(reason) {
		c.loop.post(mail{conn: c, kind: mailClose})
	}
}

// askClose records why the connection is to end; false if that is settled already.
func (c *connection) askClose(reason CloseReason) bool {
	if !c.closeAsked.CompareAndSwap(0, 1+uint32(reason)) {
		return false
	}
	c.bindings.close(reason)
	return true
}

// reason is why the connection ended, once it has.
func (c *connection) reason() CloseReason { return CloseReason(c.closeAsked.Load() - 1) }

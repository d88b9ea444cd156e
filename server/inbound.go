package server

import (
	"encoding/hex"
	"fmt"
)

// settle does the accounts of c after its input was looked at: what it holds, and since
// when. A connection that is to end is ended here.
func (l *loop) settle(c *connection) {
	if c.closed {
		return
	}
	if c.Closed() {
		l.engine.close(c.wire)
		return
	}
	held := int64(c.wire.InboundBuffered())
	if c.large != nil {
		held += int64(c.large.heldBytes())
	}
	if held == 0 && c.inboundHeld.Load() == 0 {
		return // the usual case: whole frames came, and are done
	}
	c.keptBytes = c.wire.InboundBuffered()
	c.progressMillis.Store(l.localMillis)
	l.holdInbound(c, held)
	if held > l.srv.o.inboundBytesMax() {
		l.closing(c, CloseInboundMemory)
		l.engine.close(c.wire)
	}
}

func (l *loop) holdInbound(c *connection, bytes int64) {
	if delta := bytes - c.inboundHeld.Load(); delta != 0 {
		c.inboundHeld.Store(bytes)
		l.srv.inbound.add(delta)
	}
}

// closing asks for the end of c for a reason that gets a line in the log.
func (l *loop) closing(c *connection, reason CloseReason) {
	if !c.askClose(reason) {
		return
	}
	l.srv.logClose(c, reason)
	l.post(mail{conn: c, kind: mailClose})
}

// logClose writes the line for a close of ours that the operator may wonder about.
func (s *Server) logClose(c *connection, reason CloseReason) {
	in, out := c.inboundHeld.Load(), c.outboundHeld.Load()
	switch reason {
	case ClosePartialStalled:
		s.lines.warn(logPartialStalled, "closed a connection: it sent part of a frame and then nothing more",
			"peer", c.remote, "bytes", in, "afterMillis", s.o.PartialFrameStallMillis)
	case CloseInboundMemory:
		s.lines.warn(logInboundMemory, "closed a connection: too much of what was received waits to be completed or handled",
			"peer", c.remote, "bytes", in, "connectionMax", s.o.inboundBytesMax(), "unreadReplies", out,
			"allConnections", s.inbound.held.Load(), "partialFrameBytesMax", s.o.PartialFrameBytesMax)
	case CloseOutboundStalled:
		s.lines.warn(logOutboundStalled, "closed a connection: its peer does not read its replies",
			"peer", c.remote, "bytes", out, "afterMillis", s.o.OutboundStallMillis)
	case CloseOutboundMemory:
		s.lines.warn(logOutboundMemory, "closed a connection: its peer reads its replies more slowly than it asks, and too many wait",
			"peer", c.remote, "bytes", out, "connectionOutboundBytesMax", s.o.ConnectionOutboundBytesMax,
			"allConnections", s.outbound.held.Load(), "outboundBytesMax", s.o.OutboundBytesMax)
	}
}

// badFrame ends a connection whose bytes are no frames; at are those in question. No
// reply, as in Java; what was asked in frames before them is answered.
func (l *loop) badFrame(c *connection, err error, at []byte) {
	if !c.askClose(CloseBadFrame) {
		return
	}
	suppressed, ok := l.srv.lines.allowed(logBadFrame)
	if !ok {
		return
	}
	l.srv.log.Warn("closed a connection: it sent no RocketMQ frame", "peer", c.remote,
		"cause", err, "bytes", hex.EncodeToString(at[:min(len(at), 16)]), "suppressed", suppressed)
}

// unsupported ends a connection that speaks something we know and do not serve.
func (l *loop) unsupported(c *connection, protocol string) {
	if c.askClose(CloseUnsupported) {
		l.srv.lines.warn(logUnsupported, fmt.Sprintf("closed a connection: it begins with %s, which is not supported yet; connect in plain text", protocol),
			"peer", c.remote)
	}
}

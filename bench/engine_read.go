package bench

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pharosmq/pharos/codec"
)

const (
	lengthBytes = 4
	closedByIt  = "closed by the server"
)

var errNoBody = errors.New("there is none")

// readable takes what came in on c and sends what follows from it.
func (e *engine) readable(c *conn) {
	if c.skip >= discardFrom {
		n, errno := rawDiscard(c.fd, c.skip)
		if !e.got(c, n, errno) {
			return
		}
		c.group.bytesIn += uint64(n)
		if c.skip -= n; c.skip == 0 {
			now := e.now()
			e.complete(c, c.skipSlot, c.skipCode, nil, now)
			e.next(c, now)
		}
		return
	}
	if c.in != nil {
		e.gather(c)
		return
	}
	want := readBytes
	if c.group.bigReply {
		want = 4 << 10 // the header; the rest need not be copied
	}
	e.take(c, want)
}

// readSlowly takes at most n bytes.
func (e *engine) readSlowly(c *conn, n int) {
	for n > 0 && c.state == connOpen {
		step := min(n, readBytes)
		if c.in != nil {
			e.gather(c)
		} else {
			e.take(c, step)
		}
		n -= step
	}
}

// take reads up to want bytes and handles the replies in them.
func (e *engine) take(c *conn, want int) {
	n, errno := rawRead(c.fd, e.buf[:want])
	if !e.got(c, n, errno) {
		return
	}
	c.group.bytesIn += uint64(n)
	now := e.now()
	data := e.buf[:n]
	if c.skip > 0 {
		k := min(c.skip, n)
		data = data[k:]
		if c.skip -= k; c.skip > 0 {
			return
		}
		e.complete(c, c.skipSlot, c.skipCode, nil, now)
	}
	e.frames(c, data, now)
	e.next(c, now)
}

// got deals with the outcome of a read; false: there is nothing to handle.
func (e *engine) got(c *conn, n int, errno unix.Errno) bool {
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return false
	case errno != 0:
		e.lost(c, "read: "+errno.Error())
		return false
	case n == 0:
		e.lost(c, closedByIt)
		return false
	}
	return true
}

// gather goes on with a reply that is wanted whole.
func (e *engine) gather(c *conn) {
	n, errno := rawRead(c.fd, c.in[len(c.in):cap(c.in)])
	if !e.got(c, n, errno) {
		return
	}
	c.group.bytesIn += uint64(n)
	c.in = c.in[:len(c.in)+n]
	now := e.now()
	if len(c.in) == cap(c.in) {
		frame := c.in
		c.in = nil
		e.frames(c, frame, now)
		e.next(c, now)
	}
}

// frames handles the replies in data. Of one that is not all there either the rest is
// skipped when it comes, or the whole is gathered: to be checked, or since its header is cut.
func (e *engine) frames(c *conn, data []byte, now int64) {
	g := c.group
	for len(data) > 0 && c.state == connOpen {
		if len(data) < codec.FramePrefixBytes {
			c.keep(data, codec.FramePrefixBytes)
			return
		}
		total := int(binary.BigEndian.Uint32(data)) + lengthBytes
		headerEnd := codec.FramePrefixBytes + int(binary.BigEndian.Uint32(data[4:])&0xFFFFFF)
		if total < headerEnd || total > frameMax {
			e.lost(c, "not a frame")
			return
		}
		if len(data) < headerEnd {
			c.keep(data, headerEnd)
			return
		}
		sampled := g.sampled(total)
		if sampled && len(data) < total {
			g.sample = 0 // decided again when it is whole
			c.keep(data, total)
			return
		}
		opaque, code, err := g.reader.read(data[codec.FramePrefixBytes:headerEnd], codec.SerializeType(data[4]))
		if err != nil {
			e.lost(c, err.Error())
			return
		}
		s := c.waiting(opaque)
		if s == nil {
			g.fail("a reply to nothing that was asked")
		}
		g.bigReply = total >= 2*discardFrom
		if len(data) < total {
			c.skip, c.skipSlot, c.skipCode = total-len(data), s, code
			return
		}
		var wrong error
		if body := data[headerEnd:total]; s != nil && code == g.wantCode(s.op) {
			wrong = g.checkBody(s.op, body, sampled)
		}
		e.complete(c, s, code, wrong, now)
		data = data[total:]
	}
}

// checkBody looks whether body can be the answer to o: closely, if it is a sample.
func (g *group) checkBody(o op, body []byte, closely bool) error {
	if closely {
		g.checked++
		return g.check.body(o, body)
	}
	if len(body) == 0 && o.kind() != opUnknown && o.kind() != opRegister {
		return errNoBody
	}
	return nil
}

// keep holds the beginning of a frame until it has total bytes.
func (c *conn) keep(data []byte, total int) {
	c.in = append(make([]byte, 0, total), data...)
}

// sampled reports whether the body of a reply of so many bytes is to be checked.
func (g *group) sampled(total int) bool {
	if g.Unchecked || g.Echo {
		return false
	}
	g.sample -= max(total, sampleFromBytes/sampleFrames)
	if g.sample > 0 {
		return false
	}
	g.sample = sampleFromBytes
	return true
}

// complete ends the request of slot s, which may be nil: a reply to nothing.
func (e *engine) complete(c *conn, s *slot, code int32, wrong error, now int64) {
	g := c.group
	g.replies++
	c.replies++
	if s == nil {
		return
	}
	switch {
	case code != g.wantCode(s.op):
		g.fail("code %d", code)
	case wrong != nil:
		g.fail("wrong body: %v", wrong)
	default:
		g.good++
	}
	if s.due >= e.windowStart {
		record(g.latency, now-s.due)
		if s.op.kind() == opRegister {
			record(g.afterLast, now-max(s.due, c.lastByteAt))
		}
	}
	g.lastReply = now
	s.busy = false
	c.release(s)
}

// release makes the slot free again.
func (c *conn) release(s *slot) {
	c.free = append(c.free, uint16((int(s.opaque)-opaqueMin)%len(c.slots)))
	c.group.waiting--
}

// next sends what follows from replies that came.
func (e *engine) next(c *conn, now int64) {
	g := c.group
	switch {
	case c.state != connOpen:
	case g.RequestsMax > 0 && c.replies >= g.RequestsMax:
		e.finished(c)
	case g.interval == 0 && g.asking:
		e.fill(c, now)
	}
}

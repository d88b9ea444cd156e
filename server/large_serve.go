package server

import (
	"encoding/binary"

	"github.com/pharosmq/pharos/codec"
)

// feedLarge moves what has arrived of c's large frame into it. It reports whether there
// is any use in going on: the frame was complete and is served.
func (l *loop) feedLarge(c *connection) bool {
	f := c.large
	for !f.complete() {
		n := c.wire.InboundBuffered()
		if n == 0 && l.readLarge(c, f) {
			continue
		}
		if n == 0 || l.batch.bytesLeft <= 0 {
			return false
		}
		chunk, err := c.wire.Peek(min(f.wants(n), blockBytes))
		if err != nil {
			return false
		}
		l.batch.bytesLeft -= len(chunk)
		l.largeRate.bytes += len(chunk)
		l.stats.BytesIn += uint64(len(chunk))
		body := chunk
		if !f.headComplete() {
			body = chunk[f.takeHead(chunk):]
			if f.headComplete() {
				l.beginLarge(c, f)
			}
		}
		if len(body) > 0 {
			f.takeBody(body)
			if f.request != nil && f.request.sink != nil {
				f.request.sink.FeedBody(body)
			}
		}
		_, _ = c.wire.Discard(len(chunk))
		if c.Closed() {
			return false
		}
	}
	if l.postponeLarge(c, f) {
		return false
	}
	c.large = nil
	c.lastUsedMillis = l.localMillis
	l.stats.FramesIn++
	l.stats.LargeFramesIn++
	l.batch.framesLeft--
	f.granted = l.srv.intake.handOver(c)
	l.finishLarge(c, f)
	return true
}

// beginLarge decodes the header of a large frame, to see what to do with its body: the
// route may want it as it comes, or nobody wants it. A header that is itself large is left
// to a lane.
func (l *loop) beginLarge(c *connection, f *largeFrame) {
	if f.headBytes > largeFrameBytes {
		return
	}
	cmd := new(codec.Command)
	if err := cmd.Decode(f.headerFrame(), &l.srv.o.Limits); err != nil {
		l.badFrame(c, err, f.head)
		return
	}
	slot, known := l.srv.table.find(cmd.Code)
	if f.skipBody = !known || cmd.IsResponse(); f.skipBody {
		l.srv.intake.forget(c) // it takes no room
	}
	if !f.skipBody && l.srv.table.routes[slot].begin == nil {
		return
	}
	rq := &Request{Cmd: cmd, Conn: c, NowMillis: l.nowMillis, conn: c, srv: l.srv, large: f, slot: slot}
	rq.prepare(nil)
	f.request = rq
	if !f.skipBody {
		rq.sink = l.srv.beginRoute(slot, rq)
	}
}

// beginRoute calls a route's begin hook; one that panics gets no sink.
func (s *Server) beginRoute(slot int, rq *Request) (sink BodySink) {
	r := &s.table.routes[slot]
	defer func() {
		if v := recover(); v != nil {
			s.handlerPanicked(r.name, rq.Conn, rq.large.head, v)
		}
	}()
	return r.begin(s.handlers, rq)
}

// finishLarge serves a complete large frame: here if beginLarge made a request of it, else
// in a lane.
func (l *loop) finishLarge(c *connection, f *largeFrame) {
	if rq := f.request; rq != nil {
		rq.NowMillis = l.nowMillis
		l.serveRequest(c, rq)
		if !rq.detached {
			f.release()
			l.srv.intake.giveBack(f.takeGrant())
		}
		return
	}
	budget := &l.srv.lanes.brokers.laneBudget
	if !budget.reserve(f.totalBytes) {
		budget.rejected.Add(1)
		l.refuseLarge(c, f)
		return
	}
	srv := l.srv
	bytes, granted := f.totalBytes, f.takeGrant()
	srv.takeLaneShare(c, budget, bytes, true)
	srv.lanes.enqueue(connLane(c.id), bytes, func() {
		defer srv.giveBackLaneShare(c, bytes)
		defer srv.intake.giveBack(granted)
		srv.serveOffLoop(c, f.assemble())
	})
}

// refuseLarge answers SYSTEM_BUSY to a large frame that no lane has room for.
func (l *loop) refuseLarge(c *connection, f *largeFrame) {
	defer f.release()
	defer func() { l.srv.intake.giveBack(f.takeGrant()) }()
	cmd := new(codec.Command)
	if err := cmd.Decode(f.headerFrame(), &l.srv.o.Limits); err != nil {
		l.badFrame(c, err, f.head)
		return
	}
	if cmd.IsResponse() {
		return
	}
	rq := &Request{Cmd: cmd, Conn: c, conn: c, srv: l.srv}
	rq.prepare(l.out.buf)
	rq.Reply(codec.SystemBusy, remarkOverload, nil)
	l.out.buf = rq.dst
	slot, _ := l.srv.table.find(cmd.Code)
	l.stats.Requests[slot].Results[ResultSystemBusy]++
}

// assemble copies the whole frame together and gives the blocks back.
func (f *largeFrame) assemble() []byte {
	frame := make([]byte, 0, f.totalBytes)
	frame = append(frame, f.head...)
	frame = f.appendBody(frame)
	binary.BigEndian.PutUint32(frame, uint32(f.totalBytes-frameLenBytes))
	f.release()
	return frame
}

// serveOffLoop serves a frame that a lane owns, as the loop would have.
func (s *Server) serveOffLoop(c *connection, frame []byte) {
	start := s.clock.nanos()
	cmd := new(codec.Command)
	if err := cmd.Decode(frame, &s.o.Limits); err != nil {
		c.loop.post(mail{kind: mailRun, run: func() {
			c.loop.badFrame(c, err, frame)
			c.loop.settle(c)
		}})
		return
	}
	buf := replyBuffers.Get()
	rq := &Request{Cmd: cmd, Conn: c, NowMillis: s.clock.Millis(), conn: c, srv: s, frame: frame, owned: true}
	rq.prepare(buf.B)
	rq.startNanos = start
	s.dispatch(rq)
	buf.B = rq.dst
	s.send(c, buf, nil)
	s.countOffLoop(rq.slot, &rq.reply, start, rq.dropped, rq.detached)
}

package server

import (
	"github.com/pharosmq/pharos/codec"
)

// lastBatches bounds what is served of a connection whose peer sends nothing more: a few
// milliseconds.
const lastBatches = 8

// batchLargeBytes bounds what one callback reads or copies of large frames: 64 kB are copied and
// checksummed in some 20 us.
const batchLargeBytes = 64 << 10

// read handles whole frames until there are none, the batch is spent, the connection is
// to close, or its peer must read first.
func (l *loop) read(c *connection) {
	for !c.Closed() && !c.blocked && !l.batch.spent() {
		if c.large != nil {
			if !l.feedLarge(c) {
				break
			}
			continue
		}
		n := c.wire.InboundBuffered()
		if !l.frameReady(c, n) {
			return
		}
		if c.large != nil {
			continue
		}
		// More than one callback can use is not peeked: across gnet's buffers that copies.
		chunk, err := c.wire.Peek(min(n, peekBytes))
		if err != nil {
			return
		}
		if !l.readChunk(c, chunk) {
			return
		}
	}
	if l.batch.spent() && !c.Closed() && !c.blocked && c.wire.InboundBuffered() > 0 {
		l.stats.BoundedCallbacks++
		l.serveAgain(c)
	}
}

// frameReady looks at the n buffered bytes: is a whole frame there? A large frame that
// begins is taken over from the wire.
func (l *loop) frameReady(c *connection, n int) bool {
	if n < codec.FramePrefixBytes && (n < frameLenBytes || !c.detected) {
		return false
	}
	head, err := c.wire.Peek(min(n, max(detectBytes, codec.FramePrefixBytes)))
	if err != nil {
		return false
	}
	if !c.detected {
		if n < detectBytes {
			return false
		}
		c.detected = true
		if name := detectProtocol(head); name != "" {
			l.unsupported(c, name)
			return false
		}
	}
	head = head[:min(n, codec.FramePrefixBytes)]
	totalBytes, err := codec.FrameSize(head, &l.srv.o.Limits)
	if err != nil {
		l.badFrame(c, err, head)
		return false
	}
	if n < codec.FramePrefixBytes {
		return false
	}
	if totalBytes > largeFrameBytes {
		l.beginFrame(c, head, totalBytes)
		return true
	}
	return totalBytes <= n
}

// readChunk serves the whole frames at the beginning of chunk, which has at least one.
// It reports whether there is any use in looking again.
func (l *loop) readChunk(c *connection, chunk []byte) bool {
	used := 0
	for len(chunk)-used >= codec.FramePrefixBytes {
		rest := chunk[used:]
		totalBytes, err := codec.FrameSize(rest[:codec.FramePrefixBytes], &l.srv.o.Limits)
		if err != nil {
			l.badFrame(c, err, rest)
			break
		}
		if totalBytes > len(rest) {
			break
		}
		if n := l.lookups(c, rest); n > 0 {
			used += n
		} else {
			used += totalBytes
			l.serveFrame(c, rest[:totalBytes:totalBytes])
		}
		if l.rq.postponed {
			l.rq.postponed = false
			used -= totalBytes
			break
		}
		if c.Closed() || c.blocked || l.batch.spent() {
			break
		}
	}
	if c.closed { // a flush within failed
		return false
	}
	if used > 0 {
		l.stats.BytesIn += uint64(used)
		c.lastUsedMillis = l.localMillis
		_, _ = c.wire.Discard(used)
	}
	return used > 0
}

// serveFrame handles one whole frame; frame is borrowed.
func (l *loop) serveFrame(c *connection, frame []byte) {
	l.stats.FramesIn++
	l.batch.framesLeft--
	if err := l.predictor.Decode(&l.cmd, frame, &l.srv.o.Limits); err != nil {
		l.badFrame(c, err, frame)
		return
	}
	rq := &l.rq
	*rq = Request{Cmd: &l.cmd, Conn: c, NowMillis: l.nowMillis, conn: c, srv: l.srv, frame: frame}
	l.serveRequest(c, rq)
}

// serveRequest dispatches rq on the loop and gathers its answer in the loop's output.
func (l *loop) serveRequest(c *connection, rq *Request) {
	before := l.out.bytes()
	rq.prepare(l.out.buf)
	waited := c.roomMillis != 0
	if waited {
		rq.watched = c.roomWatched // it was told when the request came
	} else {
		rq.watched = l.srv.watcher != nil && l.watchRequest(c, rq.Cmd)
	}
	timed := rq.Cmd.Code != codec.CodeGetRouteInfoByTopic || l.stats.FramesIn%lookupSampleEvery == 0
	if timed {
		rq.startNanos = l.srv.clock.nanos()
	}
	l.srv.dispatch(rq)
	l.out.buf = rq.dst
	if rq.shared != nil {
		l.out.share(rq.shared)
	}
	if waited && !rq.postponed {
		c.roomMillis = 0
	}
	switch {
	case rq.postponed:
		l.stats.FramesIn--
		return
	case rq.dropped:
		l.stats.ResponsesIn++
	case rq.detached:
		return
	default:
		if rq.watched {
			l.srv.watcher.Answered(c.id)
		}
		l.stats.count(rq.slot, &rq.reply)
		if timed {
			l.stats.Requests[rq.slot].observe(l.srv.clock.nanos() - rq.startNanos)
		}
	}
	l.batch.outLeft -= l.out.bytes() - before
	if l.out.full() {
		l.flush(c)
	}
}

// lastTraffic serves what was read of c and is not served yet. Its peer has ended its output, so
// that c is being closed: what it asked before is done, as in Java, and answered as far as the
// kernel takes the answers.
func (l *loop) lastTraffic(c *connection) {
	for n := 0; n < lastBatches && !c.Closed(); n++ {
		before := c.wire.InboundBuffered()
		if before == 0 {
			return
		}
		if l.serveLast(c); c.wire.InboundBuffered() == before {
			return
		}
	}
}

func (l *loop) serveLast(c *connection) {
	defer l.survive(c)
	l.beginBatch(true)
	if c.turn.state != turnWaiting && (!c.blocked || l.unblock(c)) {
		l.read(c)
		l.flush(c)
	}
	l.endBatch()
}

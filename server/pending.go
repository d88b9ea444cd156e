package server

import (
	"github.com/pharosmq/pharos/codec"
	"github.com/valyala/bytebufferpool"
)

// replyBuffers holds what Pendings answer into; apart from other pools, since it adapts
// to the sizes it sees.
var replyBuffers bytebufferpool.Pool

type replyBuffer = bytebufferpool.ByteBuffer

// Pending is a request that left its event loop: it owns its bytes and can be answered
// later, from any one goroutine. An answer to a connection that has closed vanishes. So
// does, in the end, a Pending that is never answered.
type Pending struct {
	reply

	// Cmd is the request; its slices are the Pending's. Body is nil for a large frame:
	// use Pending.Body.
	Cmd *codec.Command
	// Conn is where it came from.
	Conn Conn

	conn       *connection
	srv        *Server
	slot       int
	sink       BodySink
	frame      []byte
	body       []byte
	large      *largeFrame
	buf        *replyBuffer
	startNanos int64
	watched    bool
	shareBytes int   // of the connection's share of the lanes; 0: none, or given back
	granted    int64 // by the intake, to a large frame; 0: none, or given back
}

func newPending(rq *Request) *Pending {
	p := &Pending{
		Cmd: new(codec.Command), Conn: rq.Conn,
		conn: rq.conn, srv: rq.srv, slot: rq.slot, sink: rq.sink, startNanos: rq.startNanos,
		watched: rq.watched,
	}
	p.limits, p.serialize = rq.limits, rq.serialize
	p.opaque, p.oneway, p.result = rq.opaque, rq.oneway, noResult
	frame := rq.frame
	switch {
	case rq.large != nil:
		p.large = rq.large.handOver()
		p.granted = p.large.takeGrant()
		frame = p.large.headerFrame()
	case !rq.owned:
		frame = append([]byte(nil), frame...)
	}
	p.frame = frame
	// It was decoded once already: it cannot fail now.
	if err := p.Cmd.Decode(frame, rq.limits); err != nil {
		p.Cmd.Reset()
	}
	p.body = p.Cmd.Body
	return p
}

// Body returns the whole body, nil when there is none. It is the caller's for good: a
// parser may keep pieces of it. For a large frame the first call puts the blocks together
// and gives them back.
func (p *Pending) Body() []byte { return p.bodyIn(nil) }

// bodyIn is Body, but a large frame's goes to room if it fits there.
func (p *Pending) bodyIn(room []byte) []byte {
	if p.large != nil {
		p.body = p.large.join(room)
		p.large = nil
	}
	return p.body
}

// Sink returns what the route's begin hook returned for a large frame, else nil.
func (p *Pending) Sink() BodySink { return p.sink }

// Begin starts the answer; see Request.Begin.
func (p *Pending) Begin(code int32, remark string, ext []codec.ExtField) []byte {
	if p.buf == nil {
		p.buf = replyBuffers.Get()
		p.dst = p.buf.B
	}
	return p.reply.Begin(code, remark, ext)
}

// End finishes what Begin started and sends it.
func (p *Pending) End(dst []byte) {
	if p.ended {
		return
	}
	p.finish(dst, nil)
}

// EndShared is Request.EndShared.
func (p *Pending) EndShared(dst, body []byte) {
	if p.ended {
		return
	}
	p.finish(dst, body)
}

func (p *Pending) finish(dst, shared []byte) {
	p.reply.end(dst, shared)
	p.buf.B = p.dst
	p.srv.finishPending(p)
}

// Reply answers without a body.
func (p *Pending) Reply(code int32, remark string, ext []codec.ExtField) {
	p.End(p.Begin(code, remark, ext))
}

// ReplyBody answers with a body, which is copied.
func (p *Pending) ReplyBody(code int32, remark string, ext []codec.ExtField, body []byte) {
	p.End(append(p.Begin(code, remark, ext), body...))
}

// Abandon ends the request without an answer: its connection has closed.
func (p *Pending) Abandon() { p.ended = true }

// giveBackShare ends the request's part in its connection's share of the lanes, and in what
// may come in of large frames. That comes before the answer: the peer's next request is not to
// find its connection blocked.
func (p *Pending) giveBackShare() {
	if p.shareBytes > 0 {
		p.srv.giveBackLaneShare(p.conn, p.shareBytes)
		p.shareBytes = 0
	}
	p.srv.intake.giveBack(p.granted)
	p.granted = 0
}

// serve runs a job on the Pending in its lane, and sees to it that there is an answer.
func (p *Pending) serve(run func(p *Pending)) {
	defer func() {
		if v := recover(); v != nil {
			p.srv.handlerPanicked(p.srv.table.name(p.slot), p.Conn, p.frame, v)
			p.Reply(codec.SystemError, panicRemark(v), nil)
		}
		if p.large != nil {
			p.large.release()
			p.large = nil
		}
	}()
	run(p)
	if !p.ended {
		p.Reply(codec.SystemError, RemarkNotSet, nil)
	}
}

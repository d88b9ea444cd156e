package server

import (
	"github.com/pharosmq/pharos/codec"
)

// remarkOverload is Java's remark on a request that its executor has no room for.
const remarkOverload = "[OVERLOAD]system busy, start flow control for a while"

// BodySink is fed the body of a large frame as it arrives, on the event loop, for work
// that is better done on the way than at the end (checksum, digest).
type BodySink interface {
	// FeedBody takes the next bytes of the body. It borrows them.
	FeedBody(chunk []byte)
}

// Request is one request being handled. It and everything it shows are borrowed: valid
// until the handler returns. Offload or Detach what must live longer.
//
// A handler that neither answers nor detaches has its request answered as Java does: code
// 1, remark "not set any response code".
type Request struct {
	reply

	// Cmd is the request. Its slices point into the loop's read buffer.
	//
	// Of a frame above largeFrameBytes whose route has a begin hook, Body is nil: the body
	// lies in blocks, went through Sink, and can be had as Pending.Body.
	Cmd *codec.Command
	// Conn is where it came from.
	Conn Conn
	// NowMillis is Clock.Millis at the beginning of the batch the request is in.
	NowMillis int64

	conn        *connection
	srv         *Server
	slot        int // of the dispatch table
	sink        BodySink
	large       *largeFrame // the frame, when it lies in blocks
	frame       []byte      // the frame, when it lies in one piece
	owned       bool        // frame is ours for good (off the loop)
	detached    bool
	dropped     bool // it is no request
	postponed   bool // it is to be handled again, later
	watched     bool // the watcher waits for its answer
	answerBytes int  // what its answer will have, roughly, if that is much
	startNanos  int64
}

// prepare makes the request answerable, behind what dst holds already.
func (rq *Request) prepare(dst []byte) {
	rq.reply = reply{
		dst: dst, limits: &rq.srv.o.Limits, serialize: rq.srv.o.SerializeType,
		opaque: rq.Cmd.Opaque, oneway: rq.Cmd.IsOneway(), result: noResult,
	}
	if !rq.Cmd.HasOpaque {
		rq.opaque = rq.srv.nextOpaque()
	}
}

// End finishes what Begin started and queues the answer.
func (rq *Request) End(dst []byte) { rq.reply.end(dst, nil) }

// EndShared is End for a body that never changes and is not to be copied: it is sent from
// where it lies. dst is what Begin returned.
func (rq *Request) EndShared(dst, body []byte) {
	if rq.owned || len(body) < sharedBytesMin {
		rq.End(append(dst, body...))
		return
	}
	rq.reply.end(dst, body)
}

// Reply answers without a body.
func (rq *Request) Reply(code int32, remark string, ext []codec.ExtField) {
	rq.End(rq.Begin(code, remark, ext))
}

// ReplyBody answers with a body, which is copied. No body is nil or empty.
func (rq *Request) ReplyBody(code int32, remark string, ext []codec.ExtField, body []byte) {
	rq.End(append(rq.Begin(code, remark, ext), body...))
}

// BodyBytes is the length of the body, wherever it lies.
func (rq *Request) BodyBytes() int {
	if rq.large != nil {
		return rq.large.bodyBytes()
	}
	return len(rq.Cmd.Body)
}

// Sink returns what the route's begin hook returned, fed with the whole body; nil when
// the frame was small enough to be handled at once, and Cmd.Body holds the body.
func (rq *Request) Sink() BodySink { return rq.sink }

// Detach takes the request off the loop: the Pending owns its bytes and must be answered
// by its own methods, from any goroutine. The Request is finished.
func (rq *Request) Detach() *Pending {
	rq.detached = true
	return newPending(rq)
}

// Offload detaches the request and runs it in the lane of key, behind all that waits there.
// When the lanes of that kind hold as many bytes as they may, the request waits where it is
// (lane_room.go), and its handler is called again when there is room: it must have done
// nothing before that cannot be done twice. In the end such a request is answered with
// SYSTEM_BUSY: for a registration that means half a minute without the broker, so the limit is
// generous. A panic in run is answered as one in a handler is.
func (rq *Request) Offload(key LaneKey, run func(p *Pending)) {
	if !rq.srv.lanes.pool(key).reserve(rq.laneBytes()) {
		if !rq.postpone(key) {
			rq.srv.lanes.pool(key).rejected.Add(1)
			rq.Reply(codec.SystemBusy, remarkOverload, nil)
		}
		return
	}
	rq.offload(key, run)
}

// OffloadAlways is Offload for what must never be refused, such as an unregistration.
func (rq *Request) OffloadAlways(key LaneKey, run func(p *Pending)) {
	rq.srv.lanes.pool(key).force(rq.laneBytes())
	rq.offload(key, run)
}

func (rq *Request) offload(key LaneKey, run func(p *Pending)) {
	bytes := rq.laneBytes()
	p := rq.Detach()
	p.shareBytes = bytes
	rq.srv.takeLaneShare(rq.conn, &rq.srv.lanes.pool(key).laneBudget, bytes, !rq.owned)
	rq.srv.lanes.enqueue(key, bytes, func() {
		defer p.giveBackShare()
		p.serve(run)
	})
}

const laneBookkeepingBytes = 2048 // Pending, Command, queue entry

// laneBytes is what the request weighs while it waits.
func (rq *Request) laneBytes() int {
	return laneBookkeepingBytes + rq.frameBytes() + rq.answerBytes
}

// bytes is the frame, or what of it lies in one piece.
func (rq *Request) bytes() []byte {
	if rq.large != nil {
		return rq.large.head
	}
	return rq.frame
}

func (rq *Request) frameBytes() int {
	if rq.large != nil {
		return rq.large.totalBytes
	}
	return len(rq.frame)
}

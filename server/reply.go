package server

import (
	"errors"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// RemarkNotSet is Java's remark on a reply whose handler set neither code nor remark.
const RemarkNotSet = "not set any response code"

// noResult: nothing was answered.
const noResult int32 = -1

// reply builds the answer to one request. Request and Pending embed it, so its methods
// are theirs. A oneway request goes the same way and its answer is thrown away at End:
// handlers need not care.
type reply struct {
	dst       []byte // what answers are appended to
	limits    *codec.Limits
	serialize codec.SerializeType
	opaque    int32
	oneway    bool
	begun     bool
	ended     bool
	result    int32 // the response code, noResult before Begin
	mark      codec.FrameMark
	ext       [2]codec.ExtField
	// shared follows dst on the wire: a body that others send too, not copied.
	shared []byte
}

// extRoom is room for two ext fields, empty: an answer with them allocates nothing.
func (r *reply) extRoom() []codec.ExtField { return r.ext[:0] }

// Begin starts the answer and returns the bytes to append its body to; give the extended
// slice to End. An empty remark is none; ext nil is absent, empty is an empty object.
//
// The returned slice holds other answers before this one: only ever append to it.
func (r *reply) Begin(code int32, remark string, ext []codec.ExtField) []byte {
	if r.begun {
		r.dst = r.dst[:r.mark.Start()] // a handler that thought again
	}
	r.begun, r.result = true, code
	r.dst, r.mark = codec.BeginResponse(r.dst, r.serialize, r.opaque, code, remark, ext)
	return r.dst
}

// end finishes what Begin started; dst is what Begin returned, with the body appended, or
// what of it precedes shared.
// An answer larger than the peers' frame limit becomes SYSTEM_ERROR with a remark that
// says so: a Java peer would drop the connection at it.
func (r *reply) end(dst, shared []byte) {
	r.ended, r.shared = true, nil
	if r.oneway {
		r.dst = dst[:r.mark.Start()]
		return
	}
	wantBytes := len(dst) - r.mark.Start() + len(shared)
	out, err := codec.EndFrameBefore(dst, r.mark, len(shared), r.limits)
	if err == nil {
		r.shared = shared
	}
	if errors.Is(err, codec.ErrFrameTooLarge) {
		r.result = codec.SystemError
		remark := "the answer has " + strconv.Itoa(wantBytes) + " bytes, more than the frame limit of " +
			strconv.Itoa(r.limits.FrameBytesMax) + "; raise frameBytesMax here and com.rocketmq.remoting.frameMaxLength at the peers"
		out, r.mark = codec.BeginResponse(out, r.serialize, r.opaque, codec.SystemError, remark, nil)
		out, err = codec.EndFrame(out, r.mark, r.limits)
	}
	if err != nil { // a limit below a few hundred bytes: nothing can be said
		out = out[:r.mark.Start()]
	}
	r.dst = out
}

// Oneway reports whether the sender wants no answer.
func (r *reply) Oneway() bool { return r.oneway }

// Answered reports whether the request has its answer.
func (r *reply) Answered() bool { return r.ended }

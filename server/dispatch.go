package server

import (
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// handlerFunc answers one request. It runs on an event loop (for a large frame without a
// begin hook: in a lane) and must not block.
type handlerFunc func(h *handlers, rq *Request)

// route is one line of the dispatch table.
type route struct {
	// code is the request code (codec.Code...).
	code int32
	// name is the code's name, for logs and metrics: REGISTER_BROKER.
	name string
	// serve answers the request.
	serve handlerFunc
	// begin, if set, lets frames above largeFrameBytes stream: it is called on the loop
	// when the header of such a frame is complete (rq.Cmd without Body; no answer may be
	// given yet), and what it returns, which may be nil, is fed the body as it arrives.
	// serve then runs on the loop, as for a small frame, with the body in blocks.
	//
	// Without begin a large frame is put together, and served, in a lane.
	begin func(h *handlers, rq *Request) BodySink
}

// dispatchDense: codes below it are found by index, others in a map.
const dispatchDense = 1024

// dispatchTable finds the route of a request code. Its slots also number the metrics:
// one for each route, and a last one for all unknown codes.
type dispatchTable struct {
	routes []route
	dense  [dispatchDense]uint8 // 1 + slot; 0: unknown
	sparse map[int32]uint8
}

func newDispatchTable(routes []route) *dispatchTable {
	t := &dispatchTable{routes: routes, sparse: map[int32]uint8{}}
	if len(routes) > 254 {
		panic("server: more routes than slots")
	}
	for i, r := range routes {
		if _, known := t.find(r.code); known {
			panic("server: request code " + strconv.Itoa(int(r.code)) + " has two routes")
		}
		if r.code >= 0 && r.code < dispatchDense {
			t.dense[r.code] = uint8(i + 1)
		} else {
			t.sparse[r.code] = uint8(i + 1)
		}
	}
	return t
}

// slots is how many slots there are.
func (t *dispatchTable) slots() int { return len(t.routes) + 1 }

// name is the name of a slot's code.
func (t *dispatchTable) name(slot int) string {
	if slot < len(t.routes) {
		return t.routes[slot].name
	}
	return "unknown"
}

// find returns the slot of a code; known is false for the slot of unknown codes.
func (t *dispatchTable) find(code int32) (slot int, known bool) {
	var s uint8
	if code >= 0 && code < dispatchDense {
		s = t.dense[code]
	} else {
		s = t.sparse[code]
	}
	if s == 0 {
		return len(t.routes), false
	}
	return int(s - 1), true
}

// lookupSlot is the slot of route requests (105), -1 if the table has none.
func (t *dispatchTable) lookupSlot() int {
	if slot, known := t.find(codec.CodeGetRouteInfoByTopic); known {
		return slot
	}
	return -1
}

// dispatch serves one request and sees to it that there is exactly one answer, or a
// Pending.
func (s *Server) dispatch(rq *Request) {
	if rq.Cmd.IsResponse() {
		// An answer to a question we did not ask: dropped, as Java does. The connection stays.
		rq.dropped = true
		return
	}
	slot, known := s.table.find(rq.Cmd.Code)
	rq.slot = slot
	switch {
	case s.goingAway.Load() && understandsGoAway(rq.Cmd):
		rq.Reply(codec.GoAway, goAwayRemark, nil)
	case !known:
		rq.Reply(codec.RequestCodeNotSupported, " request type "+strconv.Itoa(int(rq.Cmd.Code))+" not supported", nil)
	default:
		s.serveRoute(&s.table.routes[slot], rq)
	}
	if !rq.detached && !rq.ended && !rq.postponed {
		rq.Reply(codec.SystemError, RemarkNotSet, nil)
	}
}

// serveRoute runs the handler. A panic in it becomes the answer; the loop lives on.
func (s *Server) serveRoute(r *route, rq *Request) {
	before := rq.dst
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		s.handlerPanicked(r.name, rq.Conn, rq.bytes(), v)
		if !rq.detached {
			rq.dst, rq.begun = before, false
			rq.Reply(codec.SystemError, panicRemark(v), nil)
		}
	}()
	r.serve(s.handlers, rq)
}

// panicRemark is what the peer is told of a panic. Java sends the exception's text.
func panicRemark(v any) string {
	const textBytesMax = 256
	text := fmt.Sprint(v)
	if len(text) > textBytesMax {
		text = text[:textBytesMax]
	}
	return "internal error: " + text
}

// handlerPanicked logs a panic, rarely, with enough to repeat it.
func (s *Server) handlerPanicked(name string, c Conn, frame []byte, v any) {
	const frameBytesMax = 512
	s.panics.Add(1)
	if len(frame) > frameBytesMax {
		frame = frame[:frameBytesMax]
	}
	s.lines.warn(logPanic, "a request handler panicked; the request was answered with code 1. Please report this",
		"request", name, "peer", c.RemoteAddr(), "panic", fmt.Sprint(v),
		"frame", hex.EncodeToString(frame), "stack", string(debug.Stack()))
}

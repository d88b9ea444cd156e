package server

import "github.com/pharosmq/pharos/codec"

// getNamesrvConfig answers GET_NAMESRV_CONFIG (319) with key=value lines. Like every reader
// of the whole configuration it may have to wait for a 318 that is writing its file, so it
// does that in the admin lane.
//
// Java: DefaultRequestProcessor#getConfig.
func getNamesrvConfig(h *handlers, rq *Request) {
	if rq.Oneway() {
		rq.Reply(codec.Success, "", nil)
		return
	}
	rq.Offload(AdminLane, func(p *Pending) {
		if p.Conn.Closed() {
			p.Abandon()
			return
		}
		p.ReplyBody(codec.Success, "", nil, h.config.Listing())
	})
}

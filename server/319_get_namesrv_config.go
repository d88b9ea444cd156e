package server

import "github.com/pharosmq/pharos/codec"

// getNamesrvConfig answers GET_NAMESRV_CONFIG (319) with key=value lines. They lie ready: it
// does not wait for a 318 that is writing its file.
//
// Java: DefaultRequestProcessor#getConfig.
func getNamesrvConfig(h *handlers, rq *Request) {
	rq.ReplyBody(codec.Success, "", nil, h.config.Listing())
}

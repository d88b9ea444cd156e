package server

import "github.com/pharosmq/pharos/codec"

// getKVConfig answers GET_KV_CONFIG (101) with the value in the header, or 22.
//
// Java: DefaultRequestProcessor#getKVConfig.
func getKVConfig(h *handlers, rq *Request) {
	namespace, key := extNull(rq.Cmd, "namespace"), extNull(rq.Cmd, "key")
	if namespace.Valid && key.Valid {
		if value, ok := h.kv.Get(namespace.String, key.String); ok {
			rq.Reply(codec.Success, "", []codec.ExtField{{Key: "value", Value: value}})
			return
		}
	}
	remark := "No config item, Namespace: " + nullText(namespace) + " Key: " + nullText(key)
	rq.Reply(codec.QueryNotFound, remark, noExt)
}

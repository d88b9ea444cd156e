package server

import "github.com/pharosmq/pharos/codec"

// getKVListByNamespace answers GET_KVLIST_BY_NAMESPACE (219) with a whole namespace, or 22.
//
// Java: DefaultRequestProcessor#getKVListByNamespace.
func getKVListByNamespace(h *handlers, rq *Request) {
	namespace := extNull(rq.Cmd, "namespace")
	if namespace.Valid {
		if body, ok := h.kv.List(namespace.String); ok {
			rq.ReplyBody(codec.Success, "", nil, body)
			return
		}
	}
	rq.Reply(codec.QueryNotFound, "No config item, Namespace: "+nullText(namespace), nil)
}

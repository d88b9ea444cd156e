package server

import "github.com/pharosmq/pharos/codec"

// deleteKVConfig answers DELETE_KV_CONFIG (102). It answers 0 when the entry is gone from
// the disk, also when there never was one or the header does not name it. The namespace
// stays.
//
// Java: DefaultRequestProcessor#deleteKVConfig.
func deleteKVConfig(h *handlers, rq *Request) {
	_, hasNamespace := rq.Cmd.Ext("namespace")
	_, hasKey := rq.Cmd.Ext("key")
	if !hasNamespace || !hasKey {
		rq.Reply(codec.Success, "", nil)
		return
	}
	rq.Offload(AdminLane, h.deleteKV)
}

func (h *handlers) deleteKV(p *Pending) {
	namespace, key := extString(p.Cmd, "namespace"), extString(p.Cmd, "key")
	old, had := h.kv.Get(namespace, key)
	err := h.kv.Delete(namespace, key)
	h.audit("KV value deleted", p, had, err, "namespace", namespace, "key", key,
		"old", nullText(codec.NullString{String: old, Valid: had}))
	if err != nil {
		p.Reply(codec.SystemError, err.Error(), nil)
		return
	}
	p.Reply(codec.Success, "", nil)
}

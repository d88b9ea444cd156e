package server

import "github.com/pharosmq/pharos/codec"

// putKVConfig answers PUT_KV_CONFIG (100): namespace, key and value in the header. It
// answers 0 when the value is on the disk. A missing value is Java's null, which reads as
// absent; a missing namespace or key is an error. Empty strings are values like others.
//
// Java: DefaultRequestProcessor#putKVConfig, which answers 0 whether the file could be
// written or not.
func putKVConfig(h *handlers, rq *Request) {
	_, hasNamespace := rq.Cmd.Ext("namespace")
	_, hasKey := rq.Cmd.Ext("key")
	if !hasNamespace || !hasKey {
		rq.Reply(codec.SystemError, "namespace or key is null", nil)
		return
	}
	rq.Offload(AdminLane, h.putKV)
}

func (h *handlers) putKV(p *Pending) {
	namespace, key := extString(p.Cmd, "namespace"), extString(p.Cmd, "key")
	value := extNull(p.Cmd, "value")
	old, had := h.kv.Get(namespace, key)
	err := h.kv.Put(namespace, key, value)
	h.audit("KV value set", p, true, err, "namespace", namespace, "key", key,
		"value", nullText(value), "old", nullText(codec.NullString{String: old, Valid: had}))
	if err != nil {
		p.Reply(codec.SystemError, err.Error(), nil)
		return
	}
	p.Reply(codec.Success, "", nil)
}

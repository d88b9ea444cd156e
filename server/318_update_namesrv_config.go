package server

import (
	"errors"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/internal/config"
)

// updateNamesrvConfig answers UPDATE_NAMESRV_CONFIG (318), whose body is in the properties
// format. It answers 0 when all of it is stored and in effect; otherwise nothing is
// changed, and the remark says why: 16 for keys that cannot be changed from remote, 1 for
// everything else. No body: 0.
//
// Java: DefaultRequestProcessor#updateConfig.
func updateNamesrvConfig(h *handlers, rq *Request) {
	if rq.BodyBytes() == 0 {
		rq.Reply(codec.Success, "", nil)
		return
	}
	rq.Offload(AdminLane, h.updateConfig)
}

func (h *handlers) updateConfig(p *Pending) {
	res, err := h.config.Update(p.Body())
	h.audit("configuration updated", p, len(res.Changes) > 0, err, "changes", changesText(res.Changes), "ignored", res.Ignored, "file", res.Path)
	switch {
	case err == nil:
		p.Reply(codec.Success, "", nil)
	case errors.Is(err, config.ErrProtected):
		p.Reply(codec.NoPermission, err.Error(), nil)
	default:
		p.Reply(codec.SystemError, err.Error(), nil)
	}
}

// changesText lists what changed: key: old -> new.
func changesText(changes []config.Change) []string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.Key + ": " + clip(c.Old) + " -> " + clip(c.New)
	}
	return lines
}

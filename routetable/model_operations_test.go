package routetable

import (
	"slices"

	"github.com/pharosmq/pharos/codec"
	"pgregory.net/rapid"
)

// drawStep returns an operation for a transaction.
func (h *modelHistory) drawStep(rt *rapid.T) modelStep {
	return h.drawOperation(rt, rapid.SampledFrom(modelOperations).Draw(rt, "operation"))
}

var modelOperations = []string{
	"restore", "park", "close", "unregister", "expire", "delete topic", "register topic",
	"add perm", "hold", "park", "close", "wipe", "unregister", "restore", "register in full", "delete topic",
}

func (h *modelHistory) drawOperation(rt *rapid.T, what string) modelStep {
	switch what {
	case "unregister":
		return h.unregisterStep(rt)
	case "close":
		return h.closeStep(rt)
	case "expire":
		return h.expireStep(rt)
	case "wipe":
		return h.permStep(rt, what, (*Txn).WipeWritePerm, (*model).wipeWritePerm)
	case "add perm":
		return h.permStep(rt, what, (*Txn).AddWritePerm, (*model).addWritePerm)
	case "delete topic":
		return h.deleteTopicStep(rt)
	case "register topic":
		return h.registerTopicStep(rt)
	case "hold":
		return h.stateStep(rt, StateHeld)
	case "park":
		return h.stateStep(rt, StateParked)
	case "restore":
		return h.stateStep(rt, StateLive)
	default:
		m, conn := h.lastSent(rt), h.drawConn(rt)
		rt.Logf("%v conn=%d, in full", m, conn)
		return h.registerStep(m, conn)
	}
}

func (h *modelHistory) unregisterStep(rt *rapid.T) modelStep {
	role := h.drawPlace(rt)
	if h.focus == "" && one(rt, 3, "any") {
		role = modelRole{drawKey.Draw(rt, "key"), drawName.Draw(rt, "name"), drawID.Draw(rt, "id")}
	}
	r := UnregisterRequest{Broker: role.key, Name: role.name, ID: role.id, Conn: h.drawConn(rt)}
	rt.Logf("unregister %+v", r)
	return h.unregisterRequest(r)
}

func (h *modelHistory) unregisterRequest(r UnregisterRequest) modelStep {
	var got, want bool
	return modelStep{
		run: func(x *Txn) { got = x.UnregisterBroker(r) },
		model: func() {
			want = h.model.unregister(r)
			h.tally.countIf(want, "unregistered")
		},
		verify: differ("unregistered", &got, &want),
	}
}

// drawGroup returns the group in focus, or any.
func (h *modelHistory) drawGroup(rt *rapid.T) string {
	if h.focus != "" {
		return h.focus
	}
	return drawName.Draw(rt, "name")
}

// drawPlace returns a member of the group in focus, or one of the cast.
func (h *modelHistory) drawPlace(rt *rapid.T) modelRole {
	if g := h.model.groups[h.focus]; g != nil {
		id := rapid.SampledFrom(g.ids(anyBroker)).Draw(rt, "member")
		return modelRole{g.members[id].key, g.name, id}
	}
	return drawRole.Draw(rt, "role")
}

// closeStep closes a connection: all its bindings, or sometimes a single one, maybe one
// that is long void.
func (h *modelHistory) closeStep(rt *rapid.T) modelStep {
	if len(h.bindings) == 0 {
		return modelStep{run: func(*Txn) {}, model: func() {}, verify: func() error { return nil }}
	}
	b := rapid.SampledFrom(h.bindings[max(0, len(h.bindings)-12):]).Draw(rt, "binding")
	list := []modelBinding{b}
	if one(rt, 5, "whole connection") {
		list = nil
		for _, o := range h.bindings {
			if o.Conn == b.Conn {
				list = append(list, o)
			}
		}
	}
	rt.Logf("close %+v", list)
	var got, want [64]bool
	list = list[max(0, len(list)-len(got)):]
	return modelStep{
		run: func(x *Txn) {
			for i, b := range list {
				got[i] = x.RemoveBinding(b.Binding, RemoveConnClosed)
			}
		},
		model: func() {
			for i, b := range list {
				want[i] = h.model.removeBinding(b.Binding, b.token, RemoveConnClosed)
				h.tally.countIf(want[i], "closed")
				h.tally.countIf(!want[i], "void close")
			}
		},
		verify: differ("closed", &got, &want),
	}
}

// expireStep expires what the last scan has found, however long ago.
func (h *modelHistory) expireStep(rt *rapid.T) modelStep {
	if len(h.expired) == 0 || one(rt, 5, "scan") {
		h.scan()
	}
	list := h.expired
	rt.Logf("expire %d", len(list))
	var got, want [64]bool
	return modelStep{
		run: func(x *Txn) {
			for i, e := range list {
				got[i] = x.ExpireBroker(e.table)
			}
		},
		model: func() {
			for i, e := range list {
				want[i] = h.model.expire(e.model)
				h.tally.countIf(want[i], "expired")
				h.tally.countIf(!want[i], "void expiry")
			}
		},
		verify: differ("expired", &got, &want),
	}
}

// scan notes who is silent, by both.
func (h *modelHistory) scan() {
	h.expired = nil
	found := h.table.Snapshot().ScanNotActive(h.now)
	for _, e := range h.model.scan(h.now) {
		i := slices.IndexFunc(found, func(f ExpiredBroker) bool { return f.Name == e.b.name && f.ID == e.b.id })
		h.expired = append(h.expired, modelScan{found[i], e}) // compareScan has seen that it is there
	}
}

func (h *modelHistory) permStep(rt *rapid.T, what string, run func(*Txn, string) int, do func(*model, string) int) modelStep {
	name := h.drawGroup(rt)
	rt.Logf("%s of %s", what, name)
	var got, want int
	return modelStep{
		run:    func(x *Txn) { got = run(x, name) },
		model:  func() { want = do(h.model, name); h.tally.countIf(want > 0, "permissions") },
		verify: differ("topics", &got, &want),
	}
}

func (h *modelHistory) deleteTopicStep(rt *rapid.T) modelStep {
	return h.deleteTopicOf(rt, h.drawTopic.Draw(rt, "topic"))
}

func (h *modelHistory) deleteTopicOf(rt *rapid.T, topic string) modelStep {
	cluster := ""
	if one(rt, 5, "of a cluster") {
		cluster = drawCluster.Draw(rt, "cluster")
	}
	rt.Logf("delete topic %q %q", topic, cluster)
	var got, want bool
	return modelStep{
		run:    func(x *Txn) { got = x.DeleteTopic(topic, cluster) },
		model:  func() { want = h.model.deleteTopic(topic, cluster); h.tally.countIf(want, "topic deleted") },
		verify: differ("deleted", &got, &want),
	}
}

func (h *modelHistory) registerTopicStep(rt *rapid.T) modelStep {
	topic := h.drawTopic.Draw(rt, "topic")
	var queues []codec.QueueData
	for range rapid.IntRange(0, 3).Draw(rt, "queues") {
		c := modelConfigs[drawConfig.Draw(rt, "config")]
		queues = append(queues, codec.QueueData{
			BrokerName: h.drawGroup(rt), ReadQueueNums: c.ReadQueueNums, WriteQueueNums: c.WriteQueueNums,
			Perm: c.Perm, TopicSysFlag: c.TopicSysFlag,
		})
	}
	rt.Logf("register topic %q %+v", topic, queues)
	var got, want bool
	return modelStep{
		run:    func(x *Txn) { got = x.RegisterTopic(topic, queues) },
		model:  func() { want = h.model.registerTopic(topic, queues); h.tally.countIf(want, "topic registered") },
		verify: differ("registered", &got, &want),
	}
}

// stateStep holds, parks or restores, by any generation, the present one or a void one.
func (h *modelHistory) stateStep(rt *rapid.T, to State) modelStep {
	key := h.drawPlace(rt).key
	if h.focus == "" && one(rt, 2, "any key") {
		key = drawKey.Draw(rt, "key")
	}
	if to == StateLive {
		if away := h.model.away(); len(away) > 0 && one(rt, 8, "one who is away") {
			key = rapid.SampledFrom(away).Draw(rt, "key")
		}
	}
	generation, token := uint32(0), 0
	if len(h.bindings) > 0 && one(rt, 4, "by generation") {
		b := rapid.SampledFrom(h.bindings[max(0, len(h.bindings)-12):]).Draw(rt, "binding")
		key, generation, token = b.Broker, b.Generation, b.token
	}
	rt.Logf("%v of %v generation %d", to, key, generation)
	var got, want bool
	now := h.now
	return modelStep{
		run: func(x *Txn) {
			switch to {
			case StateHeld:
				got = x.Hold(key, generation)
			case StateParked:
				got = x.Park(key, generation)
			default:
				got = x.Restore(key, generation, now)
			}
		},
		model: func() {
			want = h.model.moveState(key, token, to, now)
			h.tally.countIf(want, to.String())
		},
		verify: differ("state moved", &got, &want),
	}
}

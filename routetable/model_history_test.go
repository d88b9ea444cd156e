package routetable

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pharosmq/pharos/codec"
	"pgregory.net/rapid"
)

// modelHistory runs one history of operations on a table and on the model. It stands where
// the server stands: a registration is tried by its digest first, and only then parsed and
// applied.
type modelHistory struct {
	table    *Table
	model    *model
	digester *Digester
	seen     seenBodies
	tally    *modelTally

	wide      bool     // many topics, alike or not
	topics    []string // all there are
	drawTopic *rapid.Generator[string]

	rules  Rules
	acting ActingMaster // the fashion of this history
	focus  string       // the group that operations are about; "" is any
	now    int64        // the clock that never runs backwards
	conn   ConnID       // newest connection

	sent     []*modelMessage
	bindings []modelBinding
	expired  []modelScan

	held  heldSnapshot
	claim bool // the last step was a registration that says that it changed nothing
	again bool // the last step was one that was known and says that it changed something

	facts, before, text, body []byte // scratch of compare
	turn                      int
}

// modelBinding is a binding that was handed out and what the model calls it.
type modelBinding struct {
	Binding
	token int
}

// modelScan is a broker that was found silent.
type modelScan struct {
	table ExpiredBroker
	model modelExpired
}

func newModelHistory(rt *rapid.T, seen seenBodies, tally *modelTally) *modelHistory {
	bodies := rapid.SampledFrom([]int64{0, 3000, -1}).Draw(rt, "body bytes")
	t := New(Options{BodyBytesMax: bodies})
	return &modelHistory{
		table: t, model: newModel(), digester: t.NewDigester(), seen: seen, tally: tally,
		topics: modelTopics, drawTopic: drawModelTopic,
		acting: rapid.SampledFrom([]ActingMaster{ActingMasterTrue, ActingMasterAbsent, ActingMasterFalse}).Draw(rt, "fashion"),
		rules:  drawRules(rt), now: 1000, conn: 1,
	}
}

// modelStep is an operation on both. What run and model return through their closure is
// compared by verify.
type modelStep struct {
	run    func(x *Txn)
	model  func()
	verify func() error
}

// differ is an error unless both results are equal.
func differ[T comparable](what string, got, want *T) func() error {
	return func() error {
		if *got != *want {
			return fmt.Errorf("%s: %+v, model %+v", what, *got, *want)
		}
		return nil
	}
}

// apply runs steps in one transaction and compares effects and results.
func (h *modelHistory) apply(steps ...modelStep) error {
	h.model.rules, h.model.effects = h.rules, nil
	effects := h.table.Update(h.rules, func(x *Txn) {
		for _, s := range steps {
			s.run(x)
		}
	})
	for _, s := range steps {
		s.model()
	}
	var errs error
	for _, s := range steps {
		errs = errors.Join(errs, s.verify())
	}
	return errors.Join(errs, h.compareEffects(effects))
}

func (h *modelHistory) compareEffects(effects []Effect) error {
	got, want := effectText(effects), effectText(h.model.effects)
	if !slices.Equal(got, want) {
		return fmt.Errorf("effects\n%q\nmodel\n%q", got, want)
	}
	for _, e := range effects {
		h.tally.count([]string{"close", "notify", "removed"}[e.Kind])
	}
	return nil
}

// send is a registration as the server handles it.
func (h *modelHistory) send(rt *rapid.T, m *modelMessage) (short bool, err error) {
	conn := h.drawConn(rt)
	rt.Logf("%v conn=%d", m, conn)
	h.sent = append(h.sent, m)
	h.tally.count("registration")
	hdr := m.header()
	before := h.table.Snapshot()
	got, short := h.table.RenewUnchanged(hdr, h.digest(hdr, m.raw), conn, h.now, h.rules)
	if !short {
		step := h.registerStep(m, conn)
		return false, h.apply(step)
	}
	rt.Logf("by its digest")
	h.tally.count("short cut")
	if l := h.model.live[m.key]; l == nil || l.state != StateLive {
		return true, errors.New("a broker that is not live was renewed by its digest")
	}
	// The model processes it in full, and everything has to be as after that.
	h.claim = true
	h.model.rules, h.model.effects = h.rules, nil
	want := h.model.register(h.registration(m, m.body, conn))
	if want.Status == Registered {
		h.bindings = append(h.bindings, modelBinding{got.Binding, h.model.groups[m.name].members[m.id].token})
	}
	if h.table.Snapshot() != before {
		return true, errors.New("the short cut published something")
	}
	return true, errors.Join(h.compareResult(&got, &want), h.compareEffects(nil))
}

func (h *modelHistory) digest(hdr *RegistrationHeader, raw []byte) Digest {
	h.digester.Reset()
	h.digester.WriteHeader(hdr)
	half := len(raw) / 2
	_, _ = h.digester.Write(raw[:half])
	_, _ = h.digester.Write(raw[half:])
	return h.digester.Sum()
}

// registration returns what the table is told when body was said.
func (h *modelHistory) registration(m *modelMessage, body codec.RegisterBody, conn ConnID) *Registration {
	if body.DataVersionStamped {
		body.DataVersion.Timestamp = h.now
	}
	return &Registration{
		Broker: m.key, Name: m.name, ID: m.id, HAServerAddr: m.haAddr, Zone: m.zone,
		TimeoutMillis: m.timeout, TimeoutSet: m.timeoutSet, ActingMaster: m.acting,
		Body: &body, Conn: conn, NowMillis: h.now,
	}
}

// registerStep processes a registration in full.
func (h *modelHistory) registerStep(m *modelMessage, conn ConnID) modelStep {
	hdr := m.header()
	parsed, err := codec.ParseRegisterBody(m.raw, codec.RegisterBodyOptions{
		Version: m.version, Compressed: m.compressed, NowMillis: h.now,
	})
	if err != nil {
		return modelStep{verify: func() error { return err }, run: func(*Txn) {}, model: func() {}}
	}
	r := h.registration(m, *parsed, conn)
	r.Digest = h.digest(hdr, m.raw)
	var got, want RegisterResult
	return modelStep{
		run: func(x *Txn) { got = x.RegisterBroker(r) },
		model: func() {
			h.tallyRegistration(m, h.model.groups[m.name])
			known := h.recalled(m) && len(m.body.Mappings) == 0 && !h.rules.DeleteTopicWithBrokerRegistration &&
				(m.body.FilterServersNull || slices.Equal(h.model.filters[m.key], m.body.FilterServers))
			want = h.model.register(h.registration(m, m.body, conn))
			h.tally.count([]string{"registered", "refused", "ignored"}[want.Status])
			h.claim = !got.Changed
			h.again = known && got.Changed
			if want.Status == Registered {
				h.bindings = append(h.bindings, modelBinding{got.Binding, h.model.groups[m.name].members[m.id].token})
			}
		},
		verify: func() error { return h.compareResult(&got, &want) },
	}
}

func (h *modelHistory) tallyRegistration(m *modelMessage, g *modelGroup) {
	if g == nil {
		return
	}
	holder, self := g.members[m.id], g.at(m.key.Addr)
	h.tally.countIf(holder != nil && holder != self, "other holder")
	h.tally.countIf(holder != nil && holder.parked(), "parked holder")
	h.tally.countIf(holder != nil && holder.state == StateHeld, "held holder")
	h.tally.countIf(self != nil && self != holder, "role switch")
	h.tally.countIf(self != nil && self.key != m.key, "cluster change")
	h.tally.countIf(g.acting && g.ids(anyBroker)[0] == m.id && m.id > 0, "prime slave")
	h.tally.countIf(h.rules.DeleteTopicWithBrokerRegistration, "registration that deletes")
}

// compareResult compares what the broker and its connection are told.
func (h *modelHistory) compareResult(got, want *RegisterResult) error {
	g := *got
	if g.Status == Registered && g.Binding.Generation == 0 {
		return errors.New("registered without a generation")
	}
	g.Binding.Generation, g.Changed = 0, false
	if g != *want {
		return fmt.Errorf("answer %+v, model %+v", g, *want)
	}
	h.tally.countIf(g.MasterAddr.Valid, "slave told its master")
	return nil
}

// drawConn returns a connection: mostly the newest, else a new one, an old one, or none.
func (h *modelHistory) drawConn(rt *rapid.T) ConnID {
	switch n := drawTenth.Draw(rt, "conn"); {
	case n < 5:
		return h.conn
	case n < 8:
		h.conn++
		return h.conn
	default:
		return h.conn - min(h.conn, ConnID(n-7))
	}
}

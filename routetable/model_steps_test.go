package routetable

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/pharosmq/pharos/codec"
	"pgregory.net/rapid"
)

// modelKinds are the kinds of steps, by how often they are wanted. Rapid favours the first
// and the last of a list.
var modelKinds = []struct {
	weight int
	what   string
	step   func(h *modelHistory, rt *rapid.T) error
}{
	{14, "single", (*modelHistory).stepSingle},
	{7, "vary", (*modelHistory).stepVary},
	{3, "batch", (*modelHistory).stepBatch},
	{8, "register", (*modelHistory).stepRegister},
	{3, "heartbeat", (*modelHistory).stepHeartbeat},
	{2, "repeat at once", (*modelHistory).stepRepeatAtOnce},
	{2, "split", (*modelHistory).stepSplit},
	{1, "succession", (*modelHistory).stepSuccession},
	{1, "fleet", (*modelHistory).stepFleet},
	{3, "aftermath", (*modelHistory).stepAftermath},
	{1, "panic", (*modelHistory).stepPanic},
	{2, "rebind", (*modelHistory).stepRebind},
	{4, "tick", (*modelHistory).stepTick},
	{1, "rules", (*modelHistory).stepRules},
	{2, "there and back", (*modelHistory).stepThereAndBack},
	{1, "static topic", (*modelHistory).stepStaticTopic},
	{2, "hold a snapshot", (*modelHistory).stepHoldSnapshot},
	{9, "repeat", (*modelHistory).stepRepeat},
}

var drawKind = rapid.SampledFrom(weightedKinds())

func weightedKinds() (list []int) {
	for i, k := range modelKinds {
		list = append(list, slices.Repeat([]int{i}, k.weight)...)
	}
	return list
}

// play runs a whole history.
func (h *modelHistory) play(rt *rapid.T) {
	rt.Repeat(map[string]func(*rapid.T){
		"":     func(rt *rapid.T) { must(rt, h.compare()) },
		"step": h.step,
	})
	must(rt, h.leave())
}

// step is one action of the state machine.
func (h *modelHistory) step(rt *rapid.T) {
	h.tally.steps++
	k := modelKinds[drawKind.Draw(rt, "step")]
	rt.Logf("-- %s at %d", k.what, h.now)
	must(rt, k.step(h, rt))
}

// leave ends a history: everybody goes, in one transaction, and nothing stays.
func (h *modelHistory) leave() error {
	var steps []modelStep
	for _, b := range h.model.brokers() {
		steps = append(steps, h.unregisterRequest(UnregisterRequest{Broker: b.Broker, Name: b.Name, ID: b.ID}))
	}
	if err := errors.Join(h.apply(steps...), h.compare()); err != nil {
		return err
	}
	if left := h.model.stats(); left != (Stats{}) {
		return fmt.Errorf("%+v left", left)
	}
	return nil
}

func (h *modelHistory) stepRegister(rt *rapid.T) error {
	_, err := h.send(rt, h.drawMessage(rt))
	return err
}

// lastSent draws one of the last registrations, in focus if there is one.
func (h *modelHistory) lastSent(rt *rapid.T) *modelMessage {
	list := h.sent
	if h.focus != "" {
		list = slices.DeleteFunc(slices.Clone(list), func(m *modelMessage) bool { return m.name != h.focus })
	}
	if len(list) == 0 {
		return h.drawMessage(rt)
	}
	return rapid.SampledFrom(list[max(0, len(list)-8):]).Draw(rt, "sent")
}

func (h *modelHistory) stepVary(rt *rapid.T) error {
	_, err := h.send(rt, h.vary(rt, h.lastSent(rt)))
	return err
}

func (h *modelHistory) stepRepeat(rt *rapid.T) error {
	h.tally.count("repetition")
	short, err := h.send(rt, h.lastSent(rt))
	h.tally.countIf(short, "short repetition")
	return err
}

// recalled reports whether a registration that was accepted just now has to be recognised
// when it comes again.
func (h *modelHistory) recalled(m *modelMessage) bool {
	g := h.model.groups[m.name]
	b := g.at(m.key.Addr)
	if b == nil || b != h.model.live[m.key] || b.id != m.id || b.key.Addr == "" || b.haAddr != m.haAddr {
		return false
	}
	if b.dataVersion != m.body.DataVersion || m.body.DataVersionStamped {
		return false
	}
	return g.zone == m.zone && g.acting == (m.acting == ActingMasterTrue) && !h.restless(g, m)
}

// restless: the registration deletes a topic that it then puts.
func (h *modelHistory) restless(g *modelGroup, m *modelMessage) bool {
	writes := m.id == codec.MasterID || m.acting != ActingMasterAbsent && m.id == g.ids(anyBroker)[0]
	return h.rules.DeleteTopicWithBrokerRegistration && writes && len(m.body.Mappings) == 0 &&
		slices.ContainsFunc(m.body.Topics, func(c codec.TopicConfig) bool {
			return c.Name != nil && !bytes.Equal(c.Key, c.Name)
		})
}

// stepRepeatAtOnce: who says the same twice in a row is parsed once, also if permissions
// were wiped or added meanwhile.
func (h *modelHistory) stepRepeatAtOnce(rt *rapid.T) error {
	m := h.lastSent(rt)
	_, err := h.send(rt, m)
	if err := errors.Join(err, h.compare()); err != nil {
		return err
	}
	if one(rt, 3, "permissions meanwhile") {
		what := rapid.SampledFrom([]string{"wipe", "add perm"}).Draw(rt, "what")
		err := h.apply(h.drawOperation(rt, what))
		if err := errors.Join(err, h.compare()); err != nil {
			return err
		}
	}
	expected := h.recalled(m)
	short, err := h.send(rt, m)
	if err == nil && short != expected {
		return fmt.Errorf("repeated at once: by its digest %v, expected %v", short, expected)
	}
	h.tally.countIf(short, "short at once")
	return err
}

// stepSplit sends a registration in parts, and again: all parts are recognised then.
func (h *modelHistory) stepSplit(rt *rapid.T) error {
	whole := *h.lastSent(rt)
	whole.body.FilterServers, whole.body.FilterServersNull, whole.body.DataVersionStamped = nil, true, false
	whole.noBody, whole.compressed = false, false
	var parts []*modelMessage
	for i := range 2 {
		m := whole
		m.body.Topics = nil
		for j, c := range whole.body.Topics {
			if j%2 == i {
				m.body.Topics = append(m.body.Topics, c)
			}
		}
		m.settle()
		parts = append(parts, &m)
	}
	expected := !h.rules.DeleteTopicWithBrokerRegistration
	for round := range 2 {
		for _, m := range parts {
			short, err := h.send(rt, m)
			if err != nil {
				return err
			}
			if round > 0 && expected && !short {
				return errors.New("a part was not recognised by its digest")
			}
			h.tally.countIf(round > 0 && short, "short part")
			expected = expected && h.recalled(m)
			if err := h.compare(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *modelHistory) stepSingle(rt *rapid.T) error {
	return h.apply(h.drawStep(rt))
}

// stepBatch runs several operations in one transaction, as a group commit does, often all
// about one group.
func (h *modelHistory) stepBatch(rt *rapid.T) error {
	var steps []modelStep
	if one(rt, 6, "about one group") {
		h.focus = drawName.Draw(rt, "focus")
	}
	for range rapid.IntRange(2, 5).Draw(rt, "operations") {
		steps = append(steps, h.drawStep(rt))
	}
	h.focus = ""
	err := h.apply(steps...)
	h.claim, h.again = false, false // what one of several claims cannot be seen
	return err
}

// stepSuccession has a group come, go and be followed by another with the same topics, all
// in one transaction: what is remembered of the first must not be taken for the second.
func (h *modelHistory) stepSuccession(rt *rapid.T) error {
	first, conn := *h.lastSent(rt), h.drawConn(rt)
	first.key, first.id = drawKey.Draw(rt, "key"), codec.MasterID
	next := first
	first.name, next.name = drawName.Draw(rt, "name"), drawName.Draw(rt, "next name")
	rt.Logf("%v, then unregistered, then %v", &first, &next)
	err := h.apply(
		h.registerStep(&first, conn),
		h.unregisterRequest(UnregisterRequest{Broker: first.key, Name: first.name}),
		h.registerStep(&next, conn))
	h.claim, h.again = false, false
	return err
}

// stepFleet has the whole cast register, all with one body, as after a restart of everything.
func (h *modelHistory) stepFleet(rt *rapid.T) error {
	body := h.drawBody(rt)
	for _, role := range modelCast {
		m := &modelMessage{modelRole: role, version: 513, acting: h.acting, body: body}
		m.settle()
		_, err := h.send(rt, m)
		if err := errors.Join(err, h.compare()); err != nil {
			return err
		}
	}
	return nil
}

// stepAftermath has a broker unregister and its group's topics operated on in one
// transaction, in which what the end of the broker does to all topics is put off.
func (h *modelHistory) stepAftermath(rt *rapid.T) error {
	h.focus = drawName.Draw(rt, "focus")
	end := h.unregisterStep(rt)
	what := rapid.SampledFrom([]string{"add perm", "wipe", "register topic", "delete topic", "register in full"}).Draw(rt, "what")
	then := h.drawOperation(rt, what)
	h.focus = ""
	err := h.apply(end, then)
	h.claim, h.again = false, false
	return err
}

// stepPanic runs several operations that in the end don't count.
func (h *modelHistory) stepPanic(rt *rapid.T) (err error) {
	var steps []modelStep
	for range rapid.IntRange(1, 4).Draw(rt, "operations") {
		steps = append(steps, h.drawStep(rt))
	}
	rt.Logf("and a panic")
	defer func() {
		if p, ok := recover().(*UpdatePanic); !ok || p.Value != "on purpose" {
			err = fmt.Errorf("recovered %v", p)
		}
	}()
	h.table.Update(h.rules, func(x *Txn) {
		for _, s := range steps {
			s.run(x)
		}
		panic("on purpose")
	})
	return errors.New("the panic was swallowed")
}

func (h *modelHistory) stepHeartbeat(rt *rapid.T) error {
	key := drawRole.Draw(rt, "role").key
	rt.Logf("heartbeat of %v", key)
	before := h.table.Snapshot()
	info, got := h.table.Heartbeat([]byte(key.Cluster), []byte(key.Addr), h.now)
	want := h.model.heartbeat(key, h.now)
	h.tally.countIf(want == HeartbeatRenewed, "heartbeat")
	if got != want || h.table.Snapshot() != before {
		return fmt.Errorf("heartbeat: %v, model %v", got, want)
	}
	if b := h.model.live[key]; b != nil && !sameInfo(info, b.info()) {
		return fmt.Errorf("heartbeat: %+v, model %+v", info, b.info())
	}
	return nil
}

func (h *modelHistory) stepRebind(rt *rapid.T) error {
	if len(h.bindings) == 0 {
		return nil
	}
	b := rapid.SampledFrom(h.bindings[max(0, len(h.bindings)-12):]).Draw(rt, "binding")
	to := h.drawConn(rt)
	rt.Logf("rebind %+v to %d", b, to)
	got, ok := h.table.Rebind(b.Binding, to)
	want := h.model.rebind(b.Binding, b.token, to)
	if ok != want {
		return fmt.Errorf("rebound %v, model %v", ok, want)
	}
	if ok {
		h.tally.count("rebound")
		h.bindings = append(h.bindings, modelBinding{got, h.model.live[b.Broker].token})
	}
	return nil
}

func (h *modelHistory) stepTick(rt *rapid.T) error {
	h.now += drawTick.Draw(rt, "millis")
	return nil
}

func drawRules(rt *rapid.T) Rules {
	return Rules{
		DeleteTopicWithBrokerRegistration: one(rt, 3, "delete topics"),
		NotifyMinBrokerIDChanged:          one(rt, 7, "notify"),
	}
}

func (h *modelHistory) stepRules(rt *rapid.T) error {
	h.rules = drawRules(rt)
	rt.Logf("%+v", h.rules)
	return nil
}

// stepThereAndBack has something happen under other settings, be it the same registration,
// between a registration and its repetition under the old ones.
func (h *modelHistory) stepThereAndBack(rt *rapid.T) error {
	m, rules := h.lastSent(rt), h.rules
	_, err := h.send(rt, m)
	if err := errors.Join(err, h.compare()); err != nil {
		return err
	}
	h.rules.DeleteTopicWithBrokerRegistration = !rules.DeleteTopicWithBrokerRegistration
	rt.Logf("%+v", h.rules)
	switch rapid.IntRange(0, 2).Draw(rt, "what") {
	case 0:
		_, err = h.send(rt, m)
	case 1:
		h.focus = m.name
		what := rapid.SampledFrom(append([]string{"register topic"}, modelOperations...)).Draw(rt, "operation")
		step := h.drawOperation(rt, what)
		h.focus = ""
		err = h.apply(step)
	default:
		other := *m
		other.body.Topics = h.drawTopics(rt)
		other.settle()
		_, err = h.send(rt, &other)
	}
	if err := errors.Join(err, h.compare()); err != nil {
		return err
	}
	h.rules = rules
	_, err = h.send(rt, m)
	return err
}

// stepStaticTopic has a registration with static mappings come again after something that may
// have taken one of them.
func (h *modelHistory) stepStaticTopic(rt *rapid.T) error {
	m := *h.lastSent(rt)
	m.version, m.noBody, m.body.Mappings = 513, false, []codec.TopicQueueMapping{h.drawMapping(rt)}
	m.settle()
	_, err := h.send(rt, &m)
	if err := errors.Join(err, h.compare()); err != nil {
		return err
	}
	if topic := m.body.Mappings[0].Topic; one(rt, 5, "delete the topic") {
		err = h.apply(h.deleteTopicOf(rt, topic))
	} else {
		err = h.apply(h.drawStep(rt))
	}
	if err := errors.Join(err, h.compare()); err != nil {
		return err
	}
	_, err = h.send(rt, &m)
	return err
}

// stepHoldSnapshot keeps a snapshot from here on, instead of the one kept before.
func (h *modelHistory) stepHoldSnapshot(*rapid.T) error {
	s := h.table.Snapshot()
	h.held = heldSnapshot{s, s.say(h.topics)}
	return nil
}

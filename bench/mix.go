package bench

import (
	"fmt"
	"math/rand/v2"

	"github.com/pharosmq/pharos/codec"
)

// Mix says what a group of connections asks. The weights are relative to each other; the
// zero Mix asks for routes only.
type Mix struct {
	Route     float64 // 105
	Cluster   float64 // 106
	Register  float64 // 103, the group's Registrations in turn
	TopicList float64 // 206
	// Unknown is the share of the route lookups, 0 to 1, that name a topic nobody has.
	Unknown float64
	// Zipf > 1 is the exponent of the topics' popularity; 0 is uniform.
	Zipf float64
}

// Validate says what is wrong with m.
func (m *Mix) Validate() error {
	for _, share := range []float64{m.Route, m.Cluster, m.Register, m.TopicList} {
		if share < 0 {
			return fmt.Errorf("a weight of the mix is negative: %v", share)
		}
	}
	switch {
	case m.Unknown < 0 || m.Unknown > 1:
		return fmt.Errorf("the share of unknown topics is %v; it is between 0 and 1", m.Unknown)
	case m.Zipf != 0 && m.Zipf <= 1:
		return fmt.Errorf("the Zipf exponent is %v; it is above 1, or 0 for uniform popularity", m.Zipf)
	}
	return nil
}

// op is one thing to ask: its kind in the high bits, the topic's number in the low ones.
type op uint32

type opKind uint32

const (
	opRoute opKind = iota
	opUnknown
	opCluster
	opRegister
	opTopicList
	opKinds
)

const opTopicBits = 28

func (o op) kind() opKind  { return opKind(o >> opTopicBits) }
func (o op) topic() uint32 { return uint32(o) & (1<<opTopicBits - 1) }

// scheduleLen is how many ops a schedule has before it repeats: read in order it costs the
// load next to nothing, and at four times a million topics few topics are left out.
const scheduleLen = 1 << 22

// schedule draws what is asked, in an order that is the same in every run.
func (m *Mix) schedule(topics int) []op {
	r := rand.New(rand.NewPCG(1, uint64(topics)))
	var zipf *rand.Zipf
	if m.Zipf != 0 {
		zipf = rand.NewZipf(r, m.Zipf, 1, uint64(topics-1))
	}
	weights := [opKinds]float64{opRoute: m.Route, opCluster: m.Cluster, opRegister: m.Register, opTopicList: m.TopicList}
	total := m.Route + m.Cluster + m.Register + m.TopicList
	if total == 0 {
		weights[opRoute], total = 1, 1
	}
	n := scheduleLen
	if weights[opRoute] == 0 {
		n = 1 << 12 // no topics to draw
	}
	ops := make([]op, n)
	for i := range ops {
		kind, at := opRoute, r.Float64()*total
		for kind < opTopicList && at >= weights[kind] {
			at -= weights[kind]
			kind++
		}
		var topic uint64
		if kind == opRoute {
			topic = r.Uint64N(uint64(topics))
			if zipf != nil {
				topic = zipf.Uint64()
			}
			if m.Unknown > 0 && r.Float64() < m.Unknown {
				kind = opUnknown
			}
		}
		ops[i] = op(kind)<<opTopicBits | op(topic)
	}
	return ops
}

// templates are the frames of each kind for one version and header form; registrations have
// their own.
func (w *World) templates(version int32, st codec.SerializeType) (t [opKinds]template) {
	header := func(code int32, ext ...codec.ExtField) *codec.Header {
		return &codec.Header{Code: code, Version: version, Ext: ext}
	}
	topic, unknown := w.TopicName(0), w.unknownName(0)
	t[opRoute] = newTemplate(st, header(codec.CodeGetRouteInfoByTopic, codec.ExtField{Key: "topic", Value: topic}), topic)
	t[opUnknown] = newTemplate(st, header(codec.CodeGetRouteInfoByTopic, codec.ExtField{Key: "topic", Value: unknown}), unknown)
	t[opCluster] = newTemplate(st, header(codec.CodeGetBrokerClusterInfo), "")
	t[opTopicList] = newTemplate(st, header(codec.CodeGetAllTopicListFromNameserver), "")
	return t
}

// wantCode is the response code that the answer to o must have.
func (g *group) wantCode(o op) int32 {
	if o.kind() == opUnknown && !g.Echo {
		return codec.TopicNotExist
	}
	return codec.Success
}

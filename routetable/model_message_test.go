package routetable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pharosmq/pharos/codec"
	"pgregory.net/rapid"
)

// The world of the histories is small, so that everything collides: a cluster and a group
// of one name, an address without text, names that the two dialects write differently.
var (
	modelClusters = []string{"c1", "c2"}
	modelNames    = []string{"a", "b/ü", "c1"}
	modelAddrs    = []string{"h:1", "h:2", "h:3", "h:4", ""}
	modelTopics   = []string{"T1", "T2", "T3", "T4", "rmq_sys_SYNC_BROKER_MEMBER_a", "ü/\""}

	modelKeys      = allModelKeys()
	modelNullNames = allModelNames()
)

func allModelKeys() (keys []BrokerKey) {
	for _, c := range modelClusters {
		for _, a := range modelAddrs {
			keys = append(keys, BrokerKey{c, a})
		}
	}
	return keys
}

func allModelNames() (names []codec.NullString) {
	for _, n := range modelNames {
		names = append(names, codec.NullString{String: n, Valid: true})
	}
	return names
}

// modelRole is who a broker says it is.
type modelRole struct {
	key  BrokerKey
	name string
	id   int64
}

// modelCast plays most parts: a group of three, one of two, one alone.
var modelCast = []modelRole{
	{BrokerKey{"c1", "h:1"}, "a", 0}, {BrokerKey{"c1", "h:2"}, "a", 1}, {BrokerKey{"c1", "h:3"}, "a", 2},
	{BrokerKey{"c1", "h:4"}, "b/ü", 0}, {BrokerKey{"c1", "h:3"}, "b/ü", 1}, {BrokerKey{"c2", "h:4"}, "c1", 0},
}

// modelMessage is a registration as it is sent: what it says, and the bytes that say it.
type modelMessage struct {
	modelRole
	version    int32
	compressed bool
	haAddr     codec.NullString
	zone       codec.NullString
	timeout    int64
	timeoutSet bool
	acting     ActingMaster
	body       codec.RegisterBody
	noBody     bool
	raw        []byte
}

func (m *modelMessage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "register %s/%s %d at %q acting=%d zone=%s ha=%s", m.key.Cluster, m.name, m.id, m.key.Addr, m.acting, text(m.zone), text(m.haAddr))
	if m.timeoutSet {
		fmt.Fprintf(&b, " timeout=%d", m.timeout)
	}
	v := &m.body.DataVersion
	fmt.Fprintf(&b, " v=%d.%d.%d", v.StateVersion, v.Timestamp, v.Counter)
	if m.version != 513 || m.compressed || m.noBody || m.body.DataVersionStamped {
		fmt.Fprintf(&b, " version=%d compressed=%v noBody=%v stamped=%v", m.version, m.compressed, m.noBody, m.body.DataVersionStamped)
	}
	for i, t := range m.body.Topics {
		if n := len(m.body.Topics); n > 12 && i > 4 && i < n-1 {
			continue // of TestModelWide
		}
		fmt.Fprintf(&b, " %s(%s)=%d/%d/%d/%d", t.Key, t.Name, t.ReadQueueNums, t.WriteQueueNums, t.Perm, t.TopicSysFlag)
	}
	fmt.Fprintf(&b, " %d topics", len(m.body.Topics))
	for _, e := range m.body.Mappings {
		fmt.Fprintf(&b, " static %s at %s epoch %d", e.Topic, text(e.Info.BName), e.Info.Epoch)
	}
	if m.body.FilterServersNull || m.body.FilterServers != nil {
		fmt.Fprintf(&b, " filters=%q null=%v", m.body.FilterServers, m.body.FilterServersNull)
	}
	return b.String()
}

func text(s codec.NullString) string {
	if !s.Valid {
		return "null"
	}
	return s.String
}

func borrow(s codec.NullString) []byte {
	if !s.Valid {
		return nil
	}
	return append([]byte{}, s.String...)
}

func (m *modelMessage) header() *RegistrationHeader {
	return &RegistrationHeader{
		Version: m.version, Compressed: m.compressed,
		Cluster: []byte(m.key.Cluster), Addr: []byte(m.key.Addr), Name: []byte(m.name), ID: m.id,
		HAServerAddr: borrow(m.haAddr), Zone: borrow(m.zone),
		TimeoutMillis: m.timeout, TimeoutSet: m.timeoutSet, ActingMaster: m.acting,
	}
}

// settle leaves out of what is said what the version cannot say, and writes the body.
func (m *modelMessage) settle() {
	b := &m.body
	// Of two entries of one topic a map has the later one.
	b.Mappings = slices.DeleteFunc(slices.Clone(b.Mappings), func(e codec.TopicQueueMapping) bool {
		i := slices.IndexFunc(b.Mappings, func(o codec.TopicQueueMapping) bool { return o.Topic == e.Topic })
		return b.Mappings[i].Info.BName != e.Info.BName || b.Mappings[i].Info.Epoch != e.Info.Epoch
	})
	b.Mappings = slices.CompactFunc(b.Mappings, func(a, b codec.TopicQueueMapping) bool { return a.Topic == b.Topic })
	if m.noBody {
		m.raw, m.body = nil, codec.RegisterBody{FilterServersNull: m.version < codec.Version3_0_11}
		return
	}
	if m.version < codec.Version5_0_0 {
		b.DataVersion.StateVersion, b.Mappings = 0, nil
	}
	if m.version < codec.Version3_0_11 {
		b.FilterServers, b.FilterServersNull, m.compressed = nil, true, false
	}
	if !m.compressed {
		m.raw = codec.AppendRegisterBody(nil, b, m.version)
		return
	}
	topics := append([]codec.TopicConfig{}, b.Topics...)
	for i := range topics {
		topics[i].Name, topics[i].TopicSysFlag = topics[i].Key, 0
	}
	b.Topics, b.FilterServersNull = topics, false
	m.raw = codec.AppendRegisterBodyCompressed(nil, b, m.version)
}

// modelConfigs are the topic configs there are; without queue numbers: no such topic.
var modelConfigs = []codec.TopicConfig{
	{},
	{ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6},
	{},
	{ReadQueueNums: 8, WriteQueueNums: 4, Perm: 6},
	{ReadQueueNums: 4, WriteQueueNums: 4, Perm: 7, TopicSysFlag: codec.TopicSysFlagUnit},
	{ReadQueueNums: 4, WriteQueueNums: 4, Perm: 4, TopicSysFlag: codec.TopicSysFlagUnitSub},
	{ReadQueueNums: 1, WriteQueueNums: 1, Perm: 2, TopicSysFlag: codec.TopicSysFlagUnit | codec.TopicSysFlagUnitSub},
}

var (
	drawTenth   = rapid.IntRange(0, 9)
	drawRole    = rapid.SampledFrom(modelCast)
	drawCluster = rapid.SampledFrom([]string{"c1", "c1", "c2"})
	drawName    = rapid.SampledFrom(modelNames)
	drawAddr    = rapid.SampledFrom(modelAddrs)
	drawID      = rapid.SampledFrom([]int64{0, 1, 2, -1})
	drawConfig  = rapid.IntRange(0, len(modelConfigs)-1)
	drawVersion = rapid.SampledFrom([]int32{513, 513, 513, codec.Version5_0_0, 399, codec.Version3_0_11, 36, 0})
	drawActing  = rapid.SampledFrom([]ActingMaster{ActingMasterAbsent, ActingMasterFalse, ActingMasterTrue})
	drawNull    = rapid.SampledFrom([]codec.NullString{{}, {String: "x", Valid: true}, {String: "é/y", Valid: true}, {Valid: true}})
	drawTimeout = rapid.SampledFrom([]int64{50, 10, 200, 0, -1, 1 << 62})
	drawFilters = rapid.SampledFrom([][]string{{"f:1"}, {"f:1", "f/\"2"}, {}})
	drawKey     = rapid.SampledFrom(modelKeys)
	drawTick    = rapid.SampledFrom([]int64{1, 5, 20, 60, 120_001})
	drawCounter = rapid.Int64Range(0, 2)

	drawModelTopic = rapid.SampledFrom(modelTopics)

	drawEpoch = rapid.SampledFrom([]int64{0, 1, 1 << 60})
	drawBit   = rapid.Int64Range(0, 1)
)

// one reports true in about n of ten cases.
func one(rt *rapid.T, n int, what string) bool { return drawTenth.Draw(rt, what) >= 10-n }

// drawMessage returns a registration in the fashion of its group.
func (h *modelHistory) drawMessage(rt *rapid.T) *modelMessage {
	m := &modelMessage{modelRole: drawRole.Draw(rt, "role"), version: 513, acting: h.acting}
	if one(rt, 2, "stranger") {
		m.key = BrokerKey{drawCluster.Draw(rt, "cluster"), drawAddr.Draw(rt, "addr")}
		m.name, m.id = drawName.Draw(rt, "name"), drawID.Draw(rt, "id")
	}
	if one(rt, 2, "odd header") {
		m.version, m.acting = drawVersion.Draw(rt, "version"), drawActing.Draw(rt, "acting")
		m.haAddr, m.zone = drawNull.Draw(rt, "ha"), drawNull.Draw(rt, "zone")
		m.compressed = one(rt, 3, "compressed")
		m.noBody = one(rt, 1, "no body")
	} else {
		m.haAddr = codec.NullString{String: "ha of " + m.key.Addr, Valid: true}
	}
	if one(rt, 4, "timeout set") {
		m.timeout, m.timeoutSet = drawTimeout.Draw(rt, "timeout"), true
	}
	m.body = h.drawBody(rt)
	m.settle()
	return m
}

func (h *modelHistory) drawBody(rt *rapid.T) codec.RegisterBody {
	b := codec.RegisterBody{DataVersion: codec.DataVersion{
		Counter: drawCounter.Draw(rt, "counter"), StateVersion: drawBit.Draw(rt, "state version"), Timestamp: 1,
	}}
	b.Topics = h.drawTopics(rt)
	if one(rt, 3, "odd body") {
		b.FilterServersNull = one(rt, 3, "filters null")
		if !b.FilterServersNull {
			b.FilterServers = drawFilters.Draw(rt, "filters")
		}
		b.DataVersionStamped = one(rt, 2, "without timestamp")
		if len(b.Topics) > 0 && one(rt, 2, "nameless") {
			b.Topics[0].Name = nil
		} else if len(b.Topics) > 0 && one(rt, 2, "other name") {
			b.Topics[0].Name = []byte(h.drawTopic.Draw(rt, "topicName"))
		}
	}
	for one(rt, 1, "mapping") {
		b.Mappings = append(b.Mappings, h.drawMapping(rt))
	}
	return b
}

func (h *modelHistory) drawTopics(rt *rapid.T) []codec.TopicConfig {
	var list []codec.TopicConfig
	topics := h.topics
	if one(rt, 2, "at most one topic") {
		topics = []string{h.drawTopic.Draw(rt, "topic")}
	} else if h.wide {
		return h.drawWideTopics(rt)
	}
	for _, topic := range topics {
		if c := modelConfigs[drawConfig.Draw(rt, "config")]; c.ReadQueueNums > 0 {
			c.Name, c.Key = []byte(topic), []byte(topic)
			list = append(list, c)
		}
	}
	return list
}

func (h *modelHistory) drawMapping(rt *rapid.T) codec.TopicQueueMapping {
	topic := h.drawTopic.Draw(rt, "static topic")
	info := codec.TopicQueueMappingInfo{
		Topic: codec.NullString{String: topic, Valid: true}, Scope: codec.NullString{String: "__global__", Valid: true},
		TotalQueues: 2, Epoch: drawEpoch.Draw(rt, "epoch"), CurrIDMap: map[int32]int32{0: 0, 1: 2},
		BName: codec.NullString{String: drawName.Draw(rt, "bname"), Valid: !one(rt, 1, "no bname")},
	}
	return codec.TopicQueueMapping{Topic: topic, Info: info}
}

// modelVariations are the things in which a registration may differ from the last one.
var modelVariations = []struct {
	what  string
	apply func(h *modelHistory, rt *rapid.T, m *modelMessage)
}{
	{"counter", func(_ *modelHistory, rt *rapid.T, m *modelMessage) {
		m.body.DataVersion.Counter = drawCounter.Draw(rt, "counter")
	}},
	{"state version", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.body.DataVersion.StateVersion ^= 1 }},
	{"timestamp", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.body.DataVersion.Timestamp ^= 3 }},
	{"topics", func(h *modelHistory, rt *rapid.T, m *modelMessage) { m.body.Topics = h.drawTopics(rt) }},
	{"ha", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.haAddr = drawNull.Draw(rt, "ha") }},
	{"zone", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.zone = drawNull.Draw(rt, "zone") }},
	{"acting", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.acting = drawActing.Draw(rt, "acting") }},
	{"timeout", func(_ *modelHistory, rt *rapid.T, m *modelMessage) {
		m.timeout, m.timeoutSet = drawTimeout.Draw(rt, "timeout"), one(rt, 5, "timeout set")
	}},
	{"id", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.id = drawID.Draw(rt, "id") }},
	{"addr", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.key.Addr = drawAddr.Draw(rt, "addr") }},
	{"name", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.name = drawName.Draw(rt, "name") }},
	{"cluster", func(_ *modelHistory, rt *rapid.T, m *modelMessage) { m.key.Cluster = drawCluster.Draw(rt, "cluster") }},
	{"filters", func(_ *modelHistory, rt *rapid.T, m *modelMessage) {
		m.body.FilterServers, m.body.FilterServersNull = drawFilters.Draw(rt, "filters"), one(rt, 3, "null")
		if m.body.FilterServersNull {
			m.body.FilterServers = nil
		}
	}},
	{"mappings", func(h *modelHistory, rt *rapid.T, m *modelMessage) {
		m.body.Mappings = nil
		for one(rt, 5, "mapping") {
			m.body.Mappings = append(m.body.Mappings, h.drawMapping(rt))
		}
	}},
}

var drawVariation = rapid.IntRange(0, len(modelVariations)-1)

// vary returns a registration that differs from m in one respect.
func (h *modelHistory) vary(rt *rapid.T, m *modelMessage) *modelMessage {
	c := *m
	c.body.Mappings = append([]codec.TopicQueueMapping{}, m.body.Mappings...)
	modelVariations[drawVariation.Draw(rt, "variation")].apply(h, rt, &c)
	c.settle()
	return &c
}

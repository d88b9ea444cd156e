package routetable

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/pharosmq/pharos/codec"
)

func (w *world) cmdRules(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	w.rules = Rules{DeleteTopicWithBrokerRegistration: has(d, "delete"), NotifyMinBrokerIDChanged: has(d, "notify")}
	fmt.Fprintf(out, "delete=%v notify=%v\n", w.rules.DeleteTopicWithBrokerRegistration, w.rules.NotifyMinBrokerIDChanged)
}

func (w *world) cmdTick(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	w.now += number(t, d.CmdArgs[0].Key)
	fmt.Fprintf(out, "now %d\n", w.now)
}

// topicConfigs reads NAME[:queues[:perm[:flags]]] each.
func topicConfigs(t *testing.T, specs []string) []codec.TopicConfig {
	var topics []codec.TopicConfig
	for _, spec := range specs {
		p := strings.Split(spec, ":")
		c := codec.TopicConfig{Name: []byte(p[0]), Key: []byte(p[0]), ReadQueueNums: 4, WriteQueueNums: 4, Perm: 6}
		if p[0] == "null" {
			c.Name = nil
		}
		if len(p) > 1 {
			c.ReadQueueNums = int32(number(t, p[1]))
			c.WriteQueueNums = c.ReadQueueNums
		}
		if len(p) > 2 {
			c.Perm = permOf(p[2])
		}
		if len(p) > 3 {
			c.TopicSysFlag = int32(number(t, p[3]))
		}
		topics = append(topics, c)
	}
	return topics
}

func optional(d *datadriven.TestData, key string) codec.NullString {
	return codec.NullString{String: arg(d, key, ""), Valid: has(d, key)}
}

// registration reads a register command.
func (w *world) registration(t *testing.T, d *datadriven.TestData) *Registration {
	var state, stamp, counter int64
	if _, err := fmt.Sscanf(arg(d, "v", "0.1.1"), "%d.%d.%d", &state, &stamp, &counter); err != nil {
		d.Fatalf(t, "v: %v", err)
	}
	body := &codec.RegisterBody{
		DataVersion:        codec.DataVersion{StateVersion: state, Timestamp: stamp, Counter: counter},
		DataVersionStamped: has(d, "stamped"),
		Topics:             topicConfigs(t, list(d, "topics")),
		TopicTableMissing:  has(d, "no-table"),
		FilterServers:      list(d, "filters"),
		FilterServersNull:  !has(d, "filters"),
	}
	for _, m := range list(d, "mappings") { // TOPIC:bname:queues
		p := strings.Split(m, ":")
		info := codec.TopicQueueMappingInfo{
			Topic: codec.NullString{String: p[0], Valid: true}, Scope: codec.NullString{String: "__global__", Valid: true},
			BName: codec.NullString{String: p[1], Valid: p[1] != "null"}, TotalQueues: int32(number(t, p[2])),
			CurrIDMap: map[int32]int32{0: 0, 1: 1},
		}
		body.Mappings = append(body.Mappings, codec.TopicQueueMapping{Topic: p[0], Info: info})
	}
	r := &Registration{
		Broker: BrokerKey{arg(d, "cluster", "c1"), arg(d, "addr", "")}, Name: arg(d, "name", ""),
		ID: number(t, arg(d, "id", "0")), HAServerAddr: optional(d, "ha"), Zone: optional(d, "zone"),
		Body: body, Conn: ConnID(number(t, arg(d, "conn", "1"))), NowMillis: w.now,
	}
	if has(d, "timeout") {
		r.TimeoutSet, r.TimeoutMillis = true, number(t, arg(d, "timeout", ""))
	}
	if has(d, "acting") {
		r.ActingMaster = ActingMasterFalse
		if arg(d, "acting", "") == "true" {
			r.ActingMaster = ActingMasterTrue
		}
	}
	return r
}

// header is the registration as the event loop sees it.
func header(r *Registration) *RegistrationHeader {
	h := &RegistrationHeader{
		Version: codec.Version5_5_0, Cluster: []byte(r.Broker.Cluster), Addr: []byte(r.Broker.Addr), Name: []byte(r.Name),
		ID: r.ID, TimeoutMillis: r.TimeoutMillis, TimeoutSet: r.TimeoutSet, ActingMaster: r.ActingMaster,
	}
	if r.HAServerAddr.Valid {
		h.HAServerAddr = append([]byte{}, r.HAServerAddr.String...)
	}
	if r.Zone.Valid {
		h.Zone = append([]byte{}, r.Zone.String...)
	}
	return h
}

func (w *world) cmdRegister(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	r := w.registration(t, d)
	h := header(r)
	w.digester.Reset()
	w.digester.WriteHeader(h)
	fmt.Fprintf(w.digester, "%+v", *r.Body)
	r.Digest = w.digester.Sum()

	res, short := w.RenewUnchanged(h, r.Digest, r.Conn, w.now, w.rules)
	var effects []Effect
	if !short {
		effects = w.update(func(x *Txn) { res = x.RegisterBroker(r) })
	}
	out.WriteString([]string{"registered", "refused", "ignored"}[res.Status])
	if short {
		out.WriteString(" by digest")
	} else if res.Changed {
		out.WriteString(", changed")
	}
	if res.MasterAddr.Valid {
		fmt.Fprintf(out, ", master %s", res.MasterAddr.String)
	}
	if res.HAServerAddr.Valid {
		fmt.Fprintf(out, ", ha %s", res.HAServerAddr.String)
	}
	out.WriteByte('\n')
	if res.Status == Registered {
		w.bind(r.Conn, res.Binding)
	}
	w.effects(out, effects)
}

func (w *world) bind(conn ConnID, b Binding) {
	if w.bindings[conn] == nil {
		w.bindings[conn] = make(map[string]Binding)
	}
	w.bindings[conn][b.Name+" "+b.Broker.Cluster+" "+b.Broker.Addr] = b
}

func (w *world) key(d *datadriven.TestData) BrokerKey {
	return BrokerKey{arg(d, "cluster", "c1"), arg(d, "addr", "")}
}

func (w *world) cmdUnregister(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	req := UnregisterRequest{
		Broker: w.key(d), Name: arg(d, "name", ""), ID: number(t, arg(d, "id", "0")),
		Conn: ConnID(number(t, arg(d, "conn", "0"))),
	}
	var ok bool
	effects := w.update(func(x *Txn) { ok = x.UnregisterBroker(req) })
	fmt.Fprintf(out, "%s\n", verdict(ok, "done", "void"))
	w.effects(out, effects)
}

func verdict(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// cmdClose closes a connection: its bindings go in one transaction. With keep they stay,
// to be closed once more, late.
func (w *world) cmdClose(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	conn := ConnID(number(t, arg(d, "conn", "")))
	var names []string
	for name := range w.bindings[conn] {
		names = append(names, name)
	}
	slices.Sort(names)
	removed := 0
	effects := w.update(func(x *Txn) {
		removed = 0
		for _, name := range names {
			if x.RemoveBinding(w.bindings[conn][name], RemoveConnClosed) {
				removed++
			}
		}
	})
	fmt.Fprintf(out, "removed %d of %d\n", removed, len(names))
	w.effects(out, effects)
	delete(w.bindings, conn)
}

func (w *world) cmdHeartbeat(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	k := w.key(d)
	info, status := w.Heartbeat([]byte(k.Cluster), []byte(k.Addr), w.now)
	fmt.Fprintf(out, "%s", []string{"unknown", "renewed", "parked"}[status])
	if status != HeartbeatUnknown {
		fmt.Fprintf(out, ", conn %d", info.Conn)
	}
	out.WriteByte('\n')
}

func (w *world) cmdRebind(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	info, _ := w.Snapshot().Live(w.key(d))
	to := ConnID(number(t, arg(d, "conn", "")))
	b, ok := w.Rebind(info.Binding(), to)
	if ok {
		w.bind(to, b)
	}
	fmt.Fprintf(out, "%s\n", verdict(ok, "rebound", "void"))
}

func (w *world) cmdScan(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	expired := w.Snapshot().ScanNotActive(w.now)
	for _, e := range expired {
		fmt.Fprintf(out, "expired %s %d %s\n", e.Name, e.ID, e.Broker.Addr)
	}
	if has(d, "heard") { // between scan and removal
		k := w.key(d)
		w.Heartbeat([]byte(k.Cluster), []byte(k.Addr), w.now)
	}
	effects := w.update(func(x *Txn) {
		for _, e := range expired {
			x.ExpireBroker(e)
		}
	})
	w.effects(out, effects)
}

func (w *world) cmdPerm(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	n := 0
	w.update(func(x *Txn) {
		if d.Cmd == "wipe" {
			n = x.WipeWritePerm(arg(d, "name", ""))
		} else {
			n = x.AddWritePerm(arg(d, "name", ""))
		}
	})
	fmt.Fprintf(out, "%d topics\n", n)
}

func (w *world) cmdDeleteTopic(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	var ok bool
	w.update(func(x *Txn) { ok = x.DeleteTopic(arg(d, "topic", ""), arg(d, "cluster", "")) })
	fmt.Fprintf(out, "%s\n", verdict(ok, "done", "nothing"))
}

func (w *world) cmdRegisterTopic(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	var queues []codec.QueueData
	for _, c := range topicConfigs(t, list(d, "queues")) {
		queues = append(queues, codec.QueueData{
			BrokerName: string(c.Key), ReadQueueNums: c.ReadQueueNums, WriteQueueNums: c.WriteQueueNums, Perm: c.Perm, TopicSysFlag: c.TopicSysFlag,
		})
	}
	var ok bool
	w.update(func(x *Txn) { ok = x.RegisterTopic(arg(d, "topic", ""), queues) })
	fmt.Fprintf(out, "%s\n", verdict(ok, "done", "stopped"))
}

func (w *world) cmdState(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	k, generation := w.key(d), uint32(0)
	if has(d, "stale") {
		info, _ := w.Snapshot().Live(k)
		generation = info.Generation - 1
	}
	var ok bool
	effects := w.update(func(x *Txn) {
		switch d.Cmd {
		case "hold":
			ok = x.Hold(k, generation)
		case "park":
			ok = x.Park(k, generation)
		default:
			ok = x.Restore(k, generation, w.now)
		}
	})
	fmt.Fprintf(out, "%s\n", verdict(ok, "done", "void"))
	w.effects(out, effects)
}

func (w *world) cmdRoute(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	o := RouteOptions{SupportActingMaster: has(d, "acting"), OrderTopicConf: optional(d, "order")}
	if has(d, "standard") {
		o.Dialect = codec.DialectStandard
	}
	r, ok := w.Snapshot().Route([]byte(arg(d, "topic", "")))
	if !ok {
		out.WriteString("not found\n")
		return
	}
	body := r.AppendBody(nil, o)
	decoded := r.TopicRouteData(o)
	if want := codec.AppendTopicRouteData(nil, &decoded, o.Dialect); string(body) != string(want) {
		t.Errorf("%s: AppendBody and TopicRouteData differ:\n%s\n%s", d.Pos, body, want)
	}
	if n := r.BodyBytes(o); n < len(body) {
		t.Errorf("%s: BodyBytes %d, body has %d", d.Pos, n, len(body))
	}
	fmt.Fprintf(out, "%s\n", body)
}

func (w *world) cmdList(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	s := w.Snapshot()
	name := codec.NullString{String: arg(d, "name", ""), Valid: has(d, "name")}
	var b []byte
	switch what := d.CmdArgs[0].Key; what {
	case "clusters":
		b = s.AppendClusterInfo(nil)
	case "members":
		b = s.AppendMemberGroup(nil, optional(d, "cluster"), name)
	case "topics":
		b = s.AppendTopicList(nil)
	case "topics-of":
		b = s.AppendTopicsByCluster(nil, arg(d, "cluster", ""))
	case "system":
		b = s.AppendSystemTopicList(nil)
	case "unit":
		b = s.AppendUnitTopicList(nil, UnitTopics)
	case "unit-sub":
		b = s.AppendUnitTopicList(nil, UnitSubTopics)
	case "unit-sub-nonunit":
		b = s.AppendUnitTopicList(nil, UnitSubNonUnitTopics)
	default:
		d.Fatalf(t, "unknown list %q", what)
	}
	fmt.Fprintf(out, "%s\n", b)
}

func (w *world) cmdLive(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	i, ok := w.Snapshot().Live(w.key(d))
	if !ok {
		out.WriteString("unknown\n")
		return
	}
	v := i.DataVersion
	fmt.Fprintf(out, "%s %d %s v=%d.%d.%d seen=%d timeout=%d conn=%d\n", i.Name, i.ID,
		i.State, v.StateVersion, v.Timestamp, v.Counter, i.LastSeenMillis, i.TimeoutMillis, i.Conn)
}

func (w *world) cmdStats(t *testing.T, d *datadriven.TestData, out *strings.Builder) {
	s := w.Snapshot().Stats()
	fmt.Fprintf(out, "topics=%d groups=%d brokers=%d parked=%d clusters=%d shapes=%d mappings=%d\n",
		s.Topics, s.Groups, s.Brokers, s.Parked, s.Clusters, s.Shapes, s.Mappings)
}

package routetable

import (
	"bytes"

	"github.com/pharosmq/pharos/codec"
)

// Route is where a topic is served, as of one Snapshot. It is valid as long as that.
type Route struct {
	snap    *Snapshot
	shape   *shape
	mapping *topicMapping // nil: not a static topic
	// ready is the body in the variant how, if it is known already.
	ready *body
	how   variant
	// joinBytes is the guess of a body that is not kept: whether it could be is first asked of
	// the budget alone. 0: not known.
	joinBytes int64
	// real: the topic asks for the group as it is, never with an acting master.
	real bool
}

// RouteOptions choose the form of a route's body.
type RouteOptions struct {
	Dialect             codec.Dialect
	SupportActingMaster bool             // setting supportActingMaster
	OrderTopicConf      codec.NullString // of the KV table; absent is left out
}

// syncTopicPrefix starts the topics by which brokers of an acting-master group ask for
// their own members: they must see the real ids (Java:
// TopicValidator.SYNC_BROKER_MEMBER_GROUP_PREFIX).
var syncTopicPrefix = []byte("rmq_sys_SYNC_BROKER_MEMBER_")

// Route looks a topic up. It allocates nothing and does not keep topic. A topic whose
// groups are all parked is not found. Java: RouteInfoManager#pickupTopicRouteData.
func (s *Snapshot) Route(topic []byte) (Route, bool) {
	id := s.topics.shapeOf(topic)
	if id == 0 {
		return Route{}, false
	}
	sh := s.shapes.at(id)
	if !s.view.shows(sh.members) {
		return Route{}, false
	}
	r := Route{snap: s, shape: sh, real: bytes.HasPrefix(topic, syncTopicPrefix)}
	if m := s.mappings.find(topic); m.visible(s.view) {
		r.mapping = m
	}
	return r, true
}

// acting reports whether groups without a master may show an acting one.
func (r *Route) acting(o *RouteOptions) bool {
	return o.SupportActingMaster && !r.real && r.snap.view.acting > 0
}

// Encoded returns the whole body that AppendBody appends, if the table has it in one piece, or
// may keep it: so it is for almost all topics. Else nil. It is the table's: it never changes,
// and must not be changed.
func (r *Route) Encoded(o *RouteOptions) []byte {
	if r.mapping != nil || o.OrderTopicConf.Valid {
		return nil
	}
	if how := makeVariant(o.Dialect, r.acting(o)); r.ready == nil || r.how != how {
		r.ready, r.how = r.body(how), how
	}
	if r.ready == nil {
		return nil
	}
	return r.ready.json
}

// body returns the shape's body in a variant; nil: the caller joins it.
func (r *Route) body(how variant) *body {
	if r.joinBytes > 0 && !r.snap.budget.has(r.joinBytes) {
		return nil
	}
	return r.shape.body(r.snap.view, r.snap.budget, how)
}

// AppendBody appends the TopicRouteData as JSON.
func (r Route) AppendBody(dst []byte, o RouteOptions) []byte {
	v, how := r.snap.view, makeVariant(o.Dialect, r.acting(&o))
	b := r.ready
	if b == nil || r.how != how {
		b = r.body(how)
	}
	if b != nil {
		if !o.OrderTopicConf.Valid && r.mapping == nil {
			return append(dst, b.json...)
		}
		dst = append(dst, b.json[:b.cut]...)
	} else {
		dst = v.appendJoinedHead(dst, r.shape.members, how)
	}
	if o.OrderTopicConf.Valid {
		dst = append(dst, `,"orderTopicConf":`...)
		dst = codec.AppendJSONString(dst, o.OrderTopicConf.String, o.Dialect)
	}
	if b != nil {
		dst = append(dst, b.json[b.cut:len(b.json)-1]...)
	} else {
		dst = appendTail(dst, v, r.shape.members)
	}
	if r.mapping != nil {
		dst = r.mapping.appendTo(dst, v, o.Dialect)
	}
	return append(dst, '}')
}

// BodyBytes returns at least the size of what AppendBody appends, and not much more.
func (r Route) BodyBytes(o RouteOptions) int {
	n := len(`,"orderTopicConf":""}`)
	if o.OrderTopicConf.Valid {
		n += 6 * len(o.OrderTopicConf.String) // every byte escaped as \u00XX
	}
	if b := r.shape.body(r.snap.view, r.snap.budget, makeVariant(o.Dialect, r.acting(&o))); b != nil {
		n += len(b.json)
	} else {
		n += int(r.shape.bytesGuess(r.snap.view))
	}
	if r.mapping != nil {
		n += len(`,"topicQueueMappingByBroker":{}`)
		for i := range r.mapping.entries {
			n += len(r.mapping.entries[i].json[o.Dialect]) + 1
		}
	}
	return n
}

// TopicRouteData returns the route decoded, for callers off the fast path (zone filter,
// tools, tests). It belongs to the caller.
func (r Route) TopicRouteData(o RouteOptions) codec.TopicRouteData {
	v, acting := r.snap.view, r.acting(&o)
	d := codec.TopicRouteData{
		OrderTopicConf:    o.OrderTopicConf,
		QueueDatas:        []codec.QueueData{},
		BrokerDatas:       []codec.BrokerData{},
		FilterServerTable: map[string][]string{},
	}
	for i := range r.shape.members {
		m := &r.shape.members[i]
		g := v.groups[m.group]
		if g.visible == 0 {
			continue
		}
		perm := g.perm(m)
		d.QueueDatas = append(d.QueueDatas, codec.QueueData{
			BrokerName: g.name, ReadQueueNums: m.read, WriteQueueNums: m.write, Perm: perm, TopicSysFlag: m.sysFlag,
		})
		d.BrokerDatas = append(d.BrokerDatas, g.data(acting && g.acts(perm)))
		for _, f := range g.filters {
			if a := g.byAddr(f.addr); a != nil && !a.parked && d.FilterServerTable[f.addr] == nil {
				d.FilterServerTable[f.addr] = append([]string{}, f.servers...)
			}
		}
	}
	if r.mapping != nil {
		d.TopicQueueMappingByBroker = make(map[string]codec.TopicQueueMappingInfo, len(r.mapping.entries))
		for i := range r.mapping.entries {
			if e := &r.mapping.entries[i]; !e.hidden(v) {
				d.TopicQueueMappingByBroker[e.broker] = e.info
			}
		}
	}
	return d
}

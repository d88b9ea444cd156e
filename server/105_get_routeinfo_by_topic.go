package server

import (
	"unsafe"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

const (
	remarkNotReady      = "name server not ready"
	remarkNoRoute       = "No topic route info in name server for the topic: "
	remarkNoRouteAdvice = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
	javaNull            = "null"
)

// getRouteInfoByTopic answers GET_ROUTEINFO_BY_TOPIC (105), the request clients live on:
// who serves a topic. It allocates nothing, also when there is no such topic.
//
// Header: topic, acceptStandardJsonOnly, __ZONE_MODE and __ZONE_NAME (zone.go). The JSON
// is standard from version 401 on and for acceptStandardJsonOnly; older clients get bare
// integer keys.
//
// Java: ClientRequestProcessor#getRouteInfoByTopic.
func getRouteInfoByTopic(h *handlers, rq *Request) {
	live := h.config.Live()
	if live.NeedWaitForService && !h.readyForService(rq.NowMillis, live) {
		rq.Reply(codec.SystemError, remarkNotReady, nil)
		return
	}
	topic, named := rq.Cmd.Ext("topic")
	if !named {
		replyNoRoute(rq, []byte(javaNull))
		return
	}
	route, found := h.table.Snapshot().Route(topic)
	if !found {
		replyNoRoute(rq, topic)
		return
	}
	o := routetable.RouteOptions{Dialect: routeDialect(rq.Cmd), SupportActingMaster: live.SupportActingMaster}
	if live.OrderMessageEnable {
		o.OrderTopicConf.String, o.OrderTopicConf.Valid = h.kv.OrderTopicConf(topic)
	}
	if zone, asked := askedZone(rq.Cmd); asked {
		replyZoneRoute(rq, route, o, zone)
		return
	}
	if body := route.Encoded(&o); body != nil {
		rq.EndShared(rq.Begin(codec.Success, "", nil), body)
		return
	}
	rq.End(route.AppendBody(rq.Begin(codec.Success, "", nil), o))
}

// routeDialect is the JSON that the requester is sure to read.
func routeDialect(cmd *codec.Command) codec.Dialect {
	if cmd.Version >= codec.Version4_9_4 {
		return codec.DialectStandard
	}
	if standardOnly, _ := cmd.ExtBool("acceptStandardJsonOnly"); standardOnly {
		return codec.DialectStandard
	}
	return codec.DialectPlain
}

// replyNoRoute answers TOPIC_NOT_EXIST. Clients ask for topics that do not exist yet as
// often as for those that do, so the remark is put together on the stack.
func replyNoRoute(rq *Request, topic []byte) {
	if len(topic) > remarkTopicBytesMax {
		rq.Reply(codec.TopicNotExist, remarkNoRoute+string(topic)+remarkNoRouteAdvice, nil)
		return
	}
	var buf noRouteRemark
	rq.Reply(codec.TopicNotExist, buf.of(topic), nil) // which copies it
}

// remarkTopicBytesMax: the longest topic name a broker accepts is shorter.
const remarkTopicBytesMax = 255

// noRouteRemark is room for a remark of TOPIC_NOT_EXIST.
type noRouteRemark [len(remarkNoRoute) + remarkTopicBytesMax + len(remarkNoRouteAdvice)]byte

// of returns the remark for a topic of at most remarkTopicBytesMax bytes. The string lives
// in buf: whoever gets it must not keep it.
func (buf *noRouteRemark) of(topic []byte) string {
	remark := append(buf[:0], remarkNoRoute...)
	remark = append(remark, topic...)
	remark = append(remark, remarkNoRouteAdvice...)
	return unsafe.String(&remark[0], len(remark))
}

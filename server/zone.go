package server

import (
	"strings"
	"unicode"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

const (
	extZoneMode = "__ZONE_MODE"
	extZoneName = "__ZONE_NAME"
)

// askedZone returns the zone that a route request wants to be kept to.
//
// Java: ZoneRouteRPCHook#doAfterResponse.
func askedZone(cmd *codec.Command) (zone string, asked bool) {
	if mode, _ := cmd.ExtBool(extZoneMode); !mode {
		return "", false
	}
	zone = extString(cmd, extZoneName)
	return zone, strings.TrimFunc(zone, unicode.IsSpace) != ""
}

// replyZoneRoute answers with the route of one zone, in the JSON that the requester reads.
// Java falls back to bare integer keys here, whoever asks; every client that reads those
// reads the standard form too, and the other way round it is not so.
func replyZoneRoute(rq *Request, route routetable.Route, o routetable.RouteOptions, zone string) {
	rq.Weigh(zoneLookups + route.BodyBytes(o)/zoneBytesPerLookup)
	data := route.TopicRouteData(o)
	filterZone(&data, zone)
	rq.End(codec.AppendTopicRouteData(rq.Begin(codec.Success, "", nil), &data, o.Dialect))
}

// filterZone takes the broker groups of other zones out of a route, unless they have no
// master: consumers may then read from whatever slave is left. With a group go its queues
// and its filter servers.
//
// Java: ZoneRouteRPCHook#filterByZoneName.
func filterZone(r *codec.TopicRouteData, zone string) {
	removed := map[string]bool{}
	kept := r.BrokerDatas[:0]
	for _, b := range r.BrokerDatas {
		_, hasMaster := b.BrokerAddrs[codec.MasterID]
		if !hasMaster || b.ZoneName.Valid && strings.EqualFold(b.ZoneName.String, zone) {
			kept = append(kept, b)
			continue
		}
		removed[b.BrokerName] = true
		for _, addr := range b.BrokerAddrs {
			delete(r.FilterServerTable, addr)
		}
	}
	r.BrokerDatas = kept
	queues := r.QueueDatas[:0]
	for _, q := range r.QueueDatas {
		if !removed[q.BrokerName] {
			queues = append(queues, q)
		}
	}
	r.QueueDatas = queues
}

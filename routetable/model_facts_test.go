package routetable

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pharosmq/pharos/codec"
)

// Facts are a canonical text of what a body says, the same for the model's expectation and
// for a parsed body whatever the order in it. Strings are behind their lengths, so that
// different facts have different texts.

func appendStringFact(dst []byte, s string) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, ':')
	return append(dst, s...)
}

func appendNullFact(dst []byte, s codec.NullString) []byte {
	if !s.Valid {
		return append(dst, "null"...)
	}
	return appendStringFact(dst, s.String)
}

func appendIntFact(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(dst, n, 10), ' ')
}

func appendBoolFact(dst []byte, b bool) []byte { return append(strconv.AppendBool(dst, b), ' ') }

func appendQueueFacts(dst []byte, q *codec.QueueData) []byte {
	dst = appendStringFact(append(dst, '\n', 'q', ' '), q.BrokerName)
	for _, n := range [...]int32{q.ReadQueueNums, q.WriteQueueNums, q.Perm, q.TopicSysFlag} {
		dst = appendIntFact(append(dst, ' '), int64(n))
	}
	return dst
}

func appendAddrFacts(dst []byte, addrs map[int64]string) []byte {
	for _, id := range slices.Sorted(maps.Keys(addrs)) {
		dst = appendStringFact(appendIntFact(append(dst, ' '), id), addrs[id])
	}
	return dst
}

func appendGroupFacts(dst []byte, b *codec.BrokerData) []byte {
	dst = appendStringFact(append(dst, '\n', 'b', ' '), b.Cluster)
	dst = appendStringFact(append(dst, '/'), b.BrokerName)
	dst = appendNullFact(append(dst, " zone "...), b.ZoneName)
	dst = appendBoolFact(append(dst, " acting "...), b.EnableActingMaster)
	return appendAddrFacts(dst, b.BrokerAddrs)
}

func appendListFacts(dst []byte, kind byte, key string, list []string) []byte {
	dst = appendStringFact(append(dst, '\n', kind, ' '), key)
	for _, s := range list {
		dst = appendStringFact(append(dst, ' '), s)
	}
	return dst
}

func appendMappingFacts(dst []byte, broker string, i *codec.TopicQueueMappingInfo) []byte {
	dst = appendStringFact(append(dst, '\n', 'm', ' '), broker)
	for _, s := range [...]codec.NullString{i.Topic, i.Scope, i.BName} {
		dst = appendNullFact(append(dst, ' '), s)
	}
	dst = appendIntFact(appendIntFact(append(dst, ' '), int64(i.TotalQueues)), i.Epoch)
	dst = appendBoolFact(dst, i.Dirty)
	for _, id := range slices.Sorted(maps.Keys(i.CurrIDMap)) {
		dst = appendIntFact(appendIntFact(append(dst, '>'), int64(id)), int64(i.CurrIDMap[id]))
	}
	return appendBoolFact(dst, i.CurrIDMap == nil)
}

// appendRouteFacts needs the lists in the order of broker names.
func appendRouteFacts(dst []byte, d *codec.TopicRouteData) []byte {
	dst = appendNullFact(append(dst, "order "...), d.OrderTopicConf)
	for i := range d.QueueDatas {
		dst = appendQueueFacts(dst, &d.QueueDatas[i])
	}
	for i := range d.BrokerDatas {
		dst = appendGroupFacts(dst, &d.BrokerDatas[i])
	}
	for _, addr := range slices.Sorted(maps.Keys(d.FilterServerTable)) {
		dst = appendListFacts(dst, 'f', addr, d.FilterServerTable[addr])
	}
	if d.TopicQueueMappingByBroker != nil {
		dst = append(dst, "\nstatic"...)
	}
	for _, broker := range slices.Sorted(maps.Keys(d.TopicQueueMappingByBroker)) {
		e := d.TopicQueueMappingByBroker[broker]
		dst = appendMappingFacts(dst, broker, &e)
	}
	return dst
}

func appendClusterFacts(dst []byte, c *codec.ClusterInfo) []byte {
	for _, name := range slices.Sorted(maps.Keys(c.BrokerAddrTable)) {
		b := c.BrokerAddrTable[name]
		dst = appendGroupFacts(appendStringFact(append(dst, '\n'), name), &b)
	}
	for _, cluster := range slices.Sorted(maps.Keys(c.ClusterAddrTable)) {
		dst = appendListFacts(dst, 'c', cluster, slices.Sorted(slices.Values(c.ClusterAddrTable[cluster])))
	}
	return dst
}

func appendMemberFacts(dst []byte, g *codec.BrokerMemberGroup) []byte {
	dst = appendNullFact(append(dst, "group "...), g.Cluster)
	dst = appendNullFact(append(dst, '/'), g.BrokerName)
	return appendAddrFacts(dst, g.BrokerAddrs)
}

func appendTopicFacts(dst []byte, l *codec.TopicList) []byte {
	dst = appendNullFact(append(dst, "list "...), l.BrokerAddr)
	for _, topic := range slices.Sorted(slices.Values(l.Topics)) {
		dst = appendStringFact(append(dst, ' '), topic)
	}
	return dst
}

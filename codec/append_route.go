package codec

import (
	"cmp"
	"slices"
	"strconv"
)

// AppendBrokerData appends one broker group: {"brokerAddrs":{0:"ip:port"},...}. Broker ids
// are in numerical order, so that equal facts give equal bytes.
func AppendBrokerData(dst []byte, b *BrokerData, d Dialect) []byte {
	dst = append(dst, `{"brokerAddrs":`...)
	dst = appendBrokerAddrs(dst, b.BrokerAddrs, d)
	dst = append(dst, `,"brokerName":`...)
	dst = AppendJSONString(dst, b.BrokerName, d)
	dst = append(dst, `,"cluster":`...)
	dst = AppendJSONString(dst, b.Cluster, d)
	dst = append(dst, `,"enableActingMaster":`...)
	dst = strconv.AppendBool(dst, b.EnableActingMaster)
	if b.ZoneName.Valid {
		dst = append(dst, `,"zoneName":`...)
		dst = AppendJSONString(dst, b.ZoneName.String, d)
	}
	return append(dst, '}')
}

// AppendQueueData appends one QueueData. It has no integer keys: both dialects are alike.
func AppendQueueData(dst []byte, q *QueueData) []byte {
	dst = append(dst, `{"brokerName":`...)
	dst = AppendJSONString(dst, q.BrokerName, DialectPlain)
	dst = append(dst, `,"perm":`...)
	dst = strconv.AppendInt(dst, int64(q.Perm), 10)
	dst = append(dst, `,"readQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(q.ReadQueueNums), 10)
	dst = append(dst, `,"topicSysFlag":`...)
	dst = strconv.AppendInt(dst, int64(q.TopicSysFlag), 10)
	dst = append(dst, `,"writeQueueNums":`...)
	dst = strconv.AppendInt(dst, int64(q.WriteQueueNums), 10)
	return append(dst, '}')
}

// AppendTopicQueueMappingInfo appends one broker's share of a static topic.
func AppendTopicQueueMappingInfo(dst []byte, m *TopicQueueMappingInfo, d Dialect) []byte {
	dst = append(dst, '{')
	if m.BName.Valid {
		dst = append(dst, `"bname":`...)
		dst = AppendJSONString(dst, m.BName.String, d)
		dst = append(dst, ',')
	}
	if m.CurrIDMap != nil {
		dst = append(dst, `"currIdMap":`...)
		dst = appendCurrIDMap(dst, m.CurrIDMap, d)
		dst = append(dst, ',')
	}
	dst = append(dst, `"dirty":`...)
	dst = strconv.AppendBool(dst, m.Dirty)
	dst = append(dst, `,"epoch":`...)
	dst = appendInt64(dst, m.Epoch, d)
	if m.Scope.Valid {
		dst = append(dst, `,"scope":`...)
		dst = AppendJSONString(dst, m.Scope.String, d)
	}
	if m.Topic.Valid {
		dst = append(dst, `,"topic":`...)
		dst = AppendJSONString(dst, m.Topic.String, d)
	}
	dst = append(dst, `,"totalQueues":`...)
	dst = strconv.AppendInt(dst, int64(m.TotalQueues), 10)
	return append(dst, '}')
}

// AppendTopicRouteData appends the body of a 105 reply. It is the slow, whole form, for
// clients, tools and tests; the route table joins fragments instead. Data that the caller
// keeps in order (QueueDatas, BrokerDatas) is written in that order, maps sorted.
func AppendTopicRouteData(dst []byte, r *TopicRouteData, d Dialect) []byte {
	dst = append(dst, `{"brokerDatas":[`...)
	for i := range r.BrokerDatas {
		dst = appendComma(dst, i)
		dst = AppendBrokerData(dst, &r.BrokerDatas[i], d)
	}
	dst = append(dst, `],"filterServerTable":`...)
	dst = appendStringLists(dst, r.FilterServerTable)
	if r.OrderTopicConf.Valid {
		dst = append(dst, `,"orderTopicConf":`...)
		dst = AppendJSONString(dst, r.OrderTopicConf.String, d)
	}
	dst = append(dst, `,"queueDatas":[`...)
	for i := range r.QueueDatas {
		dst = appendComma(dst, i)
		dst = AppendQueueData(dst, &r.QueueDatas[i])
	}
	dst = append(dst, ']')
	if r.TopicQueueMappingByBroker != nil {
		dst = append(dst, `,"topicQueueMappingByBroker":{`...)
		for i, k := range sortedKeys(nil, r.TopicQueueMappingByBroker) {
			dst = appendComma(dst, i)
			dst = AppendJSONString(dst, k, d)
			dst = append(dst, ':')
			m := r.TopicQueueMappingByBroker[k]
			dst = AppendTopicQueueMappingInfo(dst, &m, d)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// AppendClusterInfo appends the body of a 106 reply, always in DialectPlain.
func AppendClusterInfo(dst []byte, c *ClusterInfo) []byte {
	dst = append(dst, `{"brokerAddrTable":{`...)
	for i, k := range sortedKeys(nil, c.BrokerAddrTable) {
		dst = appendComma(dst, i)
		dst = AppendJSONString(dst, k, DialectPlain)
		dst = append(dst, ':')
		b := c.BrokerAddrTable[k]
		dst = AppendBrokerData(dst, &b, DialectPlain)
	}
	dst = append(dst, `},"clusterAddrTable":`...)
	dst = appendStringLists(dst, c.ClusterAddrTable)
	return append(dst, '}')
}

// AppendBrokerMemberGroup appends the body of a 901 reply, always in DialectPlain, with
// the envelope that it has there (Java: GetBrokerMemberGroupResponseBody).
func AppendBrokerMemberGroup(dst []byte, g *BrokerMemberGroup) []byte {
	dst = append(dst, `{"brokerMemberGroup":{"brokerAddrs":`...)
	dst = appendBrokerAddrs(dst, g.BrokerAddrs, DialectPlain)
	if g.BrokerName.Valid {
		dst = append(dst, `,"brokerName":`...)
		dst = AppendJSONString(dst, g.BrokerName.String, DialectPlain)
	}
	if g.Cluster.Valid {
		dst = append(dst, `,"cluster":`...)
		dst = AppendJSONString(dst, g.Cluster.String, DialectPlain)
	}
	return append(dst, '}', '}')
}

// AppendDataVersion appends a DataVersion: the body of 322 and of its reply.
func AppendDataVersion(dst []byte, v DataVersion) []byte {
	dst = append(dst, '{')
	if !v.CounterNull {
		dst = append(dst, `"counter":`...)
		dst = strconv.AppendInt(dst, v.Counter, 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"stateVersion":`...)
	dst = strconv.AppendInt(dst, v.StateVersion, 10)
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, v.Timestamp, 10)
	return append(dst, '}')
}

// appendBrokerAddrs appends a map of broker id to address; nil gives {}.
func appendBrokerAddrs(dst []byte, addrs map[int64]string, d Dialect) []byte {
	dst = append(dst, '{')
	var few [16]int64 // a group has a handful of members: no allocation for those
	for i, id := range sortedKeys(few[:0], addrs) {
		dst = appendComma(dst, i)
		dst = appendIntKey(dst, id, d)
		dst = AppendJSONString(dst, addrs[id], d)
	}
	return append(dst, '}')
}

func appendCurrIDMap(dst []byte, ids map[int32]int32, d Dialect) []byte {
	dst = append(dst, '{')
	var few [16]int32
	for i, id := range sortedKeys(few[:0], ids) {
		dst = appendComma(dst, i)
		dst = appendIntKey(dst, int64(id), d)
		dst = strconv.AppendInt(dst, int64(ids[id]), 10)
	}
	return append(dst, '}')
}

// appendStringLists appends a map of lists of strings: {"k":["a","b"]}. The lists keep
// their order.
func appendStringLists(dst []byte, m map[string][]string) []byte {
	dst = append(dst, '{')
	for i, k := range sortedKeys(nil, m) {
		dst = appendComma(dst, i)
		dst = AppendJSONString(dst, k, DialectPlain)
		dst = append(dst, ':')
		dst = AppendStrings(dst, m[k])
	}
	return append(dst, '}')
}

// AppendStrings appends a list of strings in its order: ["a",null]; null for NullElement.
func AppendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		dst = appendComma(dst, i)
		if s == NullElement {
			dst = append(dst, "null"...)
			continue
		}
		dst = AppendJSONString(dst, s, DialectPlain)
	}
	return append(dst, ']')
}

// appendComma appends the comma before the i-th element, i counting from 0.
func appendComma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

// sortedKeys appends the keys of m to buf and sorts them all. Java leaves maps in hash
// order; ours are sorted so that equal facts give equal bytes.
func sortedKeys[K cmp.Ordered, V any](buf []K, m map[K]V) []K {
	for k := range m {
		buf = append(buf, k)
	}
	slices.Sort(buf)
	return buf
}

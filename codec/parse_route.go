package codec

// topicQueueMappingScope is what a mapping's scope is when it says none (Java:
// MixAll.METADATA_SCOPE_GLOBAL).
const topicQueueMappingScope = "__global__"

// ParseTopicRouteData reads the body of a 105 reply or of 217, in either dialect. No body
// and null give the zero value. lim may be nil for the default limits. Nothing of the
// result points into body.
func ParseTopicRouteData(body []byte, lim *Limits) (TopicRouteData, error) {
	s := newBodyScanner(body, lim)
	if lim != nil {
		s.brokersMax, s.entriesMax = lim.RouteBrokersMax, lim.RouteEntriesMax
	}
	r := TopicRouteData{}
	if len(body) > 0 && !s.null() {
		s.openObject("TopicRouteData")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			s.routeField(&r, key)
		}
	}
	s.endBody(body)
	return r, s.err
}

func (s *bodyScanner) routeField(r *TopicRouteData, key []byte) {
	switch string(key) {
	case "orderTopicConf":
		r.OrderTopicConf = s.nullString()
	case "queueDatas":
		r.QueueDatas = nil
		s.list("queueDatas", func() {
			if s.fitsBrokers(len(r.QueueDatas)+1, "queueDatas") {
				r.QueueDatas = append(r.QueueDatas, s.queueData())
			}
		})
	case "brokerDatas":
		r.BrokerDatas = nil
		s.list("brokerDatas", func() {
			if s.fitsBrokers(len(r.BrokerDatas)+1, "brokerDatas") {
				r.BrokerDatas = append(r.BrokerDatas, s.brokerData())
			}
		})
	case "filterServerTable":
		r.FilterServerTable = s.stringLists("filterServerTable")
	case "topicQueueMappingByBroker":
		r.TopicQueueMappingByBroker = s.mappingByBroker()
	default:
		s.skip()
	}
}

func (s *bodyScanner) mappingByBroker() map[string]TopicQueueMappingInfo {
	if s.null() {
		return nil
	}
	m := map[string]TopicQueueMappingInfo{}
	const what = "topicQueueMappingByBroker"
	s.entries(what, true, func(key string) {
		if s.fitsBrokers(len(m)+1, what) {
			m[key] = s.mappingInfo()
		}
	})
	return m
}

// ParseClusterInfo reads the body of a 106 reply, in either dialect. No body and null give
// the zero value. lim may be nil for the default limits.
func ParseClusterInfo(body []byte, lim *Limits) (ClusterInfo, error) {
	s := newBodyScanner(body, lim)
	c := ClusterInfo{}
	if len(body) > 0 && !s.null() {
		s.openObject("ClusterInfo")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			switch string(key) {
			case "brokerAddrTable":
				c.BrokerAddrTable = map[string]BrokerData{}
				s.entries("brokerAddrTable", true, func(name string) { c.BrokerAddrTable[name] = s.brokerData() })
			case "clusterAddrTable":
				c.ClusterAddrTable = s.stringLists("clusterAddrTable")
			default:
				s.skip()
			}
		}
	}
	s.endBody(body)
	return c, s.err
}

// ParseBrokerMemberGroup reads the body of a 901 reply, in either dialect: the group is
// what its property brokerMemberGroup holds. lim may be nil for the default limits.
func ParseBrokerMemberGroup(body []byte, lim *Limits) (BrokerMemberGroup, error) {
	s := newBodyScanner(body, lim)
	g := BrokerMemberGroup{}
	if len(body) > 0 && !s.null() {
		s.openObject("GetBrokerMemberGroupResponseBody")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			if string(key) != "brokerMemberGroup" {
				s.skip()
				continue
			}
			if g = (BrokerMemberGroup{}); !s.null() {
				s.memberGroup(&g)
			}
		}
	}
	s.endBody(body)
	return g, s.err
}

func (s *bodyScanner) memberGroup(g *BrokerMemberGroup) {
	s.openObject("brokerMemberGroup")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "brokerAddrs":
			g.BrokerAddrs = s.brokerAddrs()
		case "brokerName":
			g.BrokerName = s.nullString()
		case "cluster":
			g.Cluster = s.nullString()
		default:
			s.skip()
		}
	}
}

// ParseDataVersion reads the body of 322 or of its reply. ok is false without a body and
// for null: there is no version, which equals none. A body without a timestamp is of
// nowMillis, as in Java.
func ParseDataVersion(body []byte, nowMillis int64) (v DataVersion, ok bool, err error) {
	s := newBodyScanner(body, nil)
	if ok = len(body) > 0 && !s.null(); ok {
		v, _ = s.dataVersion(nowMillis)
	}
	s.endBody(body)
	return v, ok && s.err == nil, s.err
}

// dataVersion reads a DataVersion; stamped says that its timestamp is nowMillis for want
// of one. An explicit null is 0, not now.
func (s *bodyScanner) dataVersion(nowMillis int64) (v DataVersion, stamped bool) {
	v, stamped = DataVersion{Timestamp: nowMillis}, true
	s.openObject("DataVersion")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "counter":
			if v.CounterNull = s.isNull(); v.CounterNull {
				s.readNull()
				v.Counter = 0
			} else {
				v.Counter = s.int64()
			}
		case "stateVersion":
			v.StateVersion = s.int64()
		case "timestamp":
			v.Timestamp, stamped = s.int64(), false
		default:
			s.skip()
		}
	}
	return v, stamped
}

func (s *bodyScanner) queueData() QueueData {
	q := QueueData{}
	s.openObject("QueueData")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "brokerName":
			q.BrokerName = s.string()
		case "perm":
			q.Perm = s.int32()
		case "readQueueNums":
			q.ReadQueueNums = s.int32()
		case "topicSysFlag":
			q.TopicSysFlag = s.int32()
		case "writeQueueNums":
			q.WriteQueueNums = s.int32()
		default:
			s.skip()
		}
	}
	return q
}

func (s *bodyScanner) brokerData() BrokerData {
	b := BrokerData{}
	s.openObject("BrokerData")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "brokerAddrs":
			b.BrokerAddrs = s.brokerAddrs()
		case "brokerName":
			b.BrokerName = s.string()
		case "cluster":
			b.Cluster = s.string()
		case "enableActingMaster":
			b.EnableActingMaster = s.bool()
		case "zoneName":
			b.ZoneName = s.nullString()
		default:
			s.skip()
		}
	}
	return b
}

// brokerAddrs reads a map of broker id to address; addresses that are null are left out.
func (s *bodyScanner) brokerAddrs() map[int64]string {
	if s.null() {
		return nil
	}
	m := map[int64]string{}
	s.noReference()
	s.openMap("brokerAddrs")
	for s.nextInt() && s.fits(len(m)+1, "brokerAddrs") {
		null := s.null()
		id := int64(0)
		if !null {
			id = s.int64()
		}
		s.optionalColon()
		s.noReference()
		if addr, ok := s.text(); ok && !null {
			m[id] = string(addr)
		}
	}
	return m
}

// nextInt says whether another entry of a map with integer keys follows, and stands at its
// key, which is read as any integer is.
func (s *bodyScanner) nextInt() bool {
	s.pause(s.i)
	if s.close('}') {
		s.nextComma()
		return false
	}
	if s.peek() == endOfInput {
		s.depth--
		return false
	}
	return s.err == nil
}

// optionalColon moves over the colon behind such a key, which may be missing.
func (s *bodyScanner) optionalColon() {
	i := s.i
	if s.blanks(); s.peek() == ':' {
		s.next()
	} else if s.err == nil {
		s.i = i
	}
}

// mappingInfo reads a TopicQueueMappingInfo, with Java's defaults for what is absent.
func (s *bodyScanner) mappingInfo() TopicQueueMappingInfo {
	return s.mapping(nil)
}

// mapping reads a TopicQueueMappingInfo, or, if it may have hosted queues, a
// TopicQueueMappingDetail; hosted reads those.
func (s *bodyScanner) mapping(hosted func()) TopicQueueMappingInfo {
	m := TopicQueueMappingInfo{
		Scope:     NullString{String: topicQueueMappingScope, Valid: true},
		CurrIDMap: map[int32]int32{},
	}
	s.openObject("TopicQueueMappingInfo")
	for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
		switch string(key) {
		case "bname":
			m.BName = s.nullString()
		case "currIdMap":
			m.CurrIDMap = s.currIDMap()
		case "dirty":
			m.Dirty = s.bool()
		case "epoch":
			m.Epoch = s.int64()
		case "scope":
			m.Scope = s.nullString()
		case "topic":
			m.Topic = s.nullString()
		case "totalQueues":
			m.TotalQueues = s.int32()
		case "hostedQueues":
			if hosted == nil {
				s.skip()
			} else {
				hosted()
			}
		default:
			s.skip()
		}
	}
	return m
}

// currIDMap reads a map of ints. A null in it is an error, as in Java.
func (s *bodyScanner) currIDMap() map[int32]int32 {
	if s.null() {
		return nil
	}
	m := map[int32]int32{}
	s.noReference()
	s.openMap("currIdMap")
	for s.nextInt() && s.fits(len(m)+1, "currIdMap") {
		offset := s.i
		nullKey := s.isNull() || s.null()
		id := int32(0)
		if !nullKey {
			id = s.int32()
		}
		s.optionalColon()
		if s.noReference(); nullKey || s.null() {
			s.fail(offset, "null in currIdMap")
			break
		}
		m[id] = s.int32()
	}
	return m
}

package routetable

import "strings"

// brokersOwn reports whether a topic is one that a broker has by itself (Java:
// TopicValidator's system topics, TopicConfigManager#init), or that only its consumers and
// itself use: retries and dead letters. Producers choose among the brokers of no such topic.
func brokersOwn(topic string, g *group) bool {
	switch topic {
	case g.name, g.cluster, g.cluster + "_REPLY_TOPIC", "TBW102", "SELF_TEST_TOPIC", "BenchmarkTest", "OFFSET_MOVED_EVENT",
		"SCHEDULE_TOPIC_XXXX", "TRANS_CHECK_MAX_TIME_TOPIC":
		return true
	}
	for _, prefix := range [...]string{"rmq_sys_", "RMQ_SYS_", "%RETRY%", "%DLQ%"} {
		if strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}

// ActingGroup reports whether the brokers called name let a slave act as master.
func (s *Snapshot) ActingGroup(name string) bool {
	g := s.view.named(name)
	return g != nil && g.acting
}

// LastOfTopic reports whether hiding a registration would leave a topic that clients use
// without any visible broker (brokersOwn don't count).
//
// It looks at shapes; at topics, 4 bytes each, only if one shape has no other visible
// broker. That takes a millisecond or two with a million topics: not for event loops.
func (s *Snapshot) LastOfTopic(key RegistrationKey) bool {
	l := s.view.registration(key)
	if l == nil {
		return false
	}
	g := s.view.groups[l.group]
	if member := g.byAddr(key.Broker.Addr); g.visible > 1 || member.parked {
		return false // others of its group are there, or it is hidden already
	}
	alone := map[uint32]bool{}
	for id := range uint32(s.shapes.len()) {
		if shape := s.shapes.at(id); shape != nil && s.view.onlyShownBy(shape.members, l.group) {
			alone[id] = true
		}
	}
	if len(alone) == 0 {
		return false
	}
	last := false
	s.topics.each(func(name []byte, shape uint32) bool {
		last = alone[shape] && !brokersOwn(string(name), g)
		return !last
	})
	return last
}

// onlyShownBy reports whether the group is the only one of these with a visible broker.
func (v *groupView) onlyShownBy(members []member, group uint32) bool {
	found := false
	for i := range members {
		switch {
		case members[i].group == group:
			found = true
		case v.groups[members[i].group].visible > 0:
			return false
		}
	}
	return found
}

package routetable

import (
	"slices"
	"unsafe"

	"github.com/pharosmq/pharos/codec"
)

// appendTopics appends {"topicList":[...]} of the topics whose shape keep accepts. keep is
// asked once per shape, not per topic; nil accepts all.
func (s *Snapshot) appendTopics(dst []byte, keep func(members []member) bool) []byte {
	const unknown, yes, no = 0, 1, 2
	var verdicts []uint8
	if keep != nil {
		verdicts = make([]uint8, s.shapes.len())
	}
	dst = append(dst, `{"topicList":[`...)
	first := len(dst)
	s.topics.each(func(name []byte, id uint32) bool {
		if keep != nil {
			if verdicts[id] == unknown {
				verdicts[id] = no
				if keep(s.shapes.at(id).members) {
					verdicts[id] = yes
				}
			}
			if verdicts[id] == no {
				return true
			}
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		// Names never change, so the string may share their memory.
		dst = codec.AppendJSONString(dst, unsafe.String(unsafe.SliceData(name), len(name)), codec.DialectPlain)
		return true
	})
	return append(dst, ']', '}')
}

// AppendTopicList appends the body of a 206 reply: all topics, in no stated order. Java:
// RouteInfoManager#getAllTopicList.
func (s *Snapshot) AppendTopicList(dst []byte) []byte {
	if list := s.EncodedTopicList(); list != nil {
		return append(dst, list...)
	}
	if s.view.hidden == 0 {
		return s.appendTopics(dst, nil)
	}
	return s.appendTopics(dst, s.view.shows)
}

// AppendTopicsByCluster appends the body of a 224 reply: the topics of all groups listed
// in the cluster, each once. Java: RouteInfoManager#getTopicsByCluster.
func (s *Snapshot) AppendTopicsByCluster(dst []byte, cluster string) []byte {
	v := s.view
	in := make([]bool, len(v.groups))
	for _, name := range v.clusters[cluster] {
		g := v.named(name)
		in[g.index] = g.visible > 0
	}
	return s.appendTopics(dst, func(members []member) bool {
		return slices.ContainsFunc(members, func(m member) bool { return in[m.group] })
	})
}

// UnitKind selects a unit topic list.
type UnitKind uint8

// The unit topic lists.
const (
	UnitTopics           UnitKind = iota // 311: unit flag set
	UnitSubTopics                        // 312: unit subscription flag set
	UnitSubNonUnitTopics                 // 313: unit subscription flag set, unit flag clear
)

// AppendUnitTopicList appends the body of a 311, 312 or 313 reply. Only the flags of the
// topic's first visible group (by name) count: Java looks at one group, whichever its hash
// map yields first. Java: RouteInfoManager#getUnitTopics and its siblings.
func (s *Snapshot) AppendUnitTopicList(dst []byte, kind UnitKind) []byte {
	return s.appendTopics(dst, func(members []member) bool {
		i := slices.IndexFunc(members, func(m member) bool { return s.view.groups[m.group].visible > 0 })
		if i < 0 {
			return false
		}
		unit := members[i].sysFlag&codec.TopicSysFlagUnit != 0
		sub := members[i].sysFlag&codec.TopicSysFlagUnitSub != 0
		switch kind {
		case UnitTopics:
			return unit
		case UnitSubTopics:
			return sub
		default:
			return sub && !unit
		}
	})
}

// AppendSystemTopicList appends the body of a 304 reply: the names of all clusters and
// groups, and one broker's address (the smallest id of the first group). Java:
// RouteInfoManager#getSystemTopicList.
func (s *Snapshot) AppendSystemTopicList(dst []byte) []byte {
	var names []string
	for cluster := range s.view.clusters {
		if len(s.view.visibleIn(cluster)) > 0 {
			names = append(names, cluster)
		}
	}
	var addr codec.NullString
	for _, g := range s.view.sorted() {
		a := g.visibleMin()
		if a == nil {
			continue
		}
		names = append(names, g.name)
		if !addr.Valid {
			addr = codec.NullString{String: a.addr, Valid: true}
		}
	}
	slices.Sort(names)
	return codec.AppendSystemTopicList(dst, addr, slices.Compact(names))
}

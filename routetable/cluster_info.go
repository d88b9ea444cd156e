package routetable

import "github.com/pharosmq/pharos/codec"

// AppendClusterInfo appends the body of a 106 reply: all groups and clusters, real broker
// ids, always in DialectPlain. Every broker asks for it every few seconds, so it is
// encoded once per change of a group. Java: RouteInfoManager#getAllClusterInfo.
func (s *Snapshot) AppendClusterInfo(dst []byte) []byte {
	if b := s.EncodedClusterInfo(); b != nil {
		return append(dst, b...)
	}
	info := s.ClusterInfo()
	b := codec.AppendClusterInfo(nil, &info)
	s.view.clusterInfo.Store(&b)
	return append(dst, b...)
}

// EncodedClusterInfo returns the body that AppendClusterInfo appends, if the table has it; else
// nil. It is the table's: it never changes, and must not be changed.
func (s *Snapshot) EncodedClusterInfo() []byte {
	if b := s.view.clusterInfo.Load(); b != nil {
		return *b
	}
	return nil
}

// ClusterInfo returns what AppendClusterInfo writes, decoded. It belongs to the caller.
func (s *Snapshot) ClusterInfo() codec.ClusterInfo {
	info := codec.ClusterInfo{
		BrokerAddrTable:  make(map[string]codec.BrokerData, len(s.view.byName)),
		ClusterAddrTable: make(map[string][]string, len(s.view.clusters)),
	}
	for _, i := range s.view.byName {
		if g := s.view.groups[i]; g.visible > 0 {
			info.BrokerAddrTable[g.name] = g.data(false)
		}
	}
	for cluster := range s.view.clusters {
		if names := s.view.visibleIn(cluster); len(names) > 0 {
			info.ClusterAddrTable[cluster] = names
		}
	}
	return info
}

// visibleIn returns the sorted names of the cluster's groups that are not hidden. It
// belongs to the caller.
func (v *groupView) visibleIn(cluster string) []string {
	list := v.clusters[cluster]
	names := make([]string, 0, len(list))
	for _, name := range list {
		if v.named(name).visible > 0 {
			names = append(names, name)
		}
	}
	return names
}

// AppendMemberGroup appends the body of a 901 reply: the addresses of the named group
// (none when it is unknown), with both arguments echoed. The cluster is not compared, as
// in Java: RouteInfoManager#getBrokerMemberGroup.
func (s *Snapshot) AppendMemberGroup(dst []byte, cluster, name codec.NullString) []byte {
	m := codec.BrokerMemberGroup{Cluster: cluster, BrokerName: name}
	if g := s.view.named(name.String); g != nil && name.Valid {
		m.BrokerAddrs = g.shownAddrs(false)
	}
	return codec.AppendBrokerMemberGroup(dst, &m)
}

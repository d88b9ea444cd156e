package routetable

import (
	"iter"

	"github.com/pharosmq/pharos/codec"
)

// Snapshot is an immutable state of the table. Its methods never block; those named
// Append write to the end of dst, allocate nothing but dst's growth, and return it.
type Snapshot struct{}

// Stats are the sizes of a Snapshot.
type Stats struct {
	Topics      int   // topics with at least one broker group, parked ones included
	Groups      int   // broker groups, parked ones included
	Brokers     int   // registrations, parked ones included
	Parked      int   // registrations hidden from routes
	Clusters    int   // clusters with at least one group
	Shapes      int   // different lists of (group, queues, permissions)
	Mappings    int   // topics with a static mapping
	NameBytes   int64 // memory of topic names, dead ones included
	BodyBytes   int64 // memory of encoded bodies kept now (of the table, not of this Snapshot)
	Publication uint64
}

// Stats returns the sizes of the snapshot.
func (s *Snapshot) Stats() Stats { return Stats{} }

// Route is where a topic is served, as of one Snapshot. It is valid as long as that.
type Route struct{}

// RouteOptions choose the form of a route's body.
type RouteOptions struct {
	Dialect             codec.Dialect
	SupportActingMaster bool             // setting supportActingMaster
	OrderTopicConf      codec.NullString // of the KV table; absent is left out
}

// Route looks a topic up. It allocates nothing and does not keep topic longer than the
// Route. A topic whose groups are all parked is not found. Java:
// RouteInfoManager#pickupTopicRouteData.
func (s *Snapshot) Route(topic []byte) (Route, bool) { return Route{}, false }

// AppendBody appends the TopicRouteData as JSON.
func (r Route) AppendBody(dst []byte, o RouteOptions) []byte { return dst }

// BodyBytes returns the size of what AppendBody appends, or a close upper estimate.
func (r Route) BodyBytes(o RouteOptions) int { return 0 }

// TopicRouteData returns the route decoded, for callers off the fast path (zone filter,
// tools, tests). It belongs to the caller.
func (r Route) TopicRouteData(o RouteOptions) codec.TopicRouteData { return codec.TopicRouteData{} }

// AppendClusterInfo appends the body of a 106 reply: all groups and clusters, real broker
// ids, always in DialectPlain. Java: RouteInfoManager#getAllClusterInfo.
func (s *Snapshot) AppendClusterInfo(dst []byte) []byte { return dst }

// AppendMemberGroup appends the body of a 901 reply: the addresses of the named group
// (none when it is unknown), with both arguments echoed. Java:
// RouteInfoManager#getBrokerMemberGroup.
func (s *Snapshot) AppendMemberGroup(dst []byte, cluster, name codec.NullString) []byte { return dst }

// AppendTopicList appends the body of a 206 reply: all topics, in no stated order. Java:
// RouteInfoManager#getAllTopicList.
func (s *Snapshot) AppendTopicList(dst []byte) []byte { return dst }

// AppendTopicsByCluster appends the body of a 224 reply: the topics of all groups listed
// in the cluster, each once. Java: RouteInfoManager#getTopicsByCluster.
func (s *Snapshot) AppendTopicsByCluster(dst []byte, cluster string) []byte { return dst }

// AppendSystemTopicList appends the body of a 304 reply: the names of all clusters and
// groups, and one broker's address. Java: RouteInfoManager#getSystemTopicList.
func (s *Snapshot) AppendSystemTopicList(dst []byte) []byte { return dst }

// UnitKind selects a unit topic list.
type UnitKind uint8

// The unit topic lists.
const (
	UnitTopics           UnitKind = iota // 311: unit flag set
	UnitSubTopics                        // 312: unit subscription flag set
	UnitSubNonUnitTopics                 // 313: unit subscription flag set, unit flag clear
)

// AppendUnitTopicList appends the body of a 311, 312 or 313 reply. Only the flags of the
// topic's first visible group (by name) count: Java looks at one arbitrary group. Java:
// RouteInfoManager#getUnitTopics and its siblings.
func (s *Snapshot) AppendUnitTopicList(dst []byte, kind UnitKind) []byte { return dst }

// Topics yields the names of all visible topics, in no stated order.
func (s *Snapshot) Topics() iter.Seq[string] { return func(func(string) bool) {} }

// ClusterInfo returns what AppendClusterInfo writes, decoded. It belongs to the caller.
func (s *Snapshot) ClusterInfo() codec.ClusterInfo { return codec.ClusterInfo{} }

// Package routetable holds every rule of Java's RouteInfoManager: which broker serves
// which topic, at which addresses, with which permissions. It is pure: no clock, socket,
// logger, goroutine or metric. Time comes in as an argument; what must be done to the
// outside world comes out as effects, which the caller performs after publication.
//
// Readers take the current Snapshot with one atomic load and never wait. One writer at a
// time builds the next Snapshot through a Txn that copies only what it touches. The only
// things reachable from a Snapshot that ever change are a registration's liveness (leaf,
// connection, timeout, remembered digests) and bytes that are encoded on first use.
//
// # Where to look
//
//	table.go snapshot.go route.go lists.go cluster_info.go   what readers call
//	live.go heartbeat.go remembered.go digest.go             what event loops do to liveness
//	commit.go txn.go                                         group commit, one transaction
//	register.go register_join.go unregister.go states.go     the rules for brokers
//	perm.go topic_delete.go topic_register.go                the rules for topics
//	bulk.go compact.go writer.go                             over all topics; the writer's indexes
//	dict.go topics.go txn_topics.go                          topic names, and topic -> shape
//	shape.go intern.go body.go                               shapes and their encoded bodies
//	group.go group_view.go txn_groups.go filters.go          broker groups
//	leaf.go broker_live.go live_table.go                     registrations
//	mapping.go                                               static topics
//
// # Java's tables
//
//	topicQueueTable              topicTable: name -> shape id; shape: []member
//	brokerAddrTable              groupView.groups
//	clusterAddrTable             groupView.clusters
//	brokerLiveTable              liveTable, and the group's members
//	filterServerTable            filterTable
//	topicQueueMappingInfoTable   mappingTable
//
// # Not obvious
//
//   - A registration lives in its group (groupAddr.live). liveTable is only the index by
//     (cluster, addr), and the two differ when an address registers under two names: see
//     live_table.go. What expires and what a closing connection removes comes from groups.
//   - Every decision about a registration's life is a compare-and-swap on its leaf, made by
//     the writer before publication. A transaction that is thrown away takes them back.
//   - A group index or a shape id means something only together with the snapshot it came
//     from: both are used again. Versions (group.stamp, group.topics, group.shown) are never.
//   - A dictionary is shared by many snapshots and is written while they are read. What a
//     snapshot owns is how many of its names exist. See dict.go.
//   - Removals put off cleaning the topics; every operation that looks at topics begins
//     with flush.
//   - Members of a shape are ordered by broker name. Nothing else is allowed to depend on
//     group indexes, whose order is that of arrival.
package routetable

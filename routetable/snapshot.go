package routetable

import "iter"

// Snapshot is an immutable state of the table. Its methods never block and may be called
// from any goroutine; those named Append write to the end of dst and return it.
type Snapshot struct {
	publication uint64
	topics      *topicTable
	shapes      *shapeTable
	view        *groupView
	live        *liveTable
	mappings    *mappingTable
	filters     *filterTable
	budget      *bodyBudget
	nameBytes   int64
}

// Stats are the sizes of a Snapshot.
type Stats struct {
	Topics      int    // topics with at least one broker group, parked ones included
	Groups      int    // broker groups, parked ones included
	Brokers     int    // registrations, parked ones included
	Parked      int    // registrations hidden from routes
	Clusters    int    // clusters with at least one group
	Shapes      int    // different lists of (group, queues, permissions)
	Mappings    int    // topics with a static mapping
	NameBytes   int64  // memory of topic names, dead ones included
	BodyBytes   int64  // memory of encoded bodies now: of the table, not of this Snapshot
	Publication uint64 // how many snapshots were published before this one
}

// Stats returns the sizes of the snapshot. It costs nothing.
func (s *Snapshot) Stats() Stats {
	return Stats{
		Topics: s.topics.live, Groups: len(s.view.byName), Brokers: s.view.members,
		Parked: s.view.parked, Clusters: len(s.view.clusters), Shapes: s.shapes.count,
		Mappings: s.mappings.topics, NameBytes: s.nameBytes, BodyBytes: s.budget.used.Load(),
		Publication: s.publication,
	}
}

// Topics yields the names of all visible topics, in no stated order. The names are copies.
func (s *Snapshot) Topics() iter.Seq[string] {
	return func(yield func(string) bool) {
		s.topics.each(func(name []byte, id uint32) bool {
			return !s.view.shows(s.shapes.at(id).members) || yield(string(name))
		})
	}
}

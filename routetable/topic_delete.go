package routetable

// DeleteTopic removes the topic from the groups that are listed under cluster, or from all
// when cluster is empty, and reports whether anything was removed. A broker that still has
// the topic brings it back with its next registration, even an unchanged one, as in Java:
// RouteInfoManager#deleteTopic. Unlike there the topic's static mapping goes with it.
func (x *Txn) DeleteTopic(topic, cluster string) bool {
	x.flush()
	if cluster == "" {
		x.mappings.drop(topic, anyMapping)
	}
	id, ok := x.findTopic([]byte(topic))
	if !ok {
		return false
	}
	shape := x.shapeID(id)
	old := x.members(shape)
	listed := func(group uint32) bool {
		// A group is listed under its own cluster only.
		return cluster == "" || x.view.groups[group].cluster == cluster
	}
	next := x.dropMembers(shape, listed)
	if next == shape {
		return false
	}
	x.setShape(id, next)
	if next == 0 {
		x.mappings.drop(topic, anyMapping)
	}
	for i := range old {
		if listed(old[i].group) {
			x.touch(old[i].group)
			x.mappings.drop(topic, mappedTo(x.view.groups[old[i].group].name))
		}
	}
	return true
}

package routetable

import (
	"maps"
	"slices"
	"sync/atomic"
)

// groupView is a snapshot's brokerAddrTable and clusterAddrTable. Snapshots between which
// no group changed share one.
type groupView struct {
	// epoch is the same in two views iff all groups' shown versions are.
	epoch    uint64
	groups   []*group // by index; nil is free
	shown    []uint64 // groups[i].shown, beside each other for quick comparison
	byName   map[string]uint32
	clusters map[string][]string // cluster -> sorted names of its groups

	hidden  int // groups of which everything is parked
	acting  int // groups with actable
	members int // addresses of all groups: registrations
	parked  int // those that are parked

	clusterInfo *atomic.Pointer[[]byte] // encoded 106 body, shared by views of one epoch
	heads       *joinedHeads            // so are these
}

// named returns the group with this name, nil when there is none.
func (v *groupView) named(name string) *group {
	if i, ok := v.byName[name]; ok {
		return v.groups[i]
	}
	return nil
}

// shows reports whether a topic with these members is visible at all.
func (v *groupView) shows(members []member) bool {
	if v.hidden == 0 {
		return true
	}
	for i := range members {
		if v.groups[members[i].group].visible > 0 {
			return true
		}
	}
	return false
}

// sorted returns all groups ordered by name.
func (v *groupView) sorted() []*group {
	list := make([]*group, 0, len(v.byName))
	for _, i := range v.byName {
		list = append(list, v.groups[i])
	}
	slices.SortFunc(list, func(a, b *group) int {
		if a.name < b.name {
			return -1
		}
		return 1 // names are unique
	})
	return list
}

// count adds (n = 1) or removes (n = -1) a group's share of the counters.
func (v *groupView) count(g *group, n int) {
	if g == nil {
		return
	}
	v.members += n * len(g.addrs)
	v.parked += n * (len(g.addrs) - g.visible)
	if g.visible == 0 {
		v.hidden += n
	}
	if g.actable {
		v.acting += n
	}
}

// viewDraft is the writer's copy of a groupView.
type viewDraft struct {
	*groupView
	owned, ownedNames, ownedClusters bool
}

// own makes the draft a copy that may be written.
func (d *viewDraft) own() {
	if d.owned {
		return
	}
	c := *d.groupView
	c.groups = slices.Clone(c.groups)
	c.shown = slices.Clone(c.shown)
	d.groupView, d.owned = &c, true
}

// newEpoch is called when a shown version has changed.
func (d *viewDraft) newEpoch(epoch uint64) {
	d.own()
	d.epoch = epoch
	d.clusterInfo, d.heads = new(atomic.Pointer[[]byte]), new(joinedHeads)
}

// put stores a group under its index, nil to free it.
func (d *viewDraft) put(index uint32, g *group) {
	d.own()
	for int(index) >= len(d.groups) {
		d.groups = append(d.groups, nil)
		d.shown = append(d.shown, 0)
	}
	d.count(d.groups[index], -1)
	d.count(g, 1)
	d.groups[index], d.shown[index] = g, 0
	if g != nil {
		d.shown[index] = g.shown
	}
}

func (d *viewDraft) addName(name string, index uint32) {
	d.ownNames()
	d.byName[name] = index
}

func (d *viewDraft) dropName(name string) {
	d.ownNames()
	delete(d.byName, name)
}

func (d *viewDraft) ownNames() {
	d.own()
	if !d.ownedNames {
		d.byName, d.ownedNames = maps.Clone(d.byName), true
		if d.byName == nil {
			d.byName = make(map[string]uint32)
		}
	}
}

// addToCluster lists a group under a cluster.
func (d *viewDraft) addToCluster(cluster, name string) {
	d.ownClusters()
	list := d.clusters[cluster]
	if i, ok := slices.BinarySearch(list, name); !ok {
		d.clusters[cluster] = slices.Insert(slices.Clone(list), i, name)
	}
}

// dropFromCluster ends that; a cluster without groups goes.
func (d *viewDraft) dropFromCluster(cluster, name string) {
	d.ownClusters()
	list := d.clusters[cluster]
	i, ok := slices.BinarySearch(list, name)
	if !ok {
		return
	}
	if len(list) == 1 {
		delete(d.clusters, cluster)
		return
	}
	d.clusters[cluster] = slices.Delete(slices.Clone(list), i, i+1)
}

func (d *viewDraft) ownClusters() {
	d.own()
	if !d.ownedClusters {
		d.clusters, d.ownedClusters = maps.Clone(d.clusters), true
		if d.clusters == nil {
			d.clusters = make(map[string][]string)
		}
	}
}

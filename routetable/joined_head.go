package routetable

import "sync/atomic"

// What a body that is joined says of its groups alone is most of it, and the same for all topics
// that are on the same groups: it is kept, for a few such lists.
type joinedHeads [dialects][joinedHeadsMax]atomic.Pointer[joinedHead]

const (
	joinedHeadsMax      = 16
	joinedHeadGroupsMax = 64 // longer lists are not worth the memory
)

// joinedHead is what appendHead appends for topics on these groups, without acting masters.
type joinedHead struct {
	groups []uint32
	json   []byte
}

// appendJoinedHead is appendHead. The first list of groups that comes to a place has it until a
// group changes: nothing is allocated for the others.
func (v *groupView) appendJoinedHead(dst []byte, members []member, how variant) []byte {
	if how&variantActing != 0 || len(members) == 0 || len(members) > joinedHeadGroupsMax {
		return appendHead(dst, v, members, how)
	}
	first, last := members[0].group, members[len(members)-1].group
	place := &v.heads[how>>1][(first+last)%joinedHeadsMax]
	h := place.Load()
	if h == nil {
		h = &joinedHead{groups: make([]uint32, len(members)), json: appendHead(nil, v, members, how)}
		for i := range members {
			h.groups[i] = members[i].group
		}
		place.CompareAndSwap(nil, h)
	} else if !h.of(members) {
		return appendHead(dst, v, members, how)
	}
	return append(dst, h.json...)
}

func (h *joinedHead) of(members []member) bool {
	if len(h.groups) != len(members) {
		return false
	}
	for i := range members {
		if members[i].group != h.groups[i] {
			return false
		}
	}
	return true
}

package routetable

import "bytes"

// internTable finds a shape by its members: open addressing, each slot a shape id with the
// low half of its hash, so that probing seldom has to look at a shape. It is the writer's
// alone.
type internTable struct {
	slots []uint64 // power of two; hash<<32 | id; 0 is empty, as id 0 is no shape
	count int
}

const internSlotsMin = 64

func internSlot(s *shape) uint64 { return s.hash<<32 | uint64(s.id) }

// find returns the id of the shape with these members, 0 when there is none.
func (t *internTable) find(shapes *shapeTable, hash uint64, members []member) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	mask := uint64(len(t.slots) - 1)
	want := memberBytesOf(members)
	for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if uint32(t.slots[i]>>32) != uint32(hash) {
			continue
		}
		s := shapes.at(uint32(t.slots[i]))
		if s.hash == hash && bytes.Equal(memberBytesOf(s.members), want) {
			return s.id
		}
	}
	return 0
}

// insert adds a shape that is not in t.
func (t *internTable) insert(s *shape) {
	if (t.count+1)*4 > len(t.slots)*3 {
		t.resize(max(internSlotsMin, len(t.slots)*2))
	}
	t.place(internSlot(s))
	t.count++
}

func (t *internTable) place(slot uint64) {
	mask := uint64(len(t.slots) - 1)
	i := slot >> 32 & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}

func (t *internTable) resize(n int) {
	old := t.slots
	t.slots = make([]uint64, n)
	for _, slot := range old {
		if slot != 0 {
			t.place(slot)
		}
	}
}

// remove takes a shape out and closes the gap it leaves in its run of slots.
func (t *internTable) remove(s *shape) {
	mask := uint64(len(t.slots) - 1)
	slot := internSlot(s)
	i := s.hash & mask
	for t.slots[i] != slot {
		i = (i + 1) & mask
	}
	t.slots[i] = 0
	t.count--
	for j := (i + 1) & mask; t.slots[j] != 0; j = (j + 1) & mask {
		home := t.slots[j] >> 32 & mask
		// Move the slot at j to the gap at i unless its home lies between them.
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i], t.slots[j] = t.slots[j], 0
			i = j
		}
	}
	if len(t.slots) > internSlotsMin && t.count*8 < len(t.slots) {
		t.resize(len(t.slots) / 2)
	}
}

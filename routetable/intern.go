package routetable

import "bytes"

// internTable finds a shape by its members: open addressing over shape ids, the hashes
// lie in the shapes. It is the writer's alone.
type internTable struct {
	slots []uint32 // power of two; 0 is empty
	count int
}

const internSlotsMin = 64

// find returns the id of the shape with these members, 0 when there is none.
func (t *internTable) find(shapes *shapeTable, hash uint64, members []member) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	mask := uint64(len(t.slots) - 1)
	want := memberBytesOf(members)
	for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
		s := shapes.at(t.slots[i])
		if s.hash == hash && bytes.Equal(memberBytesOf(s.members), want) {
			return s.id
		}
	}
	return 0
}

// insert adds a shape that is not in t.
func (t *internTable) insert(shapes *shapeTable, s *shape) {
	if (t.count+1)*4 > len(t.slots)*3 {
		t.resize(shapes, max(internSlotsMin, len(t.slots)*2))
	}
	t.place(s)
	t.count++
}

func (t *internTable) place(s *shape) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s.id
}

func (t *internTable) resize(shapes *shapeTable, n int) {
	old := t.slots
	t.slots = make([]uint32, n)
	for _, id := range old {
		if id != 0 {
			t.place(shapes.at(id))
		}
	}
}

// remove takes a shape out and closes the gap it leaves in its run of slots.
func (t *internTable) remove(shapes *shapeTable, s *shape) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i] != s.id {
		i = (i + 1) & mask
	}
	t.slots[i] = 0
	t.count--
	for j := (i + 1) & mask; t.slots[j] != 0; j = (j + 1) & mask {
		home := shapes.at(t.slots[j]).hash & mask
		// Move the slot at j to the gap at i unless its home lies between them.
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i], t.slots[j] = t.slots[j], 0
			i = j
		}
	}
	if len(t.slots) > internSlotsMin && t.count*8 < len(t.slots) {
		t.resize(shapes, len(t.slots)/2)
	}
}

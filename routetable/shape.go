package routetable

import (
	"sync/atomic"
	"unsafe"

	"github.com/pharosmq/pharos/codec"
)

// member is a topic's QueueData at one broker group. It has neither pointers nor padding.
type member struct {
	group   uint32 // index in groupView.groups
	read    int32
	write   int32
	perm    int32
	sysFlag int32
}

const memberBytes = 20

// shape is an interned list of members, ordered by broker name: what a route says apart
// from the topic's name. 10,000 default topics on 300 brokers are one shape. Everything
// that readers use, but bodies, is immutable.
type shape struct {
	id      uint32 // the writer's: compaction changes it
	hash    uint64
	members []member
	bodies  atomic.Pointer[shapeBodies] // encoded on first use, see body.go
}

// shapeOf2, 4 and 8 are shapes with room for their members in the same memory: who looks at one
// waits for memory once. With up to four members that is two cache lines.
type (
	shapeOf2 struct {
		shape
		room [2]member
	}
	shapeOf4 struct {
		shape
		room [4]member
	}
	shapeOf8 struct {
		shape
		room [8]member
	}
)

// newShape returns a shape with a copy of members.
func newShape(hash uint64, members []member) *shape {
	var s *shape
	var room []member
	switch n := len(members); {
	case n <= 2:
		at := new(shapeOf2)
		s, room = &at.shape, at.room[:]
	case n <= 4:
		at := new(shapeOf4)
		s, room = &at.shape, at.room[:]
	case n <= 8:
		at := new(shapeOf8)
		s, room = &at.shape, at.room[:]
	default:
		s, room = new(shape), make([]member, n)
	}
	s.hash, s.members = hash, room[:copy(room, members):len(members)]
	return s
}

// shapeTable holds the shapes of a snapshot by id, in chunks copied on write. Id 0 stands
// for no shape.
type shapeTable struct {
	chunks []*[shapeChunkLen]*shape
	count  int // shapes in it
}

const shapeChunkLen = 256

// at returns the shape with an id that a topic of the same snapshot has.
func (t *shapeTable) at(id uint32) *shape { return t.chunks[id/shapeChunkLen][id%shapeChunkLen] }

// len returns an id above all that are in use.
func (t *shapeTable) len() int { return len(t.chunks) * shapeChunkLen }

// find returns the position of the group in the list, or -1.
func findMember(members []member, group uint32) int {
	for i := range members {
		if members[i].group == group {
			return i
		}
	}
	return -1
}

// memberBytesOf returns the memory of members, to hash and compare it in one go.
func memberBytesOf(members []member) []byte {
	if len(members) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(members))), len(members)*memberBytes)
}

// The view of members as bytes depends on this.
var _ [0]struct{} = [unsafe.Sizeof(member{}) - memberBytes]struct{}{}

func memberOf(group uint32, q *codec.QueueData) member {
	return member{group, q.ReadQueueNums, q.WriteQueueNums, q.Perm, q.TopicSysFlag}
}

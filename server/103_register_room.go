package server

import (
	"sync"

	"github.com/pharosmq/pharos/codec"
)

// registerRoom is the memory that a large registration is put together and parsed in: 16 MB
// of body and 5 MB of topics, of which the table keeps nothing. Brokers that register changed
// tables one after the other would otherwise have the collector run every few of them, and a
// collection is what lookups wait for on a machine with few processors.
type registerRoom struct {
	bytes  []byte
	topics []codec.TopicConfig
}

// registerRooms lets go of what nobody uses in the second collection from then on.
var registerRooms = sync.Pool{New: func() any { return new(registerRoom) }}

func takeRegisterRoom() *registerRoom { return registerRooms.Get().(*registerRoom) }

// keep remembers memory that the parse of a body has made, for the next one. Small bodies
// are those of small frames, or nothing worth while.
func (r *registerRoom) keep(body []byte, topics []codec.TopicConfig) {
	if cap(body) > max(cap(r.bytes), largeFrameBytes) {
		r.bytes = body
	}
	if cap(topics) >= cap(r.topics) {
		r.topics = topics
	}
}

// putBack ends the use of everything that was read into the room.
func (r *registerRoom) putBack() {
	clear(r.topics) // their names would hold on to a body that has no room here
	registerRooms.Put(r)
}

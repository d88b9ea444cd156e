package routetable

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
)

// RoutesMax is how many topics Routes looks up at once.
const RoutesMax = 16

// Found reports whether there is such a topic: only then the Route has a body.
func (r *Route) Found() bool { return r.shape != nil }

// Routes is Route for up to RoutesMax topics at once, for answers with these options. In a
// table of a million topics each step of a lookup waits for memory; here every step is done
// for all topics before the next one, and they wait together.
func (s *Snapshot) Routes(topics [][]byte, routes []Route, o *RouteOptions) {
	var ids [RoutesMax]uint32
	s.topics.shapesOf(topics, ids[:len(topics)])
	for i, id := range ids[:len(topics)] {
		routes[i] = Route{snap: s}
		if id != 0 {
			routes[i].shape = s.shapes.at(id)
		}
	}
	for i, topic := range topics {
		if r := &routes[i]; r.shape != nil {
			s.complete(r, topic)
		}
	}
	var bodies [RoutesMax]*shapeBodies
	for i := range topics {
		if sh := routes[i].shape; sh != nil {
			bodies[i] = sh.bodies.Load()
		}
	}
	for i := range topics {
		if b := bodies[i]; b != nil && b != deadBodies && b.epoch.Load() == s.view.epoch {
			r := &routes[i]
			r.how = makeVariant(o.Dialect, r.acting(o))
			r.ready = b.variants[r.how].Load()
		}
	}
}

// complete fills in a route whose shape is known; it becomes none if it is hidden.
func (s *Snapshot) complete(r *Route, topic []byte) {
	if !s.view.shows(r.shape.members) {
		r.shape = nil
		return
	}
	r.real = bytes.HasPrefix(topic, syncTopicPrefix)
	if m := s.mappings.find(topic); m.visible(s.view) {
		r.mapping = m
	}
}

// shapesOf is shapeOf for each of the topics.
func (t *topicTable) shapesOf(topics [][]byte, shapes []uint32) {
	var hashes, slots [RoutesMax]uint64
	var records [RoutesMax][]byte
	var ids [RoutesMax]uint32
	d := t.dict
	mask := uint64(len(d.slots) - 1)
	for i, topic := range topics {
		hashes[i] = d.hash(topic)
	}
	for i := range topics {
		slots[i] = atomic.LoadUint64(&d.slots[hashes[i]&mask])
	}
	for i := range topics {
		records[i] = t.record(slots[i], hashes[i])
	}
	for i := range topics {
		if p := records[i]; len(p) >= recordHeadBytes {
			ids[i] = binary.LittleEndian.Uint32(p) - 1
		}
	}
	for i, topic := range topics {
		if ids[i] < t.names && recordNames(records[i], topic) {
			shapes[i] = t.shapes[ids[i]/idChunkLen][ids[i]%idChunkLen]
		} else if id, ok := d.find(t.chunks, t.names, topic, hashes[i]); ok {
			shapes[i] = t.shapes[id/idChunkLen][id%idChunkLen]
		} else {
			shapes[i] = 0
		}
	}
}

// record returns the bytes that a slot leads to, if its tag is the hash's; nil if not.
func (t *topicTable) record(slot, hash uint64) []byte {
	chunk := slot >> 16 & 0xFFFFFF
	if slot>>slotTagShift != (hash|slotTagBit)>>slotTagShift || chunk >= uint64(len(t.chunks)) {
		return nil
	}
	return t.chunks[chunk][slot&0xFFFF:]
}

// recordHeadBytes precede a name that is shorter than 128 bytes: its id and its length.
const recordHeadBytes = 5

// recordNames reports whether the record at the start of p is of that name. It says no for
// long names, which find looks at.
func recordNames(p, name []byte) bool {
	end := recordHeadBytes + len(name)
	return len(name) < 0x80 && len(p) >= end && int(p[4]) == len(name) && string(p[recordHeadBytes:end]) == string(name)
}

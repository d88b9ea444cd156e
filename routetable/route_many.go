package routetable

import (
	"bytes"
	"encoding/binary"
)

// RoutesMax is how many topics Routes looks up at once.
const RoutesMax = 16

// Found reports whether there is such a topic: only then the Route has a body.
func (r *Route) Found() bool { return r.shape != nil }

// Routes is Route for up to RoutesMax topics at once, for answers with these options. In a
// table of a million topics each step of a lookup waits for memory; here every step is done
// for all topics before the next one, and they wait together.
func (s *Snapshot) Routes(topics [][]byte, routes []Route, o *RouteOptions) {
	routes = routes[:len(topics)]
	if len(s.topics.dict.slots) <= nearSlotsMax {
		s.nearRoutes(topics, routes, o)
		return
	}
	var ids [RoutesMax]uint32
	s.topics.shapesOf(topics, &ids)
	for i := range routes {
		routes[i] = Route{snap: s}
		if id := ids[i%RoutesMax]; id != 0 {
			routes[i].shape = s.shapes.at(id)
		}
	}
	if s.view.hidden > 0 || s.mappings.topics > 0 || s.view.acting > 0 {
		for i, topic := range topics {
			if r := &routes[i]; r.shape != nil {
				s.complete(r, topic)
			}
		}
	}
	var bodies [RoutesMax]*shapeBodies
	for i := range routes {
		if sh := routes[i].shape; sh != nil {
			bodies[i%RoutesMax] = sh.bodies.Load()
		}
	}
	for i := range routes {
		r, b := &routes[i], bodies[i%RoutesMax]
		if b == nil {
			if r.shape != nil { // there is none: it is joined from what the members say
				r.joinBytes = r.shape.bytesGuess(s.view)
			}
		} else if b != deadBodies && b.epoch.Load() == s.view.epoch {
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

// shapesOf is shapeOf for each of the topics, of which there are RoutesMax at most.
func (t *topicTable) shapesOf(topics [][]byte, shapes *[RoutesMax]uint32) {
	var slots [RoutesMax]uint64
	var ids [RoutesMax]uint32
	d := t.dict
	for i, topic := range topics {
		slots[i%RoutesMax] = d.hash(topic)
	}
	for i := range topics {
		slots[i%RoutesMax] = d.probe(slots[i%RoutesMax])
	}
	for i, topic := range topics {
		// The name's last byte mostly lies on another cache line than the id. Behind a record of
		// another length the writer may be writing.
		p, end := t.record(slots[i%RoutesMax]), recordHeadBytes+len(topic)
		if len(p) >= end && len(topic) > 0 && int(p[4]) == len(topic) && p[end-1] == topic[len(topic)-1] {
			ids[i%RoutesMax] = binary.LittleEndian.Uint32(p)
		}
	}
	for i := range topics {
		if id := ids[i%RoutesMax] - 1; id < t.names {
			shapes[i%RoutesMax] = t.shapes[id/idChunkLen][id%idChunkLen]
		}
	}
	for i, topic := range topics {
		slot := slots[i%RoutesMax]
		switch {
		case slot == 0:
			shapes[i%RoutesMax] = 0
		case ids[i%RoutesMax]-1 < t.names && recordNames(t.record(slot), topic):
		default: // another name with this tag, or one that is long or younger
			shapes[i%RoutesMax] = t.shapeOf(topic)
		}
	}
}

// record returns the bytes that a slot leads to; nil if that is nowhere in this snapshot.
func (t *topicTable) record(slot uint64) []byte {
	if chunk := slot >> 16 & 0xFFFFFF; slot != 0 && chunk < uint64(len(t.chunks)) {
		return t.chunks[chunk][slot&0xFFFF:]
	}
	return nil
}

// recordHeadBytes precede a name that is shorter than 128 bytes: its id and its length.
const recordHeadBytes = 5

// recordNames reports whether the record at the start of p is of that name. It says no for
// long names, which find looks at.
func recordNames(p, name []byte) bool {
	end := recordHeadBytes + len(name)
	return len(name) < 0x80 && len(p) >= end && int(p[4]) == len(name) && string(p[recordHeadBytes:end]) == string(name)
}

package routetable

import "encoding/binary"

// nearSlotsMax is how large a dictionary may be that lies in a processor's own memory, names
// and all. There nobody waits, and to do one lookup after the other costs less.
const nearSlotsMax = 1 << 14

// nearRoutes is Routes for such a table.
func (s *Snapshot) nearRoutes(topics [][]byte, routes []Route, o *RouteOptions) {
	view := s.view
	plain := view.hidden == 0 && s.mappings.topics == 0 && view.acting == 0
	how := makeVariant(o.Dialect, false)
	for i, topic := range topics {
		r := &routes[i]
		*r = Route{snap: s, how: how}
		id := s.topics.nearShapeOf(topic)
		if id == 0 {
			continue
		}
		r.shape = s.shapes.at(id)
		if !plain {
			if s.complete(r, topic); r.shape == nil {
				continue
			}
			r.how = makeVariant(o.Dialect, r.acting(o))
		}
		if b := r.shape.bodies.Load(); b != nil && b != deadBodies && b.epoch.Load() == view.epoch {
			r.ready = b.variants[r.how].Load()
		}
	}
}

// nearShapeOf is shapeOf, with less to do for the names that most topics have.
func (t *topicTable) nearShapeOf(topic []byte) uint32 {
	slot := t.dict.probe(t.dict.hash(topic))
	if slot == 0 {
		return 0
	}
	if p := t.record(slot); len(p) >= recordHeadBytes {
		if id := binary.LittleEndian.Uint32(p) - 1; id < t.names && recordNames(p, topic) {
			return t.shapes[id/idChunkLen][id%idChunkLen]
		}
	}
	return t.shapeOf(topic)
}

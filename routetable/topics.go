package routetable

// topicTable is a snapshot's topicQueueTable: names, and for each the id of its shape.
type topicTable struct {
	dict   *dict
	chunks [][]byte              // records of the names that exist here
	names  uint32                // how many; ids below it are valid
	shapes []*[idChunkLen]uint32 // by topic id, in chunks copied on write; 0 is no topic
	live   int                   // topics: ids with a shape
	list   *topicList            // new when topics have come or gone
}

const idChunkLen = 1024

// shapeOf returns the shape id of a topic, 0 when there is no such topic.
func (t *topicTable) shapeOf(topic []byte) uint32 {
	id, ok := t.dict.find(t.chunks, t.names, topic, t.dict.hash(topic))
	if !ok {
		return 0
	}
	return t.shapes[id/idChunkLen][id%idChunkLen]
}

// each calls visit for every topic that has a shape, until it returns false. The name
// belongs to the table and never changes.
func (t *topicTable) each(visit func(name []byte, shape uint32) bool) {
	eachRecord(t.chunks, t.names, func(id uint32, name []byte, _, _ int) bool {
		if s := t.shapes[id/idChunkLen][id%idChunkLen]; s != 0 {
			return visit(name, s)
		}
		return true
	})
}

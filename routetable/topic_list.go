package routetable

import (
	"bytes"
	"sync/atomic"
)

// topicList is the body of a 206 reply, encoded by the first reader that needs it. It hangs
// off the topics of a snapshot, and is shared by all snapshots that have the same ones.
type topicList struct {
	json    atomic.Pointer[[]byte]
	charged bodyCharge
}

// EncodedTopicList returns the body that AppendTopicList appends, if the table has it; else
// nil. It is the table's: it never changes, and must not be changed.
func (s *Snapshot) EncodedTopicList() []byte {
	if s.view.hidden > 0 {
		return nil // the list is of what can be seen
	}
	if b := s.topics.list.json.Load(); b != nil {
		return *b
	}
	return nil
}

// EncodeTopicList has EncodedTopicList return the list, if the table may keep it. It takes
// some 20 ns for each topic.
func (s *Snapshot) EncodeTopicList() {
	guess := s.nameBytes + int64(s.topics.live)*int64(len(`"",`))
	if s.view.hidden > 0 || s.EncodedTopicList() != nil || !s.budget.has(guess) {
		return
	}
	list := s.topics.list
	json := bytes.Clone(s.appendTopics(make([]byte, 0, guess), nil))
	size := int64(cap(json))
	if !s.budget.has(size) || !list.charged.take(s.budget, size) {
		return
	}
	if !list.json.CompareAndSwap(nil, &json) {
		list.charged.giveBack(s.budget, size)
	}
}

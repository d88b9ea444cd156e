package server

import (
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
)

// tableList is a list that is made from a whole snapshot.
type tableList struct {
	// add appends the list's body.
	add func(s *routetable.Snapshot, dst []byte) []byte
	// encoded returns the body if the table has it already; nil: it never does.
	encoded func(s *routetable.Snapshot) []byte
	// encode has the table keep the body, if it may, so that encoded finds it.
	encode func(s *routetable.Snapshot)
}

// listTopicsMax is how many topics, with names of listNameBytesMax in all, and listGroupsMax
// how many broker groups, a table may have for its lists to be made on the event loop: some
// 100 us of work. One that lies there is sent from the loop up to listSentBytesMax.
const (
	listTopicsMax    = 2000
	listNameBytesMax = 512 << 10
	listGroupsMax    = 200
	listSentBytesMax = 256 << 10
)

// listBytesPerMicro paces larger ones that lie there: the loop takes a microsecond to give some
// 8 kB to the kernel, and is to have twice that for others.
const listBytesPerMicro = 2 << 10

// listBytes is how large a list of the table may be, roughly: names, punctuation, and what
// a broker group with its addresses usually takes.
func listBytes(sizes *routetable.Stats) int {
	return int(sizes.NameBytes) + sizes.Topics*4 + sizes.Groups*256
}

// lies returns the list if the table has it.
func (t *tableList) lies(s *routetable.Snapshot) []byte {
	if t.encoded == nil {
		return nil
	}
	return t.encoded(s)
}

// replyList answers with a list of the whole table: at once while that is quick, else in
// the lane for lists, where it holds up no lookup and no registration, and waits for no disk.
//
// Nothing is made for a peer that wants no answer, or is gone when it would be its turn.
func (h *handlers) replyList(rq *Request, list *tableList) {
	if rq.Oneway() {
		rq.Reply(codec.Success, "", nil)
		return
	}
	s := h.table.Snapshot()
	if body := list.lies(s); body != nil && len(body) <= listSentBytesMax {
		rq.EndShared(rq.Begin(codec.Success, "", nil), body)
		return
	}
	sizes := s.Stats()
	if sizes.Topics <= listTopicsMax && sizes.NameBytes <= listNameBytesMax && sizes.Groups <= listGroupsMax {
		rq.Weigh((sizes.Topics + sizes.Groups) / listEntriesPerLookup)
		rq.End(list.add(s, rq.Begin(codec.Success, "", nil)))
		return
	}
	rq.answerBytes = listBytes(&sizes)
	rq.Offload(ListLane, func(p *Pending) { h.replyLargeList(p, list) })
}

// replyLargeList runs in the lane for lists. What it sends, the loop has to give to the kernel:
// the lane waits a while after each list that it did not have to make, so that the lookups
// beside many of them wait for one at most.
func (h *handlers) replyLargeList(p *Pending, list *tableList) {
	if p.Conn.Closed() {
		p.Abandon()
		return
	}
	s := h.table.Snapshot()
	if list.encode != nil {
		list.encode(s)
	}
	body := list.lies(s)
	if body == nil {
		p.End(list.add(s, p.Begin(codec.Success, "", nil)))
		return
	}
	p.EndShared(p.Begin(codec.Success, "", nil), body)
	time.Sleep(time.Duration(len(body)/listBytesPerMicro) * time.Microsecond)
}

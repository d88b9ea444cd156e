package routetable

import (
	"bytes"
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/pharosmq/pharos/codec"
)

// A body is the encoded route of a shape in one variant, in two halves around
// orderTopicConf, which is the topic's own:
//
//	{"brokerDatas":[...],"filterServerTable":{...}   ,"queueDatas":[...]}
//
// Before its last byte comes the static mapping, which is the topic's own too.
//
// Bodies are built by the first reader that needs them. They hang off the shape, never off
// a table by index, and carry the versions of the groups they were built from: whoever
// uses one has compared them with his own snapshot, so that it does not matter which
// snapshot the builder had.
type body struct {
	json []byte
	cut  int // where the second half begins
}

// variant is how a body is written.
type variant uint8

const (
	variantActing   variant = 1 << 0 // groups without a master show an acting one
	variantStandard variant = 1 << 1 // codec.DialectStandard
	variants                = 4
)

func makeVariant(d codec.Dialect, acting bool) variant {
	var v variant
	if acting {
		v |= variantActing
	}
	if d == codec.DialectStandard {
		v |= variantStandard
	}
	return v
}

// shapeBodies are the bodies of one shape that are valid together.
type shapeBodies struct {
	// epoch of a view whose groups are known to have these versions. A group change
	// costs the writer one new epoch; each shape compares once and remembers.
	epoch    atomic.Uint64
	versions []uint64 // groupView.shown of each member
	variants [variants]atomic.Pointer[body]
	// charged is closed when they have been replaced or their shape has died, after which
	// nothing is added.
	charged bodyCharge
}

// deadBodies marks a shape that is in no snapshot to come: its readers, who still hold an
// old one, must not build what nobody would ever discharge.
var deadBodies = func() *shapeBodies {
	b := new(shapeBodies)
	b.charged.n.Store(chargedClosed)
	return b
}()

// shapeBodiesBytes is about what a shapeBodies takes beside its bodies.
const shapeBodiesBytes = 96

// current returns the bodies of the shape as this view sees it; nil when there are none.
func (s *shape) current(v *groupView) *shapeBodies {
	b := s.bodies.Load()
	if b == nil || b == deadBodies || b.epoch.Load() == v.epoch {
		return b
	}
	for i := range s.members {
		if b.versions[i] != v.shown[s.members[i].group] {
			return nil
		}
	}
	b.epoch.Store(v.epoch)
	return b
}

// body returns the shape's body in a variant, building it if the budget allows; else nil:
// the caller joins it for himself.
func (s *shape) body(v *groupView, budget *bodyBudget, how variant) *body {
	b := s.current(v)
	if b == deadBodies {
		return nil
	}
	if b != nil {
		if have := b.variants[how].Load(); have != nil {
			return have
		}
	}
	return s.build(v, budget, how, b)
}

// build encodes a variant and keeps it if it may.
func (s *shape) build(v *groupView, budget *bodyBudget, how variant, b *shapeBodies) *body {
	if b == nil {
		s.dropStale(v, budget) // what they held may be just what is needed
	}
	if budget.spent() {
		return nil
	}
	guess := s.bytesGuess(v)
	if !budget.has(guess) {
		return nil
	}
	if b == nil {
		if b = s.renewBodies(v, budget); b == nil {
			return nil
		}
	}
	json := appendHead(make([]byte, 0, guess), v, s.members, how)
	made := &body{cut: len(json)}
	made.json = bytes.Clone(append(appendTail(json, v, s.members), '}'))
	size := int64(cap(made.json))
	if !b.charged.take(budget, size) {
		return made // replaced meanwhile: good for this reader, kept by nobody
	}
	if !b.variants[how].CompareAndSwap(nil, made) {
		b.charged.giveBack(budget, size) // another reader was faster
	}
	return made
}

// dropStale gives back bodies that this view cannot use.
func (s *shape) dropStale(v *groupView, budget *bodyBudget) {
	old := s.bodies.Load()
	if old == nil || old == deadBodies || s.current(v) == old {
		return
	}
	if s.bodies.CompareAndSwap(old, nil) {
		old.charged.close(budget)
	}
}

// renewBodies gives the shape empty bodies for this view. It returns nil when the shape
// has died, or another reader has just given it those of another view.
func (s *shape) renewBodies(v *groupView, budget *bodyBudget) *shapeBodies {
	b := &shapeBodies{versions: make([]uint64, len(s.members))}
	for i := range s.members {
		b.versions[i] = v.shown[s.members[i].group]
	}
	b.epoch.Store(v.epoch)
	size := int64(shapeBodiesBytes + 8*len(b.versions))
	b.charged.take(budget, size)
	if s.bodies.CompareAndSwap(nil, b) {
		return b
	}
	b.charged.close(budget)
	if b = s.current(v); b == deadBodies {
		return nil
	}
	return b
}

// sweepBodies gives back the bodies of all shapes that this view cannot use. The writer
// does it when a group has changed and the budget is spent: shapes that nobody looks at
// any more would hold on to it. It is then not spent for as many lookups as filled it.
func (t *shapeTable) sweepBodies(v *groupView, budget *bodyBudget) {
	for _, chunk := range t.chunks {
		for _, s := range chunk {
			if s != nil {
				s.dropStale(v, budget)
			}
		}
	}
}

// kill ends the shape's bodies when the shape leaves the table.
func (s *shape) kill(budget *bodyBudget) {
	if old := s.bodies.Swap(deadBodies); old != nil && old != deadBodies {
		old.charged.close(budget)
	}
}

// bytesGuess is at least the size of a body.
func (s *shape) bytesGuess(v *groupView) int64 {
	n := int64(len(`{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}`))
	for i := range s.members {
		n += v.groups[s.members[i].group].bodyBytes
	}
	return n
}

// queueDataBytesMax is the most that follows queueHead: four int32 and their names, and a
// comma for each of the two lists.
const queueDataBytesMax = 4*len("-2147483648") + len(`,"readQueueNums":,"topicSysFlag":,"writeQueueNums":},,`)

// appendHead appends what comes before orderTopicConf.
func appendHead(dst []byte, v *groupView, members []member, how variant) []byte {
	dialect, acting := how>>1, how&variantActing != 0
	dst = append(dst, `{"brokerDatas":[`...)
	sep, filters := false, false
	for i := range members {
		g := v.groups[members[i].group]
		if g.visible == 0 {
			continue
		}
		if sep {
			dst = append(dst, ',')
		}
		sep = true
		shown := 0
		if acting && g.acts(g.perm(&members[i])) {
			shown = 1
		}
		dst = append(dst, g.brokerData[dialect][shown]...)
		filters = filters || len(g.filters) > 0
	}
	dst = append(dst, `],"filterServerTable":{`...)
	if filters {
		dst = appendFilters(dst, v, members)
	}
	return append(dst, '}')
}

// appendFilters appends the filter servers of all visible members, by address. An address
// that stands in two groups appears once, as it is one key.
func appendFilters(dst []byte, v *groupView, members []member) []byte {
	var list []*filterEntry
	for i := range members {
		g := v.groups[members[i].group]
		for j := range g.filters {
			if a := g.byAddr(g.filters[j].addr); a != nil && !a.parked {
				list = append(list, &g.filters[j])
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *filterEntry) int { return cmp.Compare(a.addr, b.addr) })
	list = slices.CompactFunc(list, func(a, b *filterEntry) bool { return a.addr == b.addr })
	for i, f := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, f.json...)
	}
	return dst
}

// appendTail appends what comes between orderTopicConf and the static mapping. A topic mostly
// has the same numbers of queues on all brokers: they are written once, and copied.
func appendTail(dst []byte, v *groupView, members []member) []byte {
	dst = append(dst, `,"queueDatas":[`...)
	var last queueNumbers
	from, to := 0, 0 // where last is written
	for i := range members {
		g := v.groups[members[i].group]
		if g.visible == 0 {
			continue
		}
		if to > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, g.queueHead...)
		if q := g.numbers(&members[i]); to > 0 && q == last {
			dst = append(dst, dst[from:to]...)
		} else {
			from, last = len(dst), q
			dst = q.appendTo(dst)
			to = len(dst)
		}
	}
	return append(dst, ']')
}

package server

import (
	"sync"

	"github.com/pharosmq/pharos/routetable"
)

// What others want to know of connections, a loop has to look up: only there is a descriptor
// sure to be still the connection's.

// visitsAtOnce is how many connections a loop visits in a tick: some 0.3 ms, if that takes a
// system call each.
const visitsAtOnce = 256

// VisitsPerSecond is how many connections a loop visits in a second without being woken up for
// it.
const VisitsPerSecond = visitsAtOnce * 1000 / tickMillis

// visitsLeftMax is how many connections may wait for a loop's ticks: those of half a second. Whoever
// asks takes a visit that is a second late for a loop that stood still.
const visitsLeftMax = VisitsPerSecond / 2

// visit is what is to be done on connections of one loop.
type visit struct {
	conns []*connection
	f     func(id routetable.ConnID, fd int)
	list  *visitList // that conns lie in; nil: others of it are to be visited yet
}

// visitList is connections of one loop. Thousands are visited each second, for as long as they
// are open: so lists are used again.
type visitList struct{ conns []*connection }

var visitLists = sync.Pool{New: func() any { return &visitList{} }}

// OnConnections calls f for those of the connections that are open, each on its loop, where
// fd stays valid during the call. It keeps no reference to ids.
func (s *Server) OnConnections(ids []routetable.ConnID, f func(id routetable.ConnID, fd int)) {
	for l, list := range s.byLoop(ids) {
		l.post(mail{kind: mailRun, run: func() { visit{list.conns, f, list}.pay() }})
	}
}

// OnConnectionsSoon is OnConnections for what can wait some tenths of a second: a loop that has
// nothing to do is not woken up for it, but comes to it with its next ticks. In a process that
// has nothing else to do waking up takes most of the time. Of a loop that is behind with what
// it was asked before the connections are left out, as are those that are too many for one loop.
func (s *Server) OnConnectionsSoon(ids []routetable.ConnID, f func(id routetable.ConnID, fd int)) {
	for l, list := range s.byLoop(ids) {
		l.askSoon(visit{list.conns, f, list})
	}
}

// byLoop returns the open ones of ids by their loops.
func (s *Server) byLoop(ids []routetable.ConnID) map[*loop]*visitList {
	m := map[*loop]*visitList{}
	for _, id := range ids {
		c, ok := s.conns.get(id)
		if !ok {
			continue
		}
		list := m[c.loop]
		if list == nil {
			list = visitLists.Get().(*visitList)
			m[c.loop] = list
		}
		list.conns = append(list.conns, c)
	}
	return m
}

// pay does it. On the loop.
func (v visit) pay() {
	for _, c := range v.conns {
		if !c.closed {
			v.f(c.id, c.wire.Fd())
		}
	}
	if v.list != nil {
		clear(v.list.conns)
		v.list.conns = v.list.conns[:0]
		visitLists.Put(v.list)
	}
}

// askSoon has v wait for a tick, unless more waits than the next one takes.
func (l *loop) askSoon(v visit) {
	l.mailMu.Lock()
	defer l.mailMu.Unlock()
	if l.visitsLeft <= visitsAtOnce {
		v.conns = v.conns[:min(len(v.conns), visitsLeftMax-l.visitsLeft)]
		l.visits = append(l.visits, v)
		l.visitsLeft += len(v.conns)
	}
}

// payVisits does what waits for a tick, as much of it as a tick may take.
func (l *loop) payVisits() {
	for left := visitsAtOnce; left > 0; {
		v := l.nextVisit(left)
		if v.f == nil {
			return
		}
		v.pay()
		left -= len(v.conns)
	}
}

// nextVisit takes the first visit out, or a part of it.
func (l *loop) nextVisit(most int) (v visit) {
	l.mailMu.Lock()
	defer l.mailMu.Unlock()
	if len(l.visits) == 0 {
		return visit{}
	}
	if v = l.visits[0]; len(v.conns) > most {
		l.visits[0].conns = v.conns[most:]
		v.conns, v.list = v.conns[:most], nil
	} else {
		l.visits[0] = visit{}
		l.visits = l.visits[1:]
	}
	l.visitsLeft -= len(v.conns)
	return v
}

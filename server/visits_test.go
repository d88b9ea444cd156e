package server

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pharosmq/pharos/routetable"
)

// Goal: what can wait is done on the loops, for each connection that is open.
func TestConnectionsAreVisitedSoon(t *testing.T) {
	w := &recorder{}
	ts := startWatched(t, Options{EventLoops: 2}, w)
	for range 5 {
		ts.dial().call(0, nil)
	}
	var mu sync.Mutex
	var seen []string
	ts.OnConnectionsSoon([]routetable.ConnID{1, 2, 3, 4, 5, 77}, func(id routetable.ConnID, fd int) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(id, fd > 0))
	})
	eventually(t, "all are visited", func() bool {
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(seen)
		return slices.Equal(seen, []string{"1 true", "2 true", "3 true", "4 true", "5 true"})
	})
}

// Goal: a tick takes no more than it may, in the order of asking, and a loop that is behind is
// not asked for more.
func TestVisitsOfATickAreBounded(t *testing.T) {
	var l loop
	ask := func(n int) {
		l.askSoon(visit{conns: make([]*connection, n), f: func(routetable.ConnID, int) {}})
	}
	f := func(most int, want ...int) {
		t.Helper()
		for i, n := range want {
			v := l.nextVisit(most)
			if len(v.conns) != n {
				t.Errorf("visit %d has %d connections, want %d", i, len(v.conns), n)
			}
			most -= n
		}
	}
	ask(100)
	ask(400)
	ask(7) // left out: 500 wait
	f(visitsAtOnce, 100, visitsAtOnce-100)
	ask(5)
	f(visitsAtOnce, 400-(visitsAtOnce-100), 5, 0)
	ask(3)
	ask(5000) // most of them left out
	f(5000, 3, visitsLeftMax-3, 0)
	if l.visitsLeft != 0 || len(l.visits) != 0 {
		t.Errorf("%d connections are left, in %d visits", l.visitsLeft, len(l.visits))
	}
}

// Goal: the memory of a list of visits is used again when the last of them are paid, not before.
// Method: one that takes two ticks; paying the last part empties it.
func TestMemoryOfVisitsIsUsedAgain(t *testing.T) {
	var l loop
	list := &visitList{conns: make([]*connection, visitsAtOnce+1)}
	for i := range list.conns {
		list.conns[i] = &connection{closed: true}
	}
	l.askSoon(visit{conns: list.conns, list: list})
	for i, left := range []int{visitsAtOnce + 1, 0} {
		l.nextVisit(visitsAtOnce).pay()
		if len(list.conns) != left {
			t.Errorf("after part %d the list has %d connections, want %d", i, len(list.conns), left)
		}
	}
}

package choice

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/pharosmq/pharos/client/internal/pause"
)

// What a simulated server does.
type condition int

const (
	up        condition = iota
	refusing            // its process is gone: connections end, new ones are refused
	hung                // its process is frozen: the kernel still accepts
	blackhole           // nothing arrives any more
	slow                // answers after 2 s
	garbage             // answers end the connection
	busy                // answers with code 2
)

var conditionNames = []string{"up", "refusing", "hung", "blackhole", "slow", "garbage", "busy"}

func (c condition) String() string { return conditionNames[c] }

const (
	simLatency = time.Millisecond
	simSlow    = 2 * time.Second
	simDial    = 3 * time.Second
	simWaking  = 20 * time.Millisecond // until what came during a pause of ours is read
)

type peer struct {
	is    condition
	since time.Duration
	gen   uint64 // of the connection, 0: none
	// waiting are requests that are answered when the server thaws.
	waiting []func()
}

type event struct {
	at  time.Duration
	seq int
	do  func()
	// outside: it comes from a server, and has to be read.
	outside bool
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(e any)   { *a = append(*a, e.(event)) }
func (a *agenda) Pop() any     { old := *a; e := old[len(old)-1]; *a = old[:len(old)-1]; return e }

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world runs a Machine against simulated servers, in simulated time.
type world struct {
	t     failer
	m     *Machine
	p     Params
	now   time.Duration
	seq   int
	todo  agenda
	peers map[string]*peer
	after func() // called when something happened

	dials, probes, lookups, answered map[string]int
	timer                            time.Duration

	tickAt time.Duration // ticks at one moment
	ticks  int

	was      string // the server in use, and since when
	wasSince time.Duration
}

func newWorld(t failer, p Params, addrs ...string) *world {
	p.KeepOrder = true
	w := &world{
		t: t, m: New(p), p: p.withDefaults(), peers: map[string]*peer{}, timer: never,
		dials: map[string]int{}, probes: map[string]int{}, lookups: map[string]int{}, answered: map[string]int{},
	}
	for _, a := range addrs {
		w.peers[a] = &peer{}
	}
	w.m.SetServers(0, addrs)
	return w
}

func (w *world) at(t time.Duration, do func()) {
	w.seq++
	heap.Push(&w.todo, event{t, w.seq, do, false})
}

// come has something come from a server.
func (w *world) come(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.todo, event{w.now + d, w.seq, do, true})
}

func (w *world) in(d time.Duration, do func()) { w.at(w.now+d, do) }

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now + d
	w.obey()
	for len(w.todo) > 0 && w.todo[0].at <= end {
		e := heap.Pop(&w.todo).(event)
		w.now = e.at
		e.do()
		w.obey()
		if w.after != nil {
			w.after()
		}
	}
	w.now = end
}

// stand has our process stand still: what is due meanwhile happens at the end, in the worst
// order: our timers first, whatever they then want, and only then what has come from servers.
func (w *world) stand(d time.Duration) {
	end := w.now + d
	for i, e := range w.todo {
		if e.at > end {
			continue
		}
		if w.todo[i].at = end; e.outside {
			w.todo[i].at = end + simWaking
		}
	}
	heap.Init(&w.todo)
	if w.timer != never {
		w.timer = max(w.timer, end)
	}
	w.now = end
}

// obey performs actions and sets the timer.
func (w *world) obey() {
	for round := 0; ; round++ {
		actions := w.m.Actions()
		for _, a := range actions {
			w.perform(a)
		}
		if len(actions) == 0 {
			break
		}
		if round > 100 {
			w.t.Fatalf("at %v the machine never comes to rest: %+v", w.now, actions)
		}
	}
	next, ok := w.m.Next(w.now)
	if !ok || next == w.timer {
		return
	}
	if next < w.now {
		next = w.now
	}
	w.timer = next
	w.at(next, func() {
		if w.timer == w.now {
			w.timer = never
			w.m.Tick(w.now)
			if w.tickAt != w.now {
				w.tickAt, w.ticks = w.now, 0
			}
			if w.ticks++; w.ticks > 10 {
				w.t.Fatalf("at %v ticks bring nothing forward: %+v", w.now, w.m.Status())
			}
		}
	})
}

func (w *world) perform(a Action) {
	p := w.peers[a.Server]
	switch a.Do {
	case Close:
		if p.gen == a.Gen {
			p.gen = 0
			p.waiting = nil
		}
	case Dial:
		w.dials[a.Server]++
		switch p.is {
		case refusing:
			w.in(simLatency, func() { w.m.Dialed(w.now, a.Server, a.Gen, "connection refused") })
		case blackhole:
			w.in(simDial, func() { w.m.Dialed(w.now, a.Server, a.Gen, "timeout") })
		default:
			w.in(simLatency, func() {
				if p.is == refusing {
					w.m.Dialed(w.now, a.Server, a.Gen, "connection reset")
				} else if w.m.Dialed(w.now, a.Server, a.Gen, "") {
					p.gen = a.Gen
				}
			})
		}
	case Probe:
		w.probes[a.Server]++
		w.ask(a.Server, a.Gen, true)
	}
}

// ask sends a request on a connection and has its answer, or its end, come.
func (w *world) ask(addr string, gen uint64, probe bool) {
	p, asked, done := w.peers[addr], w.now, false
	w.m.Asked(w.now, addr, gen)
	until := pause.After(asked, w.p.RPCTimeout)
	var look func()
	look = func() {
		switch {
		case done || p.gen != gen:
		case until.Over(w.now):
			done = true
			w.m.TimedOut(w.now, addr, gen, asked, probe)
		default:
			w.at(until.Next(), look)
		}
	}
	w.at(until.Next(), look)
	answer := func(kind Answer) func() {
		return func() {
			if done || p.gen != gen {
				return
			}
			if p.is == hung || p.is == blackhole {
				return // its answer did not get out
			}
			done = true
			if !probe {
				w.answered[addr]++
			}
			w.m.Answered(w.now, addr, gen, w.now-asked, kind, probe)
		}
	}
	switch p.is {
	case up:
		w.come(simLatency, answer(Good))
	case slow:
		w.come(simSlow, answer(Good))
	case busy:
		w.come(simLatency, answer(Busy))
	case hung:
		p.waiting = append(p.waiting, answer(Good))
	case garbage:
		w.in(simLatency, func() { w.end(addr, gen, "garbage") })
	}
}

func (w *world) end(addr string, gen uint64, why string) {
	if p := w.peers[addr]; p.gen == gen && gen != 0 {
		p.gen = 0
		w.m.Closed(w.now, addr, gen, why)
	}
}

// become changes what a server does.
func (w *world) become(addr string, is condition) {
	p := w.peers[addr]
	if p.is == is {
		return
	}
	thaws := p.is == hung && is == up
	p.is, p.since = is, w.now
	if is == refusing {
		p.waiting = nil
		w.end(addr, p.gen, "EOF")
	}
	if thaws {
		for _, answer := range p.waiting {
			w.in(simLatency, answer)
		}
		p.waiting = nil
	}
	w.obey()
}

// lookUp is a caller that asks once.
func (w *world) lookUp() {
	w.m.Lookup()
	addr, gen, v := w.m.Pick(w.now, nil)
	if v == Use {
		w.lookups[addr]++
		w.ask(addr, gen, false)
	}
	w.obey()
}

// load has lookups come every so often, for ever.
func (w *world) load(every time.Duration) {
	var again func()
	again = func() {
		w.lookUp()
		w.in(every, again)
	}
	again()
}

// until runs until ok, and returns how long that took.
func (w *world) until(what string, limit time.Duration, ok func() bool) time.Duration {
	w.t.Helper()
	began := w.now
	for !ok() {
		if w.now-began > limit {
			w.t.Fatalf("%s: not within %v; %s", what, limit, w.describe())
		}
		if len(w.todo) == 0 {
			w.t.Fatalf("%s: nothing happens any more; %s", what, w.describe())
		}
		w.run(w.todo[0].at - w.now)
	}
	return w.now - began
}

func (w *world) role(addr string) Role {
	for _, s := range w.m.Status() {
		if s.Server == addr {
			return s.Role
		}
	}
	w.t.Fatalf("%s is not in the list", addr)
	return Unknown
}

func (w *world) describe() string {
	text := fmt.Sprintf("at %v:", w.now)
	for _, s := range w.m.Status() {
		text += fmt.Sprintf(" %s %v since %v (%v, %s)", s.Server, s.Role, s.Since, w.peers[s.Server].is, s.Why)
	}
	return text
}

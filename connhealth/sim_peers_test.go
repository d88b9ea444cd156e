package connhealth_test

import (
	"fmt"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/connhealth/internal/tcpsim"
)

// simBroker is a 5.x broker as a name server sees it: 103 every 30 s, and in step with it
// 106 every 5 s; 106 waits 3 s for its answer, 103 24 s, then the connection is closed; every
// 3 s a scan connects where there is no connection.
type simBroker struct {
	w             *world
	host          *simHost
	name          string
	key           connhealth.BrokerKey
	acting        bool
	timeoutMillis int64
	servers       int

	running  bool // the process exists
	frozen   bool // but is stopped
	asleep   []func()
	life     int // of the process
	conn     *tcpsim.Socket
	ready    bool // conn is established
	pollHere bool // 106 goes to this name server, not to another
	nextReq  int
	pending  map[int]*tcpsim.Timer
	waiting  []func()

	// What was measured.
	registered  bool // since it was started
	since       int64
	missing     int64 // time in which it ran, and was not shown
	diedAt      int64
	dead        bool
	detected    int64 // when it was hidden after its death; -1 not yet
	wasVisible  bool
	hiddenTimes int
	polled      func() // called when a 106 was sent
}

// simHost is a host with faults of its path.
type simHost struct {
	*tcpsim.Host
	w *world
}

// outage drops everything for d.
func (h *simHost) outage(d int64) {
	h.ToServer.Down, h.FromSrv.Down = true, true
	h.w.net.After(d, func() { h.ToServer.Down, h.FromSrv.Down = false, false })
}

func newSimBroker(w *world, h *tcpsim.Host, i, servers int, acting bool) *simBroker {
	b := &simBroker{w: w, host: &simHost{h, w}, name: fmt.Sprintf("broker-%d", i), acting: acting, servers: servers, timeoutMillis: 120_000, detected: -1}
	if acting {
		b.timeoutMillis = 10_000
	}
	b.key = connhealth.BrokerKey{Cluster: "c", Name: b.name, Addr: fmt.Sprintf("%v:10911", h.Addr)}
	w.net.After(w.net.Rand.Int64N(5*sec), b.start)
	return b
}

func (b *simBroker) visible() bool {
	r := b.w.routes[b.key]
	return r != nil && !r.parked
}

// account adds up the time since the last change.
func (b *simBroker) account() {
	now := b.w.net.Now()
	if b.registered && !b.dead && !b.wasVisible {
		b.missing += now - b.since
	}
	visible := b.visible()
	if b.wasVisible && !visible {
		b.hiddenTimes++
	}
	if b.dead && !visible && b.detected < 0 {
		b.detected = now - b.diedAt
	}
	b.since, b.wasVisible = now, visible
}

// die notes that from now on it should not be shown.
func (b *simBroker) die() {
	b.account()
	b.dead, b.diedAt, b.detected = true, b.w.net.Now(), -1
	if !b.visible() {
		b.detected = 0
	}
}

// start begins a process' life.
func (b *simBroker) start() {
	b.life++
	b.running, b.frozen = true, false
	b.registered = false
	b.pending = make(map[int]*tcpsim.Timer)
	b.waiting = nil
	b.conn, b.ready = nil, false
	b.pollHere = b.servers == 1 || b.w.net.Rand.IntN(b.servers) == 0
	b.host.Listening = true
	b.host.Options = tcpsim.Options{RTOMax: 120 * sec}
	life := b.life
	b.request(103, 24*sec)
	b.every(life, 10*sec, 30*sec, func() { b.request(103, 24*sec) })
	b.every(life, 10*sec, 5*sec, func() {
		if b.pollHere {
			b.request(106, 3*sec)
		} else if b.servers > 1 && b.w.net.Rand.IntN(10) == 0 {
			b.pollHere = true // another server failed it
		}
	})
	b.every(life, 3*sec, 3*sec, func() { b.connect() })
	if b.acting {
		b.every(life, sec, sec, func() { b.request(904, 3*sec) })
	}
}

// every runs f periodically while this life lasts.
func (b *simBroker) every(life int, first, period int64, f func()) {
	var tick func()
	tick = func() {
		if b.life != life || !b.running {
			return
		}
		if !b.frozen && !b.host.Vanished {
			f()
		}
		b.w.net.After(period, tick)
	}
	b.w.net.After(first, tick)
}

func (b *simBroker) connect() {
	if b.conn != nil && b.conn.Open() && (b.conn.Established() || !b.ready) {
		return
	}
	s := b.host.Connect(b.w.net.Server)
	b.conn, b.ready = s, false
	s.OnEstablished = func() {
		if b.conn != s {
			return
		}
		b.ready = true
		waiting := b.waiting
		b.waiting = nil
		for _, f := range waiting {
			f()
		}
	}
	lost := func() {
		if b.conn == s {
			b.forget()
		}
	}
	s.OnFIN = func() {
		b.awake(func() {
			lost()
			s.Close()
		})
	}
	s.OnEnd = func(tcpsim.End) { b.awake(lost) }
	s.OnData = func(p any) {
		m := p.(message)
		b.awake(func() {
			b.w.net.Stop(b.pending[m.id])
			delete(b.pending, m.id)
		})
	}
	b.w.net.After(3*sec, func() {
		if b.conn == s && !b.ready {
			b.forget()
			s.Abort()
		}
	})
}

// awake runs f, or when the process is no longer stopped.
func (b *simBroker) awake(f func()) {
	if b.frozen {
		b.asleep = append(b.asleep, f)
		return
	}
	f()
}

// freeze stops the process for d. What waits then runs in any order: of an answer and the
// timeout that waits for it either may be first.
func (b *simBroker) freeze(d int64) {
	b.frozen = true
	b.w.net.After(d, func() {
		b.frozen = false
		todo := b.asleep
		b.asleep = nil
		b.w.net.Rand.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
		for _, f := range todo {
			f()
		}
	})
}

// forget drops the connection's state; requests under way fail.
func (b *simBroker) forget() {
	b.conn, b.ready = nil, false
	for id, t := range b.pending {
		b.w.net.Stop(t)
		delete(b.pending, id)
	}
	b.waiting = nil
}

func (b *simBroker) request(code int, timeout int64) {
	b.connect()
	started := b.w.net.Now()
	send := func() {
		if b.frozen || b.w.net.Now()-started >= 3*sec {
			return
		}
		b.nextReq++
		id := b.nextReq
		s := b.conn
		b.pending[id] = b.w.net.After(timeout, func() {
			b.awake(func() {
				if b.pending[id] == nil || b.conn != s || !b.running {
					return
				}
				b.forget()
				s.Close()
				if code == 106 && b.servers > 1 {
					b.pollHere = false
				}
			})
		})
		s.Send(message{id: id, code: code, broker: b}, 300)
		if code == 106 && b.polled != nil {
			b.polled()
		}
	}
	if b.ready && b.conn.Established() {
		send()
	} else {
		b.waiting = append(b.waiting, send)
	}
}

// vanish: the host is gone without a word.
func (b *simBroker) vanish() {
	b.die()
	b.host.Vanish()
	b.running = false
}

// kill ends the process; its kernel says good-bye.
func (b *simBroker) kill(reset bool) {
	b.host.StopListening()
	b.end(reset)
}

// killSlowly is kill when the end of the listener comes some milliseconds after that of the
// connection. resets: who was accepted meanwhile is told.
func (b *simBroker) killSlowly(resets bool) {
	b.end(false)
	b.w.net.After(b.w.net.Rand.Int64N(60*ms), func() {
		if resets {
			b.host.StopListening()
		} else {
			b.host.Listening = false
		}
	})
}

func (b *simBroker) end(reset bool) {
	b.die()
	b.running = false
	s := b.conn
	b.forget()
	if s != nil && s.Open() {
		if reset {
			s.Abort()
		} else {
			s.Close()
		}
	}
}

// reboot: gone, back after a while, and the broker is started again.
func (b *simBroker) reboot(down, boot int64) {
	b.vanish()
	b.w.net.After(down, func() {
		b.forget()
		b.host.Boot()
	})
	b.w.net.After(down+boot, func() {
		b.dead = false
		b.since = b.w.net.Now()
		b.start()
	})
}

// simClient looks a route up every 30 s.
type simClient struct {
	w     *world
	host  *tcpsim.Host
	conn  *tcpsim.Socket
	quiet bool
}

func newSimClient(w *world, h *tcpsim.Host) *simClient {
	c := &simClient{w: w, host: h}
	var tick func()
	tick = func() {
		if !c.quiet && !h.Vanished {
			c.lookup()
		}
		w.net.After(30*sec, tick)
	}
	w.net.After(w.net.Rand.Int64N(10*sec), tick)
	return c
}

func (c *simClient) lookup() {
	if c.conn != nil && c.conn.Established() {
		c.conn.Send(message{code: 105}, 150)
		return
	}
	s := c.host.Connect(c.w.net.Server)
	c.conn = s
	s.OnEstablished = func() { s.Send(message{code: 105}, 150) }
	s.OnFIN = func() { s.Close() }
	s.OnData = func(any) {}
}

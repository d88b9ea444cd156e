package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readBytes       = 64 << 10
	bigSliceBytes   = 64 << 10 // a large body is sent in such slices, one a round
	discardFrom     = 16 << 10 // a rest of a reply that long is dropped in the kernel
	connectsMax     = 512      // in flight at once, unless a group is Late
	pacedPerRound   = 256
	tickNanos       = int64(100 * time.Millisecond)
	frameMax        = 64 << 20 // a reply larger than that is no reply
	sampleFromBytes = 4 << 20  // one body in so many bytes of replies is checked
	sampleFrames    = 1024     // and not more than one in so many replies
)

// engine drives all connections of a run from one thread.
type engine struct {
	to     netip.AddrPort
	begin  time.Time
	spin   bool
	stop   *atomic.Bool
	epfd   int
	events []unix.EpollEvent
	buf    []byte

	groups     []*group
	conns      []*conn // index is what epoll hands back
	bigs       []*conn // have a large body to send
	connecting int
	toOpen     []*conn
	retry      []*conn // to open at the next tick
	dials      int

	windowStart int64
	draining    bool
	nextTick    int64
	idleNanos   int64 // spent polling in vain, awake
	slept       bool  // the last poll did
	wakeAt      int64 // until when, at the latest
	awayNanos   int64 // the longest time in the window in which nobody looked at the sockets, though a request waited
	awayBefore  int64 // how long nobody looked in the turn before
	ticks       func(now int64)
}

// group is a Group at work.
type group struct {
	Group
	counters
	conns     []conn
	ops       []op
	opAt      int
	templates [opKinds]template
	reader    replyReader
	bigReply  bool // the last reply was large
	sample    int  // bytes until the next body is checked
	check     checker

	asking   bool    // the connections that open before the run are open
	nextDue  int64   // dueAt, at the next multiple of Every
	interval float64 // nanoseconds between bursts
	dueAt    float64
	turn     int
	waiting  int // requests without a reply
	begun    int // of Together's turn
	done     int // connections that have ended for good
	fatal    error
}

func newEngine(to netip.AddrPort, groups []Group, spin bool) (*engine, error) {
	e := &engine{to: to, begin: time.Now(), spin: spin, stop: new(atomic.Bool), events: make([]unix.EpollEvent, 512), buf: make([]byte, 2*readBytes)}
	for i := range groups {
		d, err := groups[i].withDefaults()
		if err != nil {
			return nil, err
		}
		e.add(newGroup(d))
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	e.epfd = epfd
	return e, nil
}

// add makes g one of the engine's groups.
func (e *engine) add(g *group) *group {
	e.groups = append(e.groups, g)
	for i := range g.conns {
		c := &g.conns[i]
		c.fd, c.id = -1, int32(len(e.conns))
		e.conns = append(e.conns, c)
	}
	return g
}

func newGroup(d Group) *group {
	g := &group{Group: d, counters: newCounters(), conns: make([]conn, d.Conns), check: newChecker(&d)}
	if d.Depth > 0 {
		g.ops = d.Mix.schedule(d.World.Topics)
		g.templates = d.World.templates(d.Version, d.Serialize)
	}
	if d.Rate > 0 {
		g.interval = 1e9 / d.Rate * float64(d.Burst)
	}
	for i := range g.conns {
		c := &g.conns[i]
		c.group, c.index = g, i
		c.slots = make([]slot, d.Depth)
		c.reset()
	}
	g.waiting = 0
	return g
}

func (e *engine) now() int64 { return int64(time.Since(e.begin)) }

// close ends all connections.
func (e *engine) close() {
	for _, c := range e.conns {
		if c.fd >= 0 {
			_ = unix.Close(c.fd)
			c.fd = -1
		}
	}
	_ = unix.Close(e.epfd)
}

// errStopped: the run was told to end.
var errStopped = errors.New("stopped")

// run drives the connections until the clock shows until, or done says so.
func (e *engine) run(until int64, done func() bool) error {
	now := e.now()
	for now < until {
		if e.stop.Load() {
			return errStopped
		}
		if done != nil && done() {
			return nil
		}
		if now >= e.nextTick {
			if err := e.tick(now); err != nil {
				return err
			}
		}
		e.openMore(now)
		busy := e.pace(now)
		busy = e.sendBig() || busy
		waited := e.waits()
		polled := now
		if !e.spin {
			polled = e.now()
		}
		n, err := e.poll(busy, polled, until)
		if err != nil {
			return err
		}
		after := e.now()
		if n == 0 && !busy && !e.slept {
			e.idleNanos += after - now
		}
		for i := range e.events[:n] {
			e.ready(e.conns[e.events[i].Fd], e.events[i].Events)
		}
		end := e.now()
		e.away(e.unseen(now, polled, after, end, n), waited)
		now = end
	}
	return nil
}

// waits reports whether a request has no reply yet.
func (e *engine) waits() bool {
	for _, g := range e.groups {
		if g.waiting > 0 {
			return true
		}
	}
	return false
}

// unseen is how long nobody looked at the sockets in a turn: all of it, but for what was slept on
// purpose.
func (e *engine) unseen(begun, polled, after, end int64, n int) int64 {
	if !e.slept {
		return end - begun
	}
	woken := after
	if n == 0 {
		woken = min(after, e.wakeAt)
	}
	return max(polled-begun, end-woken)
}

// away notes how long nobody looked at the sockets in a turn, if a request waited for that: one
// that was sent by then, or, since it may have been due meanwhile, in the turn after.
func (e *engine) away(unseen int64, waited bool) {
	if waited {
		e.awayNanos = max(e.awayNanos, e.awayBefore, unseen)
	}
	e.awayBefore = unseen
}

// sleepNanosMin is the shortest time that is slept: less is over before it began.
const sleepNanosMin = 50_000

// poll asks which sockets are ready; unless there is something to do it may wait for them.
func (e *engine) poll(busy bool, now, until int64) (int, error) {
	if e.slept = false; busy || e.spin {
		n, errno := rawPoll(e.epfd, e.events)
		if errno != 0 && errno != unix.EINTR {
			return 0, fmt.Errorf("epoll_wait: %w", errno)
		}
		if errno != 0 {
			n = 0
		}
		return n, nil
	}
	wait := min(until, e.nextTick)
	for _, g := range e.groups {
		if g.interval > 0 && g.asking {
			wait = min(wait, g.nextDue)
		}
	}
	e.slept, e.wakeAt = wait-now >= sleepNanosMin, wait
	if !e.slept {
		wait = now
	}
	n, errno := sleepPoll(e.epfd, e.events, max(0, wait-now))
	if errno != 0 && errno != unix.EINTR {
		return 0, fmt.Errorf("epoll_pwait2: %w", errno)
	}
	if errno != 0 {
		n = 0
	}
	return n, nil
}

func (e *engine) ready(c *conn, events uint32) {
	if c.state == connConnecting {
		e.connected(c)
		return
	}
	if events&unix.EPOLLOUT != 0 && c.state == connOpen {
		e.writable(c)
	}
	if events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 && c.state == connOpen {
		e.readable(c)
	}
}

// tick does what is done ten times a second.
func (e *engine) tick(now int64) error {
	e.nextTick = now + tickNanos
	e.toOpen, e.retry = append(e.toOpen, e.retry...), e.retry[:0]
	for _, g := range e.groups {
		if g.fatal != nil {
			return g.fatal
		}
		if g.ReadBytesPerSecond > 0 {
			for i := range g.conns {
				if c := &g.conns[i]; c.state == connOpen {
					e.readSlowly(c, max(1, g.ReadBytesPerSecond/10))
				}
			}
		}
	}
	if e.ticks != nil {
		e.ticks(now)
	}
	return nil
}

package server

import "time"

// What other goroutines want of a loop comes as mail: answers from lanes, closes, ticks.
// The first letter in an empty box has the engine call the loop; the others ride along.

type mailKind uint8

const (
	mailReply mailKind = iota // write buf, and shared behind it, to conn
	mailClose                 // end conn, whose reason is set
	mailRun                   // call run
)

type mail struct {
	conn   *connection
	buf    *replyBuffer
	shared []byte
	run    func()
	kind   mailKind
}

// post delivers m, from any goroutine. It reports false if the engine is ending: then all
// its connections are, too.
func (l *loop) post(m mail) bool {
	l.mailMu.Lock()
	first := len(l.mail) == 0
	l.mail = append(l.mail, m)
	l.mailMu.Unlock()
	if !first || l.engine.run(l.readMail) {
		return true
	}
	l.dropMail()
	return false
}

// dropMail empties the box of a loop that will not read it any more.
func (l *loop) dropMail() {
	l.mailMu.Lock()
	defer l.mailMu.Unlock()
	for i := range l.mail {
		if buf := l.mail[i].buf; buf != nil {
			replyBuffers.Put(buf)
		}
	}
	l.mail = nil
}

func (l *loop) readMail() {
	l.mailMu.Lock()
	box := l.mail
	l.mail, l.mailSpare = l.mailSpare[:0], nil
	l.mailMu.Unlock()
	l.readClocks()
	for i := range box {
		l.deliver(&box[i])
	}
	clear(box)
	l.mailMu.Lock()
	if l.mailSpare == nil {
		l.mailSpare = box[:0]
	}
	l.mailMu.Unlock()
}

func (l *loop) deliver(m *mail) {
	switch m.kind {
	case mailReply:
		if !m.conn.closed && len(m.shared) == 0 {
			l.write(m.conn, m.buf.B)
		} else if !m.conn.closed {
			l.writev(m.conn, [][]byte{m.buf.B, m.shared})
		}
		replyBuffers.Put(m.buf)
	case mailClose:
		if !m.conn.closed {
			l.engine.close(m.conn.wire)
		}
	case mailRun:
		m.run()
	}
}

const (
	// againInterval lets the loop poll its other connections before it goes on with one
	// that reached the bound on work.
	againInterval = 50 * time.Microsecond
	// blockedPollInterval: see outbound.go.
	blockedPollInterval = 5 * time.Millisecond
	// pumpNanosMax is how long one round of going on may take.
	pumpNanosMax = 500_000
	// pumpNanosMin is how long a round lasts while there is work for it: the timer that
	// starts the next one is late by a millisecond or more when the process is idle.
	pumpNanosMin = 100_000
)

// pumpTimer calls loop.pumpNow on the loop, a little later. gnet's Conn.Wake would not do
// for going on with a connection: a task that is queued by a task is run in the same
// round, before the loop polls its sockets again, and a bound on work per callback would
// bound nothing.
type pumpTimer struct {
	timer *time.Timer
	reset func(time.Duration) bool // the timer's, but for tests
	at    time.Duration            // the interval it is set to, 0: not set

	drainedNanos int64 // when blocked peers were looked at last
}

func (p *pumpTimer) init(l *loop) {
	p.timer = time.AfterFunc(time.Hour, func() { l.post(mail{kind: mailRun, run: l.pumpNow}) })
	p.timer.Stop()
	p.reset = p.timer.Reset
}

// wakeIn sets the timer, unless it will fire that soon anyway. On the loop only.
func (p *pumpTimer) wakeIn(d time.Duration) {
	if p.at == 0 || d < p.at {
		p.at = d
		p.reset(d)
	}
}

// serveAgain queues c to be gone on with.
func (l *loop) serveAgain(c *connection) {
	if !c.inAgain {
		c.inAgain = true
		l.again = append(l.again, c)
		l.pump.wakeIn(againInterval)
	}
}

// pumpNow goes on with connections that have work left, first come first served and each
// in its turn, for a bounded time; and looks whether blocked peers have read.
func (l *loop) pumpNow() {
	l.pump.at = 0
	start, n := l.srv.clock.nanos(), len(l.again)
	if start-l.pump.drainedNanos >= int64(blockedPollInterval)/2 {
		l.pump.drainedNanos = start
		l.drain(false)
		n = len(l.again)
	}
	served, spent := 0, int64(0)
	for served < n && spent < pumpNanosMax || served < len(l.again) && spent < pumpNanosMin {
		c := l.again[served]
		served++
		c.inAgain = false
		l.traffic(c) // may append to l.again
		spent = l.srv.clock.nanos() - start
	}
	l.lookAtTurns()
	l.again = append(l.again[:0], l.again[served:]...)
	clear(l.again[len(l.again):cap(l.again)])
	if len(l.again) > 0 {
		l.pump.wakeIn(againInterval)
	} else if l.anyBlocked() {
		l.pump.wakeIn(blockedPollInterval)
	}
}

func (l *loop) anyBlocked() bool {
	for _, c := range l.draining {
		if c.stops&^stopsTold != 0 && !c.closed {
			return true
		}
	}
	return false
}

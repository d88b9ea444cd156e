package bench

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// openMore begins to connect those that wait for it.
func (e *engine) openMore(now int64) {
	for len(e.toOpen) > 0 && (e.connecting < connectsMax || e.toOpen[0].group.Late) {
		c := e.toOpen[0]
		e.toOpen = e.toOpen[1:]
		e.open(c, now)
	}
}

func (e *engine) open(c *conn, now int64) {
	c.reset()
	fd, err := dial(e.to, e.dials, c.group.ReceiveBufferBytes)
	e.dials++
	if err != nil {
		e.refused(c, err)
		return
	}
	c.fd, c.state, c.openedNanos = fd, connConnecting, now
	e.connecting++
	event := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: c.id}
	if err := unix.EpollCtl(e.epfd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		c.group.fatal = fmt.Errorf("epoll_ctl: %w", err)
	}
}

// refused counts a connection that could not be opened. Before the start that ends the run:
// there is no use in measuring half of what was asked for.
func (e *engine) refused(c *conn, err error) {
	g := c.group
	c.state = connClosed
	g.fail("connect: %v", err)
	if !g.asking {
		g.fatal = fmt.Errorf("group %s: connection %d of %d to %s: %w", g.Name, c.index+1, g.Conns, e.to, err)
		return
	}
	if !g.Late || g.Reconnect {
		e.retry = append(e.retry, c)
		return
	}
	e.finished(c)
}

// connected looks how the attempt to connect went.
func (e *engine) connected(c *conn) {
	e.connecting--
	if err := socketError(c.fd); err != nil {
		_ = unix.Close(c.fd)
		c.fd = -1
		e.refused(c, err)
		return
	}
	now := e.now()
	g := c.group
	c.state = connOpen
	g.opened++
	record(g.connect, now-c.openedNanos)
	e.watch(c)
	if g.asking && g.interval == 0 {
		e.fill(c, now)
	}
}

// watch tells epoll what c waits for. Slow readers are read by the clock.
func (e *engine) watch(c *conn) {
	event := unix.EpollEvent{Fd: c.id}
	if c.group.ReadBytesPerSecond == 0 {
		event.Events |= unix.EPOLLIN
	}
	if c.pollsOut {
		event.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(e.epfd, unix.EPOLL_CTL_MOD, c.fd, &event); err != nil {
		c.group.fatal = fmt.Errorf("epoll_ctl: %w", err)
	}
}

// lost ends a connection that failed, and opens it again: the load goes on.
func (e *engine) lost(c *conn, why string) {
	g := c.group
	g.errors[why]++
	if n := c.inFlight(); n > 0 {
		g.errors["unanswered when the connection ended"] += uint64(n)
	}
	e.hangUp(c)
	if !g.asking {
		g.fatal = fmt.Errorf("group %s: connection %d: %s before the start", g.Name, c.index+1, why)
		return
	}
	e.retry = append(e.retry, c)
}

func (e *engine) hangUp(c *conn) {
	if c.state == connConnecting {
		e.connecting--
	}
	_ = unix.Close(c.fd)
	c.fd, c.state = -1, connClosed
	c.reset()
}

// finished is told that c has asked all it had to, or cannot.
func (e *engine) finished(c *conn) {
	if g := c.group; g.Stay && c.state == connOpen {
		g.done++
		if g.Together > 0 && g.begun < len(g.conns) {
			g.begun++
			e.fill(&g.conns[g.begun-1], e.now())
		}
		return
	}
	if c.state == connOpen {
		e.hangUp(c)
	}
	if c.group.Reconnect {
		e.toOpen = append(e.toOpen, c)
		return
	}
	c.state = connDone
	c.group.done++
}

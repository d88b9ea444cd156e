package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// engine is one run of gnet. What is relied on of gnet v2.9.8, read in its source:
//
//   - Tasks (Execute, Wake, Close, AsyncWrite) write to an eventfd that is closed when the
//     engine stops; a task posted later would write eight bytes into whatever has got that
//     descriptor since, perhaps somebody's connection. So every task goes through gate,
//     which OnShutdown closes before the loops are told to end.
//   - A failed Write calls OnClose inside OnTraffic. Reading goes on being safe after it.
//   - In OnClose what was read and not consumed can still be read, and Write works, but that a
//     failed one closes nothing. What Write left is then sent as far as the kernel takes it.
//   - OnTick runs on a goroutine of its own, not on the loops: Server.runTicker replaces it.
//   - Interest is level-triggered, a read that would block counts for nothing, and InboundBuffered
//     is all that gnet has read of a connection: when it is 0, the next bytes are the kernel's, and
//     may be read past gnet.
//   - Discard(0) discards everything, Peek(0) peeks everything.
//   - Its own accepting hands connections to the loops faster than they take them, and ends
//     the whole engine when the descriptors are used up by then. So gnet is a client here,
//     which only has the loops, and acceptor accepts.
type engine struct {
	gnet.BuiltinEventEngine
	srv      *Server
	gate     sync.RWMutex
	closed   bool
	client   *gnet.Client
	acceptor *acceptor
	ended    chan struct{} // closed when the loops have ended
	err      error         // what with; read after ended

	mu    sync.Mutex
	loops map[gnet.EventLoop]*gnetLoop
}

// gnetLoop lets a loop use the gnet loop it runs on.
type gnetLoop struct {
	engine *engine
	el     gnet.EventLoop
	loop   *loop
	epoll  int // see read_interest.go
}

// run implements loopEngine.
func (g *gnetLoop) run(f func()) bool {
	g.engine.gate.RLock()
	defer g.engine.gate.RUnlock()
	if g.engine.closed {
		return false
	}
	task := gnet.RunnableFunc(func(context.Context) error {
		f()
		return nil
	})
	return g.el.Execute(context.Background(), task) == nil
}

// close implements loopEngine.
func (g *gnetLoop) close(w wire) { _ = g.el.Close(w.(gnet.Conn)) }

// acked implements loopEngine.
func (g *gnetLoop) acked(w wire) uint64 {
	info, err := unix.GetsockoptTCPInfo(w.Fd(), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_acked
}

// unread implements loopEngine. Neither the end of input nor an error counts as a byte.
func (g *gnetLoop) unread(w wire) int {
	n, err := unix.IoctlGetInt(w.Fd(), unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// readInto implements loopEngine. As there are bytes, it takes no error away from gnet.
func (g *gnetLoop) readInto(w wire, p []byte) int {
	n, err := unix.Read(w.Fd(), p)
	if err != nil {
		return 0
	}
	return n
}

// startGnet starts the loops and begins to accept on the address.
func startGnet(srv *Server, address string) (*engine, netip.AddrPort, error) {
	o := &srv.o
	e := &engine{srv: srv, ended: make(chan struct{}), loops: map[gnet.EventLoop]*gnetLoop{}}
	var err error
	if e.acceptor, err = newAcceptor(e, address); err != nil {
		return nil, netip.AddrPort{}, err
	}
	// Sockets have their options from the one that listens; TCPDelay only keeps gnet from
	// setting once more what package net has set.
	e.client, err = gnet.NewClient(e, gnet.WithOptions(gnet.Options{
		NumEventLoop: o.EventLoops, ReadBufferCap: o.ReadBufferBytes, WriteBufferCap: 16 << 10,
		TCPNoDelay: gnet.TCPDelay, Logger: gnetLog{srv.log},
	}))
	if err == nil {
		err = e.client.Start()
	}
	if err != nil {
		e.acceptor.close()
		return nil, netip.AddrPort{}, err
	}
	go func() {
		e.err = e.acceptor.run()
		_ = e.client.Stop() // the loops' errors are in the log
		close(e.ended)
	}()
	return e, e.acceptor.addr, nil
}

// stop ends accepting and the loops, and waits until they have ended. Connections that are
// open are closed.
func (e *engine) stop() {
	e.acceptor.close()
	<-e.ended
}

// OnShutdown implements gnet.EventHandler. It runs before the loops are told to end.
func (e *engine) OnShutdown(gnet.Engine) {
	e.gate.Lock()
	e.closed = true
	e.gate.Unlock()
}

// OnOpen implements gnet.EventHandler. The acceptor has admitted the connection.
func (e *engine) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	a := gc.Context().(*arrival)
	a.opened = true
	l := e.loopOf(gc.EventLoop())
	peer, local := addrPortOf(gc.RemoteAddr()), addrPortOf(gc.LocalAddr())
	c := e.srv.newConnection(a.id, l, gc, gc.RemoteAddr().String())
	dropAddr(gc.RemoteAddr())
	dropAddr(gc.LocalAddr())
	gc.SetContext(c)
	l.opened(c)
	if w := e.srv.watcher; w != nil {
		l.guard(c, "connection opened", func() { w.Opened(c.id, peer, local, gc.Fd()) })
	}
	return nil, gnet.None
}

// dropAddr empties an address that gnet keeps for the life of a connection and nobody asks it
// for any more: package net has the IP lie in 64 bytes of its own.
func dropAddr(a net.Addr) {
	if tcp, ok := a.(*net.TCPAddr); ok {
		*tcp = net.TCPAddr{}
	}
}

// addrPortOf returns an address of a TCP connection; an IPv4 one as such.
func addrPortOf(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// OnTraffic implements gnet.EventHandler.
func (e *engine) OnTraffic(gc gnet.Conn) gnet.Action {
	if c, ok := gc.Context().(*connection); ok {
		c.loop.traffic(c)
	}
	return gnet.None
}

// OnClose implements gnet.EventHandler. err is nil when we closed.
func (e *engine) OnClose(gc gnet.Conn, err error) gnet.Action {
	e.srv.conns.open.Add(-1)
	c, ok := gc.Context().(*connection)
	if !ok {
		return gnet.None
	}
	reason, errno := CloseBroken, errnoOf(err)
	switch {
	case err == nil:
		reason = e.srv.endReason()
	case errors.Is(err, io.EOF):
		// So is a reset called where nobody wanted to read.
		if errno = pendingError(gc.Fd()); errno == 0 {
			reason = ClosePeer
			c.loop.lastTraffic(c)
		}
	}
	c.loop.ended(c, reason, errno)
	return gnet.None
}

// pendingError is the network's error that a socket has to tell, 0 if there is none.
func pendingError(fd int) syscall.Errno {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return 0
	}
	return syscall.Errno(errno)
}

// loopOf returns the loop that runs on el.
func (e *engine) loopOf(el gnet.EventLoop) *loop {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.loops[el]
	if g == nil {
		g = &gnetLoop{engine: e, el: el, epoll: epollOf(el)}
		g.loop = newLoop(e.srv, g)
		e.loops[el] = g
		e.srv.addLoop(g.loop)
	}
	return g.loop
}

package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"

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
//   - OnTick runs on a goroutine of its own, not on the loops: Server.runTicker replaces it.
//   - Discard(0) discards everything, Peek(0) peeks everything.
//   - A keepalive option would hide the error of a failed bind: none is set here.
//   - Listening always asks for the largest backlog; OnBoot listens again with ours.
type engine struct {
	gnet.BuiltinEventEngine
	srv     *Server
	gate    sync.RWMutex
	closed  bool
	gnet    gnet.Engine
	booted  chan netip.AddrPort
	ended   chan struct{} // closed when gnet has returned
	err     error         // what with; read after ended
	bootErr error         // of OnBoot, which has no other way to say it

	mu    sync.Mutex
	loops map[gnet.EventLoop]*gnetLoop
}

// gnetLoop lets a loop use the gnet loop it runs on.
type gnetLoop struct {
	engine *engine
	el     gnet.EventLoop
	loop   *loop
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

// startGnet begins to listen on the first of addresses that this host can have. It
// returns when gnet listens or has given up.
func startGnet(srv *Server, addresses []string) (*engine, netip.AddrPort, error) {
	e := &engine{srv: srv, booted: make(chan netip.AddrPort, 1), ended: make(chan struct{}), loops: map[gnet.EventLoop]*gnetLoop{}}
	o := &srv.o
	options := gnet.Options{
		NumEventLoop: o.EventLoops, ReadBufferCap: o.ReadBufferBytes, WriteBufferCap: 16 << 10,
		ReuseAddr: true, TCPNoDelay: gnet.TCPNoDelay,
		SocketRecvBuffer: o.SocketReceiveBufferBytes, SocketSendBuffer: o.SocketSendBufferBytes,
		Logger: gnetLog{srv.log},
	}
	go func() {
		defer close(e.ended)
		for _, address := range addresses {
			e.err = errors.Join(gnet.Run(e, address, gnet.WithOptions(options)), e.bootErr)
			if !errors.Is(e.err, unix.EAFNOSUPPORT) && !errors.Is(e.err, unix.EADDRNOTAVAIL) && !errors.Is(e.err, errOnlyIPv6) {
				return
			}
			e.bootErr = nil
		}
	}()
	select {
	case addr := <-e.booted:
		return e, addr, nil
	case <-e.ended:
		return nil, netip.AddrPort{}, e.err
	}
}

// stop ends gnet and waits until it has ended. Connections that are open are closed.
func (e *engine) stop() {
	now, cancel := context.WithCancel(context.Background())
	cancel() // it would poll twice a second; ended tells sooner
	_ = e.gnet.Stop(now)
	<-e.ended
}

// OnBoot implements gnet.EventHandler.
func (e *engine) OnBoot(eng gnet.Engine) gnet.Action {
	e.gnet = eng
	addr, err := adoptListener(eng, e.srv.plan.backlog)
	if err != nil {
		e.bootErr = err
		return gnet.Shutdown
	}
	e.booted <- addr
	return gnet.None
}

// errOnlyIPv6: a socket for all addresses of both families is one for IPv6 only on a host
// whose sysctl net.ipv6.bindv6only says so. IPv4 alone is the better half.
var errOnlyIPv6 = errors.New("net.ipv6.bindv6only=1 keeps one socket from serving IPv4 and IPv6")

// adoptListener sets the backlog of gnet's listener and returns its real address.
func adoptListener(eng gnet.Engine, backlog int) (netip.AddrPort, error) {
	fd, err := eng.Dup()
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Listen(fd, backlog); err != nil {
		return netip.AddrPort{}, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		if err != nil {
			return netip.AddrPort{}, err
		}
		if only != 0 && netip.AddrFrom16(sa.Addr).IsUnspecified() {
			return netip.AddrPort{}, errOnlyIPv6
		}
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, errors.New("the listening socket is neither IPv4 nor IPv6")
}

// OnShutdown implements gnet.EventHandler. It runs before the loops are told to end.
func (e *engine) OnShutdown(gnet.Engine) {
	e.gate.Lock()
	e.closed = true
	e.gate.Unlock()
}

// OnOpen implements gnet.EventHandler.
func (e *engine) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	if e.srv.admit(gc.RemoteAddr()) {
		l := e.loopOf(gc.EventLoop())
		c := e.srv.newConnection(l, gc, gc.RemoteAddr().String())
		gc.SetContext(c)
		l.opened(c)
		if w := e.srv.watcher; w != nil {
			l.guard(c, "connection opened", func() { w.Opened(c.id, addrPortOf(gc.RemoteAddr()), addrPortOf(gc.LocalAddr()), gc.Fd()) })
		}
		return nil, gnet.None
	}
	return nil, gnet.Close
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
		return gnet.None // refused when it opened
	}
	reason := CloseBroken
	switch {
	case err == nil:
		reason = e.srv.endReason()
	case errors.Is(err, io.EOF):
		reason = ClosePeer
	}
	c.loop.ended(c, reason, errnoOf(err))
	return gnet.None
}

// loopOf returns the loop that runs on el.
func (e *engine) loopOf(el gnet.EventLoop) *loop {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.loops[el]
	if g == nil {
		g = &gnetLoop{engine: e, el: el}
		g.loop = newLoop(e.srv, g)
		e.loops[el] = g
		e.srv.addLoop(g.loop)
	}
	return g.loop
}

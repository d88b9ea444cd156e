package server

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/codec"
	"github.com/pharosmq/pharos/routetable"
	"golang.org/x/sys/unix"
)

// recorder is a Watcher that writes down what it is told.
type recorder struct {
	judges bool

	mu    sync.Mutex
	lines []string
	bound BoundBroker
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) Judges() bool { return r.judges }
func (r *recorder) Opened(id routetable.ConnID, peer, local netip.AddrPort, fd int) {
	_, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	r.note("opened %d %v %v %v", id, peer.Addr(), local.Addr(), err)
}
func (r *recorder) Requested(id routetable.ConnID, kind RequestKind) {
	r.note("requested %d %d", id, kind)
}
func (r *recorder) Answered(id routetable.ConnID) { r.note("answered %d", id) }
func (r *recorder) Closed(id routetable.ConnID, reason CloseReason, errno syscall.Errno) {
	r.note("closed %d %v %d", id, reason, errno)
}
func (r *recorder) Gone(key routetable.RegistrationKey) { r.note("gone %s", key.Broker.Addr) }
func (r *recorder) Bound(b BoundBroker, registered bool) {
	r.note("bound %d %s %v", b.Conn, b.Broker.Addr, registered)
	r.mu.Lock()
	r.bound = b
	r.mu.Unlock()
}

func (r *recorder) binding() BoundBroker {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}

// told returns the lines since the last call.
func (r *recorder) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.lines = nil }()
	return strings.Join(r.lines, "\n")
}

func (r *recorder) has(line string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.lines, line)
}

func TestWatcherIsTold(t *testing.T) {
	w := &recorder{judges: true}
	ts := startWatched(t, Options{}, w)
	b := newBroker("a", 0, "t1", "t2")
	p := ts.dial()
	p.register(b) // the connection carries a broker from here on
	p.register(b)
	p.send(codec.AppendCommand(nil, codec.SerializeJSON, &codec.Header{Code: codec.CodeRegisterBroker, Flag: 1}, nil)) // an answer is no request
	p.call(codec.CodeGetBrokerClusterInfo, nil)
	p.call(codec.CodeQueryDataVersion, []byte(`{"counter":1,"stateVersion":0,"timestamp":1}`), "clusterName", b.key().Cluster, "brokerAddr", b.addr)
	client := ts.dial()
	client.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "x")
	client.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "x") // the first one says it all
	want := `opened 1 127.0.0.1 127.0.0.1 <nil>
bound 1 10.0.0.1:10911 true
requested 1 2
bound 1 10.0.0.1:10911 true
answered 1
requested 1 0
answered 1
requested 1 0
bound 1 10.0.0.1:10911 false
answered 1
opened 2 127.0.0.1 127.0.0.1 <nil>
requested 2 1
answered 2`
	if got := w.told(); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
	p.call(codec.CodeUnregisterBroker, nil, "clusterName", b.key().Cluster, "brokerName", b.name, "brokerAddr", b.addr, "brokerId", "0")
	if !w.has("gone " + b.addr) {
		t.Errorf("not told of an unregistration: %s", w.told())
	}
	_ = client.Close()
	eventually(t, "the watcher knows of the close", func() bool { return w.has("closed 2 peer 0") })
	if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	eventually(t, "the watcher knows of the reset", func() bool { return w.has(fmt.Sprintf("closed 1 broken %d", syscall.ECONNRESET)) })
}

// closesMeanwhile is a connection that closes as soon as somebody asks for its id, if that can
// be: it may have to wait.
type closesMeanwhile struct {
	*client
	Conn
	closed chan struct{}
}

func (c *closesMeanwhile) ID() routetable.ConnID {
	if c.closed == nil {
		c.closed = make(chan struct{})
		go func() {
			defer close(c.closed)
			c.hangUp()
		}()
		select {
		case <-c.closed:
		case <-time.After(50 * time.Millisecond):
		}
	}
	return c.Conn.ID()
}

// Goal: a registration whose connection closes while it is published is somebody's to judge:
// either the watcher hears of it before it hears of the close, or it is removed.
func TestWatcherIsToldOfABindingBeforeTheClose(t *testing.T) {
	r, w := newRig(t, nil), &recorder{judges: true}
	r.watcher = w
	c := r.dial()
	b := newBroker("a", 0, "t1", "t2")
	c.mustRegister(b)
	info, _ := r.handlers.table.Snapshot().Live(b.key())
	_ = w.told()
	closing := &closesMeanwhile{client: c, Conn: c.conn}
	if !r.handlers.bind(closing, info.Binding(), true) {
		t.Error("not bound while the connection is open")
	}
	<-closing.closed
	if got, want := w.told(), fmt.Sprintf("bound %d %s true\nclosed %d peer 0", c.conn.id, b.addr, c.conn.id); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// A broker's connection that its peer ended is the watcher's to judge: nothing happens to
// the routes until it says so, and what it says is void against a newer registration.
func TestWatcherJudges(t *testing.T) {
	w := &recorder{judges: true}
	ts := startWatched(t, Options{}, w)
	b := newBroker("a", 0, "t1", "t2")
	p := ts.dial()
	p.register(b)
	_ = p.Close()
	eventually(t, "the watcher knows of the close", func() bool { return w.has("closed 1 peer 0") })
	key, generation := routetable.RegistrationKey{Broker: b.key(), Name: b.name}, w.binding().Generation
	state := func() routetable.State {
		info, known := ts.Snapshot().Registration(key)
		if !known {
			return routetable.StateRemoved
		}
		return info.State
	}
	becomes := func(want routetable.State) {
		t.Helper()
		eventually(t, fmt.Sprintf("state %v", want), func() bool { return state() == want })
	}
	becomes(routetable.StateLive)
	ts.HoldBroker(key, generation)
	becomes(routetable.StateHeld)
	ts.ParkBroker(key, generation)
	becomes(routetable.StateParked)
	ts.RestoreBroker(key, generation, true)
	becomes(routetable.StateLive)
	again := ts.dial()
	again.register(b)
	ts.RemoveBroker(key, generation) // of the life before
	ts.ParkBroker(key, generation)
	again.call(codec.CodeGetBrokerClusterInfo, nil)
	ts.HoldBroker(key, w.binding().Generation) // behind them in the lane
	becomes(routetable.StateHeld)
	ts.RemoveBroker(key, w.binding().Generation)
	becomes(routetable.StateRemoved)
	if !w.has("gone " + b.addr) {
		t.Error("the watcher was not told that the broker is gone")
	}
}

// Of a broker that registered under two names each registration is judged alone: what the
// watcher says of one leaves the other, although the table finds only the later by address.
func TestWatcherJudgesEachName(t *testing.T) {
	w := &recorder{judges: true}
	ts := startWatched(t, Options{}, w)
	p := ts.dial()
	b := newBroker("a", 0, "t1", "t2")
	p.register(b)
	first := w.binding()
	b.name = "other"
	p.register(b)
	second := w.binding()
	keyOf := func(x *BoundBroker) routetable.RegistrationKey {
		return routetable.RegistrationKey{Broker: x.Broker, Name: x.Name}
	}
	states := func() string {
		var list []string
		for info := range ts.Snapshot().Brokers() {
			list = append(list, fmt.Sprintf("%s %v", info.Name, info.State))
		}
		return strings.Join(list, ", ")
	}
	becomes := func(want string) {
		t.Helper()
		eventually(t, want, func() bool { return states() == want })
	}
	ts.HoldBroker(keyOf(&first), first.Generation)
	becomes("a held, other live")
	ts.ParkBroker(keyOf(&first), first.Generation)
	ts.ParkBroker(keyOf(&second), second.Generation)
	becomes("a parked, other parked")
	ts.RestoreBroker(keyOf(&first), first.Generation, true)
	becomes("a live, other parked")
	ts.RemoveBroker(keyOf(&second), first.Generation) // not its own: void
	ts.RemoveBroker(keyOf(&first), first.Generation)
	becomes("other parked")
	ts.RemoveBroker(keyOf(&second), second.Generation)
	becomes("")
}

// Goal: a registration that is applied while its connection closes is the watcher's to judge,
// when closes are, and goes with the connection when they are not.
func TestWatcherIsToldOfABindingAfterTheClose(t *testing.T) {
	for _, judges := range []bool{true, false} {
		r, w := newRig(t, nil), &recorder{judges: judges}
		r.watcher = w
		c := r.dial()
		b := newBroker("a", 0, "t1", "t2")
		c.mustRegister(b)
		info, _ := r.handlers.table.Snapshot().Live(b.key())
		c.hangUp()
		_ = w.told()
		if bound := r.handlers.bind(c.conn, info.Binding(), true); bound != judges {
			t.Errorf("judging %v: bound %v", judges, bound)
		}
		want := ""
		if judges {
			want = fmt.Sprintf("bound %d %s true", c.conn.id, b.addr)
		}
		if got := w.told(); got != want {
			t.Errorf("judging %v: told %q, want %q", judges, got, want)
		}
	}
}

// from is a connection that says that it comes from elsewhere.
type from struct {
	Conn
	addr string
}

func (f from) RemoteAddr() string { return f.addr }

// Goal: of two open connections that name a broker the younger is judged, since the older may
// be half dead; but not on this machine, where there is no path, and not without a watcher.
func TestYoungerConnectionIsJudged(t *testing.T) {
	for _, tt := range []struct {
		peer      string
		watched   bool
		rebinds   bool
		fromYoung bool
	}{
		{"10.0.0.1:4711", true, true, true},
		{"10.0.0.1:4711", true, false, false},
		{"10.0.0.1:4711", false, false, true},
		{"127.0.0.1:4711", true, false, true},
	} {
		r := newRig(t, nil)
		if tt.watched {
			r.watcher = &recorder{judges: true}
		}
		first, second := r.dial(), r.dial()
		bound, other := first, second
		if !tt.fromYoung {
			bound, other = second, first
		}
		b := newBroker("a", 0, "t1", "t2")
		bound.mustRegister(b)
		info, _ := r.handlers.table.Snapshot().Live(b.key())
		r.handlers.rebind(from{other.conn, tt.peer}, &info)
		after, _ := r.handlers.table.Snapshot().Live(b.key())
		if rebound := after.Conn == other.conn.id; rebound != tt.rebinds {
			t.Errorf("%+v: bound anew: %v", tt, rebound)
		}
	}
}

// A watcher that only observes leaves closes what they are in Java.
func TestWatcherObserves(t *testing.T) {
	ts := startWatched(t, Options{}, &recorder{})
	b := newBroker("a", 0, "t1", "t2")
	p := ts.dial()
	p.register(b)
	_ = p.Close()
	eventually(t, "the broker is unregistered", func() bool { return !ts.live(b) })
}

func TestCloseHalfDead(t *testing.T) {
	w := &recorder{judges: true}
	ts := startWatched(t, Options{}, w)
	p := ts.dial()
	p.call(codec.CodeGetRouteInfoByTopic, nil, "topic", "x")
	ids := ts.ConnectionIDs()
	if len(ids) != 1 {
		t.Fatalf("connections %v, want one", ids)
	}
	ts.CloseHalfDead(ids[0])
	_, err := p.Read(make([]byte, 1))
	if !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("the peer reads %v, want a reset", err)
	}
	eventually(t, "the watcher knows", func() bool { return w.has(fmt.Sprintf("closed %d half_dead 0", ids[0])) })
	ts.CloseHalfDead(ids[0]) // gone: nothing happens
}

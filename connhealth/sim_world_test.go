package connhealth_test

import (
	"fmt"
	"net/netip"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/connhealth/internal/tcpsim"
)

const (
	ms  = tcpsim.Millisecond
	sec = tcpsim.Second
	// epoch keeps the detector's times away from zero.
	epoch int64 = 1_000_000
)

// message is a request or its answer.
type message struct {
	id     int
	code   int // 103, 105, 106, 904
	broker *simBroker
}

// world is a name server with the detector, as the server's glue drives it, and brokers and
// clients around it.
type world struct {
	net     *tcpsim.Net
	det     *connhealth.Detector
	params  connhealth.Params
	events  bool // eBPF events besides samples
	brokers []*simBroker
	clients []*simClient
	conns   map[connhealth.ConnID]*serverConn
	nextID  connhealth.ConnID
	routes  map[connhealth.BrokerKey]*route
	gen     uint64
	// lookAt is when the detector is to be called next by the timer, looks how often the timer
	// was set.
	lookAt int64
	looks  int
	// performs says whether the owner does what the detector asks (mode evict).
	performs bool
	// stopped: the server process stands still; what happens meanwhile waits.
	stopped bool
	backlog []func()
	log     func(format string, args ...any)
	actions map[connhealth.ActionKind]int
}

// serverConn is what the server knows of an accepted connection.
type serverConn struct {
	id   connhealth.ConnID
	sock *tcpsim.Socket
}

// route is a registration in the table.
type route struct {
	broker   *simBroker
	gen      uint64
	parked   bool
	seen     int64
	timeout  int64
	lastConn connhealth.ConnID
}

type worldOptions struct {
	seed    uint64
	rtt     int64
	loss    float64
	events  bool
	brokers int
	clients int
	servers int // name servers the brokers know
	params  *connhealth.Params
	acting  bool
	observe bool
	noDial  bool
	last    func(connhealth.BrokerKey) bool
	rtoMax  int64 // the kernel's, if not 1 s
}

func newWorld(o worldOptions) *world {
	w := &world{events: o.events, performs: !o.observe, conns: make(map[connhealth.ConnID]*serverConn),
		routes: make(map[connhealth.BrokerKey]*route), actions: make(map[connhealth.ActionKind]int),
		log: func(string, ...any) {}}
	w.net = tcpsim.NewNet(o.seed, netip.MustParseAddr("10.0.0.1"))
	w.params = connhealth.DefaultParams()
	if o.params != nil {
		w.params = *o.params
	}
	if o.noDial {
		w.params.DialBack = false
	}
	rtoMax := 1 * sec
	if o.rtoMax != 0 {
		rtoMax = o.rtoMax
		w.params.RTOMaxMillis = rtoMax / ms
	}
	w.det = connhealth.New(w.params, o.last)
	w.net.Server.Options = w.profile(w.params.ClientKeepaliveIdleMillis, w.params.ClientKeepaliveIntervalMillis, rtoMax)
	w.net.Server.Accept = w.accept
	w.net.Server.SynAckRetransmitted = func(peer *tcpsim.Host) {
		if w.events {
			w.do(w.det.Event(w.now(), &connhealth.Event{Kind: connhealth.EventSynAckRetransmit, Peer: peer.Addr}))
		}
	}
	for i := range o.brokers {
		h := w.net.NewHost(netip.AddrFrom4([4]byte{10, 1, byte(i / 250), byte(i%250 + 1)}), o.rtt)
		h.ToServer.Loss, h.FromSrv.Loss = o.loss, o.loss
		w.brokers = append(w.brokers, newSimBroker(w, h, i, max(o.servers, 1), o.acting))
	}
	for i := range o.clients {
		h := w.net.NewHost(netip.AddrFrom4([4]byte{10, 2, byte(i / 250), byte(i%250 + 1)}), o.rtt)
		h.ToServer.Loss, h.FromSrv.Loss = o.loss, o.loss
		w.clients = append(w.clients, newSimClient(w, h))
	}
	w.loop()
	w.scan()
	return w
}

func (w *world) profile(idle, interval, rtoMax int64) tcpsim.Options {
	return tcpsim.Options{KeepIdle: idle * ms, KeepInterval: interval * ms, UserTimeout: 25 * sec, RTOMax: rtoMax}
}

func (w *world) now() int64 { return epoch + w.net.Now()/ms }

// run lets simulated time pass.
func (w *world) run(d int64) { w.net.RunUntil(w.net.Now() + d) }

// served runs f now, or when the server process runs again.
func (w *world) served(f func()) {
	if w.stopped {
		w.backlog = append(w.backlog, f)
		return
	}
	f()
}

// stop makes the server process stand still.
func (w *world) stop(d int64) {
	w.stopped = true
	w.net.After(d, func() {
		w.stopped = false
		todo := w.backlog
		w.backlog = nil
		for _, f := range todo {
			f()
		}
	})
}

func (w *world) accept(s *tcpsim.Socket) {
	w.nextID++
	c := &serverConn{id: w.nextID, sock: s}
	s.OnData = func(p any) { w.served(func() { w.request(c, p.(message)) }) }
	s.OnFIN = func() { w.served(func() { w.closed(c, connhealth.CloseFIN) }) }
	s.OnEnd = func(e tcpsim.End) {
		how := connhealth.CloseReset
		if e != tcpsim.EndReset {
			how = connhealth.CloseError
		}
		w.served(func() { w.closed(c, how) })
	}
	s.Retransmitted = func(kind int, rto int64) {
		if w.events && !w.stopped {
			w.do(w.det.Event(w.now(), &connhealth.Event{Kind: connhealth.EventRetransmit, Conn: c.id,
				Class: [...]connhealth.Retransmission{connhealth.RetransmitTimeout, connhealth.RetransmitTailLossProbe, connhealth.RetransmitFast}[kind], RTOMillis: rto / ms}))
		}
	}
	w.served(func() {
		w.conns[c.id] = c
		peer := netip.AddrPortFrom(s.Peer().Addr, 1000)
		w.do(w.det.Opened(w.now(), c.id, peer, netip.MustParseAddrPort("10.0.0.1:9876"), false))
	})
}

func (w *world) closed(c *serverConn, how connhealth.CloseHow) {
	if w.conns[c.id] == nil {
		return
	}
	delete(w.conns, c.id)
	c.sock.Close()
	w.do(w.det.Closed(w.now(), c.id, how))
	if !w.performs {
		// Without the detector Java's rule stands: the registrations go with the connection.
		for key, r := range w.routes {
			if r.lastConn == c.id {
				w.unregister(key, r)
			}
		}
	}
}

// request is the server's handler.
func (w *world) request(c *serverConn, m message) {
	if w.conns[c.id] == nil {
		return
	}
	kind := connhealth.RequestOther
	switch m.code {
	case 103:
		kind = connhealth.RequestRegister
	case 105:
		kind = connhealth.RequestClient
	}
	w.do(w.det.RequestArrived(w.now(), c.id, kind))
	if b := m.broker; b != nil && (m.code == 103 || m.code == 904) {
		r := w.routes[b.key]
		if m.code == 103 && r == nil {
			r = &route{broker: b, timeout: b.timeoutMillis}
			w.routes[b.key] = r
		}
		if r != nil {
			if m.code == 103 {
				w.gen++
				r.gen = w.gen
			}
			r.seen, r.parked, r.lastConn = w.now(), false, c.id
			b.account()
			b.registered = b.registered || m.code == 103
			c.sock.SetOptions(w.profile(w.params.BrokerKeepaliveMillis, w.params.BrokerKeepaliveMillis, w.net.Server.Options.RTOMax))
			by := connhealth.NamedByRegister
			if m.code == 904 {
				by = connhealth.NamedByHeartbeat
			}
			w.do(w.det.Bound(w.now(), c.id, connhealth.Broker{Cluster: b.key.Cluster, Name: b.name, Addr: b.key.Addr, Generation: r.gen,
				ActingMaster: b.acting, HeartbeatTimeoutMillis: b.timeoutMillis}, by))
		}
	}
	size := 200
	if m.code == 106 {
		size = 1800
	}
	c.sock.Send(m, size)
	w.det.RequestAnswered(w.now(), c.id)
}

// loop is the glue's timer: it looks when the detector says.
func (w *world) loop() {
	if !w.stopped {
		now := w.now()
		w.do(w.det.Tick(now))
		due := w.det.AppendDue(nil, now)
		if w.det.Calm() {
			// The loops come to it with their next ticks.
			w.net.After(w.net.Rand.Int64N(100*ms), func() { w.served(func() { w.sample(due) }) })
		} else {
			w.sample(due)
		}
	}
	w.lookIn(w.det.WaitMillis() * ms)
}

func (w *world) sample(due []connhealth.ConnID) {
	for _, id := range due {
		if c := w.conns[id]; c != nil && c.sock.Open() {
			s := sampleOf(c.sock.Info())
			w.do(w.det.Sample(w.now(), id, &s))
		}
	}
}

// lookIn sets the timer, in the place of what it was set to.
func (w *world) lookIn(d int64) {
	w.looks++
	look := w.looks
	w.lookAt = w.net.Now() + d
	w.net.After(d, func() {
		if look == w.looks {
			w.loop()
		}
	})
}

// lookSooner is for what was told just now.
func (w *world) lookSooner() {
	if d := w.det.WaitMillis() * ms; w.net.Now()+d < w.lookAt {
		w.lookIn(d)
	}
}

func sampleOf(i tcpsim.Info) connhealth.Sample {
	s := connhealth.Sample{State: i.State, Retransmits: i.Retransmits, Probes: i.Probes, Backoff: i.Backoff, UnackedSegs: i.Unacked,
		SndWndBytes: 65535, RTOMicros: uint32(i.RTO), RTTMicros: uint32(i.RTT), RTTVarMicros: uint32(i.RTTVar), MinRTTMicros: uint32(i.MinRTT),
		LastDataSentMillis: uint32(i.LastDataSent / ms), LastDataRecvMillis: uint32(i.LastDataRecv / ms),
		LastAckRecvMillis: uint32(i.LastAckRecv / ms), TotalRetrans: i.TotalRetrans, SegsIn: i.SegsIn, DataSegsIn: i.DataIn,
		DataSegsOut: i.DataOut, BytesAcked: i.BytesAcked}
	if i.Unreachable {
		s.SoftErr = 113
	}
	return s
}

// scan is the table's own expiry.
func (w *world) scan() {
	if !w.stopped {
		for key, r := range w.routes {
			if w.now()-r.seen > r.timeout {
				w.unregister(key, r)
				w.do(w.det.Gone(w.now(), key))
			}
		}
	}
	w.net.After(5*sec, w.scan)
}

func (w *world) unregister(key connhealth.BrokerKey, r *route) {
	delete(w.routes, key)
	r.broker.account()
}

// do performs actions as the server does.
func (w *world) do(actions []connhealth.Action) {
	// The slice is the detector's: what it asks for may call it again.
	for _, a := range append([]connhealth.Action(nil), actions...) {
		w.actions[a.Kind]++
		w.logAction(&a)
		if w.performs || a.Kind == connhealth.ActDialBack {
			w.perform(&a)
		}
	}
	w.lookSooner()
}

func (w *world) logAction(a *connhealth.Action) {
	why := ""
	if x := a.Why; x != nil {
		why = fmt.Sprintf("%v/%v silent %d unanswered %d n %d phi %.1f witness %d freeze %v D %d L %d G %v", x.Class, x.Rule, x.SilentMillis,
			x.UnansweredMillis, x.Unanswered, x.Phi, x.WitnessAgeMillis, x.Freeze, x.CloseSilence, x.CloseLate, x.CloseMass)
	}
	w.log("%8d %v conn %d %s %s", w.now()-epoch, a.Kind, a.Conn, a.Broker.Name, why)
}

func (w *world) perform(a *connhealth.Action) {
	key := a.Broker.Key()
	r := w.routes[key]
	if r != nil && a.Broker.Generation != r.gen {
		r = nil
	}
	switch a.Kind {
	case connhealth.ActPark:
		if r != nil {
			r.parked = true
			r.broker.account()
		}
	case connhealth.ActRestore:
		if r != nil {
			r.parked = false
			if a.Renew {
				r.seen = w.now()
			}
			r.broker.account()
		}
	case connhealth.ActRemove:
		if r != nil {
			w.unregister(key, r)
		}
	case connhealth.ActCloseConn:
		if c := w.conns[a.Conn]; c != nil {
			delete(w.conns, a.Conn)
			c.sock.Abort()
			w.do(w.det.Closed(w.now(), a.Conn, connhealth.CloseOurs))
		}
	case connhealth.ActKeepalive:
		if c := w.conns[a.Conn]; c != nil {
			c.sock.SetOptions(w.profile(1000, 1000, w.net.Server.Options.RTOMax))
		}
	case connhealth.ActDialBack:
		w.dialBack(a)
	}
}

// dialBack connects to a broker's address.
func (w *world) dialBack(a *connhealth.Action) {
	var b *simBroker
	for _, x := range w.brokers {
		if x.key == a.Broker.Key() {
			b = x
		}
	}
	s := w.net.Server.Connect(b.host.Host)
	done, id := false, a.Dial
	finish := func(o connhealth.DialOutcome) {
		if !done {
			done = true
			w.served(func() { w.do(w.det.DialResult(w.now(), b.key, id, o)) })
		}
	}
	dialed := w.net.Now()
	s.OnEstablished = func() {
		// A listener that is being closed resets what it accepted last.
		took := w.net.Now() - dialed
		w.net.After(50*ms+3*took/2, func() {
			finish(connhealth.DialConnected)
			s.Close()
		})
	}
	s.OnEnd = func(e tcpsim.End) {
		if e == tcpsim.EndReset {
			finish(connhealth.DialRefused)
		} else {
			finish(connhealth.DialTimeout)
		}
	}
	w.net.After(a.TimeoutMillis*ms, func() {
		if !done && !s.Established() {
			finish(connhealth.DialTimeout)
			s.Abort()
		}
	})
}

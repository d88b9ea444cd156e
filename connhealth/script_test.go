package connhealth_test

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/pharosmq/pharos/connhealth"
)

// script drives a detector by the files of testdata. A connection has a manner, which says
// what TCP_INFO shows of it as time passes:
//
//	well         every keepalive is answered
//	idle         nothing in flight, probes unanswered
//	flight       an answer in flight, unanswered
//	heard        an answer in flight, unanswered, but the peer sends data
//	acked        the same, and the peer acknowledges something else
//	window       the peer closed its window, and answers probes
//	window-dead  the peer closed its window, and does not answer
//	lossy        every third keepalive is lost
//	away         not sampled at all
type script struct {
	d     *connhealth.Detector
	now   int64
	conns map[connhealth.ConnID]*scriptConn
	order []connhealth.ConnID
	last  map[connhealth.BrokerKey]bool
	gen   uint64
	out   strings.Builder
}

type scriptConn struct {
	manner   string
	since    int64 // of the manner
	next     int64
	sample   connhealth.Sample
	lastAck  int64
	lastData int64
	lastSent int64
	rto      int64
	soft     syscall.Errno
}

func newScript() *script {
	s := &script{now: 1_000_000, conns: make(map[connhealth.ConnID]*scriptConn), last: make(map[connhealth.BrokerKey]bool)}
	s.d = connhealth.New(connhealth.DefaultParams(), func(k connhealth.BrokerKey) bool { return s.last[k] })
	return s
}

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newScript()
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			s.out.Reset()
			s.command(t, td)
			return s.out.String()
		})
	})
}

func (s *script) command(t *testing.T, td *datadriven.TestData) {
	t.Helper()
	var id, peer, addr, name, manner, how string
	var length, stall, dial int
	opt := func(name string, dst ...any) {
		if td.HasArg(name) {
			td.ScanArgs(t, name, dst...)
		}
	}
	opt("conn", &id)
	opt("peer", &peer)
	opt("addr", &addr)
	name = addr
	opt("name", &name)
	opt("manner", &manner)
	opt("how", &how)
	opt("for", &length)
	opt("stall", &stall)
	opt("dial", &dial)
	key := connhealth.BrokerKey{Cluster: "c", Name: name, Addr: addr}
	var n connhealth.ConnID
	fmt.Sscan(id, &n)
	switch td.Cmd {
	case "open":
		s.open(n, peer, td.HasArg("proxied"))
	case "bound":
		s.bind(n, name, addr, td.HasArg("acting"), td.HasArg("heartbeat"))
	case "request":
		kind := connhealth.RequestOther
		if td.HasArg("client") {
			kind = connhealth.RequestClient
		}
		s.do(s.d.RequestArrived(s.now, n, kind))
		if !td.HasArg("unanswered") {
			s.d.RequestAnswered(s.now, n)
		}
	case "answered":
		s.d.RequestAnswered(s.now, n)
	case "manner":
		s.setManner(n, manner, td.HasArg("unreachable"))
	case "run":
		s.run(int64(length))
	case "close":
		c := map[string]connhealth.CloseHow{"fin": connhealth.CloseFIN, "reset": connhealth.CloseReset, "error": connhealth.CloseError, "ours": connhealth.CloseOurs}[how]
		s.forget(n)
		s.do(s.d.Closed(s.now, n, c))
	case "dialed":
		o := map[string]connhealth.DialOutcome{"connected": connhealth.DialConnected, "refused": connhealth.DialRefused, "timeout": connhealth.DialTimeout, "failed": connhealth.DialFailed}[how]
		s.do(s.d.DialResult(s.now, key, uint64(dial), o))
	case "local-failure":
		s.do(s.d.Event(s.now, &connhealth.Event{Kind: connhealth.EventRetransmit, Class: connhealth.RetransmitLocalFailure, Conn: n, Err: syscall.EPERM}))
	case "synack-lost":
		s.do(s.d.Event(s.now, &connhealth.Event{Kind: connhealth.EventSynAckRetransmit, Peer: netip.MustParseAddr(peer)}))
	case "gone":
		s.do(s.d.Gone(s.now, key))
	case "last":
		s.last[key] = !td.HasArg("no")
	case "stalled":
		s.now += int64(stall)
		s.do(s.d.Stalled(s.now, int64(stall)))
	case "loop-stalled":
		s.run(int64(stall))
		s.do(s.d.LoopStalled(s.now, int64(stall)))
	case "show":
		s.show()
	default:
		t.Fatalf("unknown command %q", td.Cmd)
	}
}

func (s *script) open(n connhealth.ConnID, peer string, proxied bool) {
	s.conns[n] = &scriptConn{manner: "well", lastAck: s.now, lastData: s.now, lastSent: s.now, since: s.now, rto: 200,
		sample: connhealth.Sample{State: 1, SegsIn: 2, SndWndBytes: 65535, RTTMicros: 300, MinRTTMicros: 200, RTOMicros: 200_000}}
	s.order = append(s.order, n)
	s.do(s.d.Opened(s.now, n, netip.MustParseAddrPort(peer), netip.MustParseAddrPort("10.0.0.1:9876"), proxied))
}

func (s *script) bind(n connhealth.ConnID, name, addr string, acting, heartbeat bool) {
	s.gen++
	s.do(s.d.RequestArrived(s.now, n, connhealth.RequestRegister))
	by := connhealth.NamedByRegister
	if heartbeat {
		by = connhealth.NamedByHeartbeat
	}
	s.do(s.d.Bound(s.now, n, connhealth.Broker{Cluster: "c", Name: name, Addr: addr, Generation: s.gen, ActingMaster: acting}, by))
	s.d.RequestAnswered(s.now, n)
}

func (s *script) setManner(n connhealth.ConnID, manner string, unreach bool) {
	c := s.conns[n]
	c.manner, c.since, c.rto, c.soft = manner, s.now, 200, 0
	if unreach {
		c.soft = syscall.EHOSTUNREACH
	}
	switch manner {
	case "well":
		c.sample.BytesAcked++
		c.sample.UnackedSegs, c.sample.Probes, c.sample.Retransmits, c.sample.NotSentBytes, c.sample.SndWndBytes = 0, 0, 0, 0, 65535
		c.next = s.now + 1000
		c.lastAck = s.now
		c.sample.SegsIn++
	case "flight", "heard", "acked":
		c.sample.UnackedSegs = 1
		c.sample.DataSegsOut++
		c.lastSent = s.now
		c.next = s.now + 200
	case "window", "window-dead":
		c.sample.SndWndBytes, c.sample.NotSentBytes = 0, 1000
		c.next = s.now + 200
	default:
		c.next = c.lastAck + 1000
		if c.next <= s.now {
			c.next = s.now + 1000
		}
	}
}

// step lets a connection's kernel do what is due.
func (c *scriptConn) step(now int64) {
	if now < c.next {
		return
	}
	s := &c.sample
	c.next = now + 1000
	answered := func() {
		s.SegsIn++
		s.Probes = 0
		c.lastAck = now
	}
	switch c.manner {
	case "well":
		answered()
	case "idle":
		s.Probes++
	case "lossy":
		if (now-c.since)/1000%3 == 2 {
			s.Probes++
		} else {
			answered()
		}
	case "flight", "heard", "acked":
		s.TotalRetrans++
		s.DataSegsOut++
		s.Retransmits++
		s.Backoff++
		c.lastSent = now
		c.rto = min(2*c.rto, 1000)
		c.next = now + c.rto
		s.RTOMicros = uint32(c.rto * 1000)
		if c.manner == "heard" {
			s.SegsIn++
			s.DataSegsIn++
			c.lastData = now + 0
		}
		if c.manner == "acked" {
			s.SegsIn++
			c.lastAck = now
		}
	case "window":
		answered()
	case "window-dead":
		s.Probes++
	}
	s.SoftErr = c.soft
}

func (s *script) run(length int64) {
	end := s.now + length
	for s.now < end {
		s.now += 50
		for _, n := range s.order {
			if c := s.conns[n]; c != nil && c.manner != "away" {
				c.step(s.now)
			}
		}
		if s.now%100 == 0 {
			s.do(s.d.Tick(s.now))
		}
		for _, n := range s.d.AppendDue(nil, s.now) {
			c := s.conns[n]
			if c == nil || c.manner == "away" {
				continue
			}
			x := c.sample
			x.LastAckRecvMillis, x.LastDataRecvMillis, x.LastDataSentMillis = uint32(s.now-c.lastAck), uint32(s.now-c.lastData), uint32(s.now-c.lastSent)
			s.do(s.d.Sample(s.now, n, &x))
		}
	}
}

func (s *script) forget(n connhealth.ConnID) {
	delete(s.conns, n)
	for i, x := range s.order {
		if x == n {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

func (s *script) do(actions []connhealth.Action) {
	for _, a := range actions {
		fmt.Fprintf(&s.out, "%.1f %v", float64(s.now-1_000_000)/1000, a.Kind)
		if a.Conn != 0 {
			fmt.Fprintf(&s.out, " conn %d", a.Conn)
		}
		if a.Broker.Addr != "" {
			fmt.Fprintf(&s.out, " broker %s generation %d", a.Broker.Addr, a.Broker.Generation)
		}
		if a.UntilMillis != 0 {
			fmt.Fprintf(&s.out, " until %.1f", float64(a.UntilMillis-1_000_000)/1000)
		}
		if a.Kind == connhealth.ActDialBack {
			fmt.Fprintf(&s.out, " dial %d within %d ms", a.Dial, a.TimeoutMillis)
		}
		if x := a.Why; x != nil {
			fmt.Fprintf(&s.out, ": %v by %v", x.Class, x.Rule)
			if x.Unanswered > 0 {
				fmt.Fprintf(&s.out, ", unanswered %d in %d ms, silent %d ms, phi %.1f", x.Unanswered, x.UnansweredMillis, x.SilentMillis, x.Phi)
			}
			if x.Freeze != connhealth.FreezeNone {
				fmt.Fprintf(&s.out, ", freeze %v", x.Freeze)
			}
			if x.CloseSilence+x.CloseLate > 0 || x.CloseMass {
				fmt.Fprintf(&s.out, ", before the close: silence %d, late %d, mass %v", x.CloseSilence, x.CloseLate, x.CloseMass)
			}
		}
		s.out.WriteByte('\n')
	}
}

func (s *script) show() {
	for _, b := range s.d.Brokers(s.now) {
		fmt.Fprintf(&s.out, "broker %s %s by %s, conn %d, strikes %d\n", b.Broker.Addr, b.State, b.Basis, b.Conn, b.Strikes)
	}
	for _, n := range s.order {
		if v, ok := s.d.Conn(s.now, n); ok {
			fmt.Fprintf(&s.out, "conn %d %v suspect %v loss %.3f\n", n, v.Class, v.Suspect, math.Round(v.Why.LossOwn*1000)/1000)
		}
	}
}

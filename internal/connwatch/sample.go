package connwatch

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/bpf/tcpinfo"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// A loop that reads TCP_INFO of so many connections does nothing else for some 0.1 ms. The rest
// of those whose turn it is follow a little later.
const (
	samplesAtOnce = 128 // of a loop, on average
	samplesEvery  = 300 * time.Microsecond
)

// sample has the loops read TCP_INFO of connections whose turn it is: only there is a
// descriptor sure to be still the connection's.
func (w *Watch) sample(nowMillis int64) {
	if len(w.due) == 0 {
		return
	}
	// While all is well there is no hurry, as long as the loops come to it before the next look.
	most, on := samplesAtOnce*w.srv.EventLoops(), w.srv.OnConnections
	calm := w.det.Calm()
	if calm && !w.asked {
		most, on = server.VisitsPerSecond*int(w.o.Params.CalmTickMillis)/1000*w.srv.EventLoops(), w.srv.OnConnectionsSoon
	}
	w.asked = true
	ids := w.ids[:0]
	for _, id := range w.due[:min(len(w.due), most)] {
		ids = append(ids, routetable.ConnID(id))
	}
	w.due, w.ids = w.due[len(ids):], ids
	on(ids, w.sampler(len(ids), nowMillis, calm))
}

// sampler returns what a loop does for each of n connections. The last of them has them read
// together. Were one of them closed meanwhile, the next look does.
func (w *Watch) sampler(n int, askedMillis int64, calm bool) func(routetable.ConnID, int) {
	left := new(atomic.Int32)
	left.Store(int32(n))
	return func(id routetable.ConnID, fd int) {
		now := w.now()
		w.noticeStall(now, askedMillis)
		seen := note{kind: noteSample, atMillis: now, conn: connhealth.ConnID(id)}
		var info tcpinfo.Info
		known, err := tcpinfo.Read(fd, &info)
		last := left.Add(-1) == 0
		if err == nil { // else it is about to be closed
			seen.sample = sampleOf(&info, known)
			w.box.putQuietly(&seen)
		}
		// While all is well waking the watch takes longer than a sample.
		if !calm && last || calm && seen.sample.Unanswered() {
			w.box.ring()
		}
	}
}

// noticeStall tells of a loop that did for long not come to what it was asked at askedMillis,
// once for each such pause. On the loop.
func (w *Watch) noticeStall(now, askedMillis int64) {
	late := now - askedMillis
	if late < w.o.Params.StallMillis {
		return
	}
	// Several loops, and several connections of one, may notice the same pause.
	if told := w.stallTold.Load(); now-told >= w.o.Params.StallMillis && w.stallTold.CompareAndSwap(told, now) {
		w.box.put(&note{kind: noteStalled, atMillis: now, forMillis: late})
	}
}

// sampleOf says in the detector's words what TCP_INFO said, of which the kernel knew the
// first known bytes.
func sampleOf(i *tcpinfo.Info, known int) connhealth.Sample {
	s := connhealth.Sample{
		State: i.State, Retransmits: i.Retransmits, Probes: i.Probes, Backoff: i.Backoff,
		UnackedSegs: i.Unacked, NotSentBytes: i.NotSentBytes, SndWndBytes: math.MaxUint32,
		RTOMicros: i.RTOMicros, RTTMicros: i.RTTMicros, RTTVarMicros: i.RTTVarMicros, MinRTTMicros: i.MinRTTMicros,
		LastDataSentMillis: i.LastDataSentMs, LastDataRecvMillis: i.LastDataRecvMs, LastAckRecvMillis: i.LastAckRecvMs,
		TotalRetrans: i.TotalRetrans, SegsIn: i.SegsIn, DataSegsIn: i.DataSegsIn, DataSegsOut: i.DataSegsOut,
		BytesAcked: i.BytesAcked,
	}
	if known >= tcpinfo.LenSndWnd {
		s.SndWndBytes = i.SndWnd
	}
	return s
}

// The kernel's own ends of a dead connection: a backstop behind the detector, and what
// frees a connection if there is no detector any more.
const (
	brokerUserTimeout = 25 * time.Second
	clientUserTimeout = 30 * time.Second
	// observedUserTimeout is about what the kernel takes by default (tcp_retries2): whoever
	// only observes must not have it give up sooner, which the limit on its retransmission
	// timeout alone would, after 15 s.
	observedUserTimeout = 15 * time.Minute
	keepaliveCount      = 6 // the user timeout decides
)

// dress sets the socket options that make silence show, on the connection's loop. Kernels
// that lack one of them leave it out: dead peers show later then.
func (w *Watch) dress(fd int, broker bool) {
	p := &w.o.Params
	idle, interval, patience := p.ClientKeepaliveIdleMillis, p.ClientKeepaliveIntervalMillis, clientUserTimeout
	if broker {
		idle, interval, patience = p.BrokerKeepaliveMillis, p.BrokerKeepaliveMillis, brokerUserTimeout
	}
	if w.o.Mode != Evict {
		patience = observedUserTimeout
	}
	_ = tcpinfo.SetUserTimeout(fd, patience)
	_ = tcpinfo.SetKeepalive(fd, millis(idle), millis(interval), keepaliveCount)
	if !broker { // once, before there is data
		_ = tcpinfo.SetRTOMax(fd, millis(p.RTOMaxMillis))
	}
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// promote gives a connection that carries a broker since now what such a one needs.
func (w *Watch) promote(id connhealth.ConnID) {
	if _, known := w.brokers[id]; known {
		return
	}
	w.brokers[id] = struct{}{}
	w.srv.OnConnections([]routetable.ConnID{routetable.ConnID(id)}, func(id routetable.ConnID, fd int) {
		w.dress(fd, true)
		w.mark(id, fd, bpf.RoleBroker)
	})
}

// probeOften has a connection probe its peer like one that carries a broker, for good if
// until is 0.
func (w *Watch) probeOften(id connhealth.ConnID, until int64) {
	ids := []routetable.ConnID{routetable.ConnID(id)}
	w.srv.OnConnections(ids, func(_ routetable.ConnID, fd int) { w.dress(fd, true) })
	if until == 0 {
		return
	}
	time.AfterFunc(millis(max(0, until-w.now())), func() {
		w.box.put(&note{kind: noteCalm, atMillis: w.now(), conn: id})
	})
}

// calm ends that, unless the connection has come to carry a broker.
func (w *Watch) calm(id connhealth.ConnID) {
	if _, broker := w.brokers[id]; !broker {
		w.srv.OnConnections([]routetable.ConnID{routetable.ConnID(id)}, func(_ routetable.ConnID, fd int) { w.dress(fd, false) })
	}
}

package connwatch

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/bpf/tcpinfo"
	"github.com/pharosmq/pharos/connhealth"
)

func TestEventOf(t *testing.T) {
	peer := netip.MustParseAddrPort("10.1.2.3:4567")
	for _, tc := range []struct {
		name string
		in   bpf.Event
		want connhealth.Event
		ok   bool
	}{
		{"timeout", bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassTimeout, State: bpf.StateEstablished, ConnID: 7, Seq: 10, EndSeq: 110, RTOMillis: 204, SoftErr: int32(syscall.EHOSTUNREACH)},
			connhealth.Event{Kind: connhealth.EventRetransmit, Class: connhealth.RetransmitTimeout, Conn: 7, Seq: 10, SegBytes: 100, RTOMillis: 204, SoftErr: syscall.EHOSTUNREACH}, true},
		{"sequence numbers wrap", bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassFast, State: bpf.StateEstablished, ConnID: 7, Seq: math.MaxUint32 - 9, EndSeq: 10},
			connhealth.Event{Kind: connhealth.EventRetransmit, Class: connhealth.RetransmitFast, Conn: 7, Seq: math.MaxUint32 - 9, SegBytes: 20}, true},
		{"local failure", bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassLocalFailure, State: bpf.StateEstablished, ConnID: 7, Err: int32(syscall.EPERM)},
			connhealth.Event{Kind: connhealth.EventRetransmit, Class: connhealth.RetransmitLocalFailure, Conn: 7, Err: syscall.EPERM}, true},
		{"of a connection we gave up", bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassTimeout, State: bpf.StateFinWait1, ConnID: 7}, connhealth.Event{}, false},
		{"never sent", bpf.Event{Kind: bpf.KindRetransmit, Class: bpf.ClassDeferred, State: bpf.StateEstablished, ConnID: 7}, connhealth.Event{}, false},
		{"SYN-ACK", bpf.Event{Kind: bpf.KindSynAck, Remote: peer}, connhealth.Event{Kind: connhealth.EventSynAckRetransmit, Peer: peer.Addr()}, true},
		{"error", bpf.Event{Kind: bpf.KindError, ConnID: 7, Err: int32(syscall.ETIMEDOUT)}, connhealth.Event{Kind: connhealth.EventError, Conn: 7, Err: syscall.ETIMEDOUT}, true},
		{"reset", bpf.Event{Kind: bpf.KindResetReceived, ConnID: 7}, connhealth.Event{Kind: connhealth.EventResetReceived, Conn: 7}, true},
		{"state", bpf.Event{Kind: bpf.KindState, ConnID: 7}, connhealth.Event{}, false},
	} {
		got, ok := eventOf(&tc.in)
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: %+v %v, want %+v %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

func TestSampleOfOldKernel(t *testing.T) {
	info := tcpinfo.Info{SndWnd: 5}
	if s := sampleOf(&info, tcpinfo.LenSndWnd); s.SndWndBytes != 5 {
		t.Errorf("window %d, want 5", s.SndWndBytes)
	}
	if s := sampleOf(&info, tcpinfo.LenSndWnd-4); s.SndWndBytes != math.MaxUint32 {
		t.Errorf("window %d of a kernel that does not tell", s.SndWndBytes)
	}
}

func TestDialOutcomes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := dialer{ctx: t.Context()}
	ask := func(addr string) connhealth.DialOutcome {
		answer := make(chan connhealth.DialOutcome, 1)
		d.dial(addr, 5*time.Second, func(o connhealth.DialOutcome) { answer <- o })
		return <-answer
	}
	if o := ask(l.Addr().String()); o != connhealth.DialConnected {
		t.Errorf("a listener: %v", o)
	}
	addr := l.Addr().String()
	_ = l.Close()
	if o := ask(addr); o != connhealth.DialRefused {
		t.Errorf("nobody there: %v", o)
	}
	if o := ask("not an address"); o != connhealth.DialFailed {
		t.Errorf("no address: %v", o)
	}
	for err, want := range map[error]connhealth.DialOutcome{
		syscall.EHOSTUNREACH: connhealth.DialTimeout, syscall.EMFILE: connhealth.DialFailed,
		context.DeadlineExceeded: connhealth.DialTimeout, errors.New("odd"): connhealth.DialFailed,
	} {
		if o := outcomeOf(err); o != want {
			t.Errorf("%v: %v, want %v", err, o, want)
		}
	}
	d.wait()
}

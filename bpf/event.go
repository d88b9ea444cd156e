package bpf

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Kind says what happened.
type Kind uint8

// What an [Event] can be about.
const (
	// KindRetransmit: a segment was sent again; see [Event.Class] for why.
	KindRetransmit Kind = iota + 1
	// KindSynAck: the answer to a connection request was sent again: the peer's request
	// arrived, our answer was not acknowledged. Only addresses, Retransmits and times are set.
	KindSynAck
	// KindError: the socket's final error (ETIMEDOUT, EHOSTUNREACH, ECONNRESET) is in Err. A
	// reset of ours makes one too, after its KindResetSent.
	KindError
	// KindState: the socket went from OldState to State. Only of sockets marked [RoleBroker].
	KindState
	// KindResetReceived: the peer, or something that spoke for it, reset the connection.
	KindResetReceived
	// KindResetSent: we reset the connection; ResetReason says why on Linux 6.10 and later.
	KindResetSent
	// KindSocket: a row of [Tracer.DumpSockets], not something that happened.
	KindSocket
)

var kindNames = [...]string{"", "retransmit", "syn_ack", "error", "state", "reset_received", "reset_sent", "socket"}

func (k Kind) String() string { return name(kindNames[:], uint8(k)) }

// Class says why the kernel sent a segment again.
type Class uint8

// Why a segment was sent again. The names of the first three are those that OpenTelemetry's
// proposal for network.tcp.retransmit.type uses.
const (
	// ClassNone: not a retransmission.
	ClassNone Class = iota
	// ClassTimeout: the retransmission timer fired: nothing was acknowledged for a whole RTO.
	ClassTimeout
	// ClassTailLossProbe: a probe about two round trips after the last segment.
	ClassTailLossProbe
	// ClassFast: the peer's acknowledgements showed a hole; the peer is there.
	ClassFast
	// ClassSlowStart: further segments repaired after a time-out, in answer to an
	// acknowledgement; the peer is there.
	ClassSlowStart
	// ClassLocalFailure: our own host refused to send it (firewall, route, queue; Err says
	// which). Says nothing about the peer. Seen on Linux 6.17 and later.
	ClassLocalFailure
	// ClassWindow: the peer closed its window with data in flight; this tests it.
	ClassWindow
	// ClassHandshake: our connection request, or the end of a handshake, was sent again.
	ClassHandshake
	// ClassDeferred: not sent at all, tried again soon: the first copy is still in our own
	// queue, or the segment lies beyond the peer's window. Only counted, never a record.
	ClassDeferred

	classCount = 9
)

var classNames = [classCount]string{"none", "timeout", "tail_loss_probe", "fast", "slow_start", "local_failure", "window", "handshake", "deferred"}

func (c Class) String() string { return name(classNames[:], uint8(c)) }

// Role is what the owner of a socket said about it in [Tracer.MarkSocket]. It decides what
// becomes a record and what is only counted.
type Role uint8

// What a socket can be marked as.
const (
	// RoleNone: not marked; ours by its port and network namespace.
	RoleNone Role = iota
	// RoleClient: only records that show a stalled peer or a fault of ours: time-outs from the
	// second in a row, local failures, resets, final errors.
	RoleClient
	// RoleBroker: every retransmission and every change of state is a record.
	RoleBroker
	// RoleListener: a listening socket. Connections accepted from it inherit the mark and
	// appear as RoleClient with connection id 0 until they are marked themselves.
	RoleListener

	roleCount = 4
)

var roleNames = [roleCount]string{"none", "client", "broker", "listener"}

func (r Role) String() string { return name(roleNames[:], uint8(r)) }

// State is a TCP state, numbered as in the kernel.
type State uint8

// The kernel's TCP states.
const (
	StateEstablished State = iota + 1
	StateSynSent
	StateSynRecv
	StateFinWait1
	StateFinWait2
	StateTimeWait
	StateClose
	StateCloseWait
	StateLastAck
	StateListen
	StateClosing
	StateNewSynRecv
)

var stateNames = [...]string{"", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen", "closing", "new_syn_recv"}

func (s State) String() string { return name(stateNames[:], uint8(s)) }

// Closing reports whether this side has already closed the socket and its last bytes or its
// FIN wait for an acknowledgement: retransmissions then concern a connection given up.
func (s State) Closing() bool {
	return s == StateFinWait1 || s == StateClosing || s == StateLastAck
}

// CAState is the kernel's congestion state of a socket.
type CAState uint8

// The kernel's congestion states.
const (
	CAOpen CAState = iota
	CADisorder
	CACWR
	CARecovery
	CALoss
)

var caStateNames = [...]string{"open", "disorder", "cwr", "recovery", "loss"}

func (c CAState) String() string { return name(caStateNames[:], uint8(c)) }

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}

// Event is one record of the kernel about one socket, with the socket's state at that moment.
// It holds no pointers and may be copied.
type Event struct {
	// TimeNanos is the moment in the kernel, CLOCK_MONOTONIC in nanoseconds; compare it with
	// [MonotonicNanos]. It stands still while the machine is suspended.
	TimeNanos int64
	// ConnID is what [Tracer.MarkSocket] was told; 0 for a socket that is not marked.
	ConnID uint64
	// Cookie is the socket's SO_COOKIE, 0 if nobody has asked for it before.
	Cookie uint64

	Kind     Kind
	Class    Class // of KindRetransmit
	Role     Role
	State    State
	OldState State // of KindState
	CAState  CAState
	// Pending is the timer that was set (icsk_pending): 0 none, 1 retransmission, 2 reordering,
	// 3 window probe, 5 tail loss probe.
	Pending uint8
	// Retransmits counts the time-outs in a row without progress; of KindSynAck, how many times
	// the SYN-ACK has been sent again.
	Retransmits uint8
	Backoff     uint8 // doublings of the RTO
	ProbesOut   uint8 // keepalive or window probes without an answer
	TCPFlags    uint8 // of the segment: FIN 1, SYN 2, RST 4, PSH 8, ACK 16
	// Err is an errno: of a local failure why it could not be sent, otherwise the socket's
	// final error. SoftErr is the last unreachable message (ICMP, no neighbour), cleared by the
	// kernel when an acknowledgement arrives.
	Err, SoftErr int32

	RTOMillis uint32
	// Seq, EndSeq delimit the segment sent again. SndUna is the first byte not acknowledged,
	// SndNxt the next to be sent, WriteSeq the end of what the application wrote.
	Seq, EndSeq, SndUna, SndNxt, WriteSeq uint32
	PacketsOut                            uint32 // segments in flight
	SndWnd                                uint32 // bytes the peer lets us send
	SRTTMicros                            uint32
	AckAgeMillis                          uint32 // since the last acknowledgement arrived
	DataAgeMillis                         uint32 // since the last data arrived
	TotalRetrans                          uint32 // segments sent again in the socket's life
	LostOut                               uint32 // segments in flight taken for lost
	ResetReason                           uint32 // of KindResetSent: the kernel's enum sk_rst_reason

	// Local and Remote are the socket's addresses, IPv4 ones as such also on a dual-stack
	// socket. Of KindSynAck: of the connection that is not established yet.
	Local, Remote netip.AddrPort
}

// eventBytes is the size of the C struct event.
const eventBytes = 136

const addressFamilyIPv6 = 10

// decode fills e from a record of the C program. tickNanos is the length of a jiffy.
func (e *Event) decode(b []byte, tickNanos uint64) bool {
	if len(b) < eventBytes {
		return false
	}
	b = b[:eventBytes]
	le := binary.LittleEndian
	e.TimeNanos = int64(le.Uint64(b[0:]))
	e.ConnID = le.Uint64(b[8:])
	e.Cookie = le.Uint64(b[16:])
	e.Kind, e.Class, e.Role = Kind(b[24]), Class(b[25]), Role(b[26])
	e.State, e.OldState, e.CAState = State(b[27]), State(b[28]), CAState(b[29])
	e.Pending, e.Retransmits, e.Backoff, e.ProbesOut, e.TCPFlags = b[30], b[31], b[32], b[33], b[34]
	e.Err, e.SoftErr = int32(le.Uint32(b[40:])), int32(le.Uint32(b[44:]))
	e.RTOMillis = millis(le.Uint32(b[48:]), tickNanos)
	e.Seq, e.EndSeq = le.Uint32(b[52:]), le.Uint32(b[56:])
	e.SndUna, e.SndNxt, e.WriteSeq = le.Uint32(b[60:]), le.Uint32(b[64:]), le.Uint32(b[68:])
	e.PacketsOut, e.SndWnd, e.SRTTMicros = le.Uint32(b[72:]), le.Uint32(b[76:]), le.Uint32(b[80:])
	e.AckAgeMillis = millis(le.Uint32(b[84:]), tickNanos)
	e.DataAgeMillis = millis(le.Uint32(b[88:]), tickNanos)
	e.TotalRetrans, e.LostOut, e.ResetReason = le.Uint32(b[92:]), le.Uint32(b[96:]), le.Uint32(b[100:])
	e.Local = addrPort(b[35], b[104:120], le.Uint16(b[36:]))
	e.Remote = addrPort(b[35], b[120:136], le.Uint16(b[38:]))
	return true
}

func millis(ticks uint32, tickNanos uint64) uint32 {
	return uint32(uint64(ticks) * tickNanos / 1e6)
}

func addrPort(family uint8, b []byte, port uint16) netip.AddrPort {
	if family == addressFamilyIPv6 {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), port)
}

package connhealth

import (
	"net/netip"
	"syscall"
)

// Sample is what TCP_INFO said of one connection, in its own units. The time that goes
// with it is taken just before the system call.
type Sample struct {
	State       uint8 // TCP_ESTABLISHED is 1
	Retransmits uint8 // timeouts in a row without progress
	Probes      uint8 // unanswered keepalive or window probes
	Backoff     uint8

	UnackedSegs        uint32
	NotSentBytes       uint32
	SndWndBytes        uint32 // kernels that don't tell: math.MaxUint32
	RTOMicros          uint32
	RTTMicros          uint32
	RTTVarMicros       uint32
	MinRTTMicros       uint32
	LastDataSentMillis uint32 // ages
	LastDataRecvMillis uint32
	LastAckRecvMillis  uint32
	TotalRetrans       uint32
	SegsIn             uint32
	DataSegsIn         uint32
	DataSegsOut        uint32
	BytesAcked         uint64

	SoftErr syscall.Errno // sk_err_soft where it is known, else 0
}

// Unanswered reports whether the sample shows anything that the peer has not answered yet. One
// that does not can begin no suspicion.
func (s *Sample) Unanswered() bool {
	return s.UnackedSegs > 0 || s.NotSentBytes > 0 || s.Probes > 0 || s.Retransmits > 0 || s.Backoff > 0 || s.SoftErr != 0
}

// Retransmission tells retransmissions apart, in the words of OpenTelemetry's proposal.
type Retransmission uint8

// The classes of a retransmission.
const (
	RetransmitTimeout Retransmission = iota
	RetransmitTailLossProbe
	RetransmitFast
	RetransmitWindow       // into a window that closed
	RetransmitLocalFailure // our own host refused to send it: never the peer's fault
	// TransmitInferred is no event: a transmission that two samples have between them.
	TransmitInferred
	// TransmitProbe is no event: a keepalive or window probe, counted by samples.
	TransmitProbe
	// TransmitDialBack is no event: a dial-back that nobody answered.
	TransmitDialBack
)

var retransmissionNames = [...]string{"timeout", "tail_loss_probe", "fast", "window", "local_failure", "data", "probe", "dial_back"}

// String is the label of the class.
func (r Retransmission) String() string {
	if int(r) < len(retransmissionNames) {
		return retransmissionNames[r]
	}
	return "unknown"
}

// EventKind says what the kernel reported.
type EventKind uint8

// The kinds of events.
const (
	// EventRetransmit: a segment of Conn was sent again, or, with RetransmitLocalFailure,
	// was to be.
	EventRetransmit EventKind = iota
	// EventSynAckRetransmit: nobody answered our SYN-ACK to Peer. Conn is 0.
	EventSynAckRetransmit
	// EventError: the kernel reports Err on Conn.
	EventError
	// EventResetReceived and EventResetSent: Conn was reset.
	EventResetReceived
	EventResetSent
)

// Event is one report of the kernel about one of our sockets.
type Event struct {
	Kind      EventKind
	AtMillis  int64 // when it happened, if that was before it is told; 0: now
	Class     Retransmission
	Conn      ConnID
	Peer      netip.Addr // of EventSynAckRetransmit
	RTOMillis int64
	Seq       uint32
	SegBytes  uint32
	Err       syscall.Errno
	SoftErr   syscall.Errno
}

// RequestKind sorts requests by what they say about who sent them.
type RequestKind uint8

// The kinds of requests.
const (
	// RequestOther may come from anybody (106, 100, 101, 206, ...).
	RequestOther RequestKind = iota
	// RequestClient is one that brokers don't send on the connections they register on
	// (105 above all): it shows that a connection is not a broker's.
	RequestClient
	// RequestRegister is a 103, whose sender waits 24 s for the answer, not 3.
	RequestRegister
)

// CloseHow says how a connection ended.
type CloseHow uint8

// The ends of a connection.
const (
	CloseFIN   CloseHow = iota // the peer said good-bye
	CloseReset                 // ECONNRESET: the peer, or somebody in between, refused
	CloseError                 // the kernel gave up: ETIMEDOUT, EHOSTUNREACH, ...
	CloseOurs                  // we closed it: says nothing about the peer
)

var closeNames = [...]string{"fin", "reset", "error", "ours"}

// String names the end in explanations.
func (h CloseHow) String() string {
	if int(h) < len(closeNames) {
		return closeNames[h]
	}
	return "unknown"
}

// DialOutcome is the result of a dial-back.
type DialOutcome uint8

// The outcomes of a dial-back. DialNone is no result yet.
const (
	DialNone      DialOutcome = iota
	DialConnected             // SYN-ACK, and no reset soon after it: host, path and listener are there
	DialRefused               // RST, at once or soon after the SYN-ACK: the process is gone
	DialTimeout               // nothing, or unreachable
	DialFailed                // it could not be tried for a reason of our own, or says nothing
)

var dialNames = [...]string{"none", "connected", "refused", "timeout", "failed"}

// String names the outcome in explanations.
func (o DialOutcome) String() string {
	if int(o) < len(dialNames) {
		return dialNames[o]
	}
	return "unknown"
}

// unreachable reports whether a soft error says that a router cannot deliver.
func unreachable(e syscall.Errno) bool {
	return e == syscall.EHOSTUNREACH || e == syscall.ENETUNREACH || e == syscall.ENETDOWN || e == syscall.EHOSTDOWN
}

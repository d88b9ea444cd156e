// Package tcpinfo asks the kernel about one TCP socket by its descriptor, and sets the few
// options that decide how soon a dead peer shows. Plain system calls: no privilege, no
// allocation, nothing that depends on BPF.
package tcpinfo

import (
	"errors"
	"fmt"
	"structs"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Info is the kernel's struct tcp_info as of Linux 6.18. What an older kernel doesn't know is
// zero; the length that [Read] returns tells (see the Len constants).
type Info struct {
	_                structs.HostLayout
	State            uint8 // TCP state: 1 established, 8 close_wait, ... (see bpf.State)
	CAState          uint8 // congestion state: 0 open, 3 recovery, 4 loss
	Retransmits      uint8 // time-outs in a row without progress
	Probes           uint8 // keepalive or window probes without an answer
	Backoff          uint8
	Options          uint8
	WindowScales     uint8
	Flags            uint8
	RTOMicros        uint32
	ATOMicros        uint32
	SndMSS           uint32
	RcvMSS           uint32
	Unacked          uint32 // segments in flight; of a listener, connections waiting to be accepted
	Sacked           uint32 // of a listener, the limit of those
	Lost             uint32
	Retrans          uint32 // segments in flight that were sent again
	Fackets          uint32
	LastDataSentMs   uint32 // ages in milliseconds
	LastAckSentMs    uint32 // never set by the kernel
	LastDataRecvMs   uint32
	LastAckRecvMs    uint32
	PMTU             uint32
	RcvSsthresh      uint32
	RTTMicros        uint32
	RTTVarMicros     uint32
	SndSsthresh      uint32
	SndCwnd          uint32
	AdvMSS           uint32
	Reordering       uint32
	RcvRTTMicros     uint32
	RcvSpace         uint32
	TotalRetrans     uint32 // segments sent again in the socket's life
	PacingRate       uint64
	MaxPacingRate    uint64
	BytesAcked       uint64
	BytesReceived    uint64
	SegsOut          uint32
	SegsIn           uint32
	NotSentBytes     uint32 // written by the application, never sent
	MinRTTMicros     uint32
	DataSegsIn       uint32
	DataSegsOut      uint32
	DeliveryRate     uint64
	BusyMicros       uint64
	RwndLimited      uint64 // microseconds
	SndbufLimited    uint64 // microseconds
	Delivered        uint32
	DeliveredCE      uint32
	BytesSent        uint64
	BytesRetrans     uint64
	DsackDups        uint32
	ReordSeen        uint32
	RcvOOOPack       uint32
	SndWnd           uint32 // what the peer lets us send; Linux 5.4
	RcvWnd           uint32 // Linux 6.2
	Rehash           uint32
	TotalRTO         uint16 // time-outs in the socket's life; Linux 6.7
	TotalRTORecovers uint16
	TotalRTOMs       uint32 // time spent in recoveries from them
	ReceivedCE       uint32
	DeliveredE1Bytes uint32
	DeliveredE0Bytes uint32
	DeliveredCEBytes uint32
	ReceivedE1Bytes  uint32
	ReceivedE0Bytes  uint32
	ReceivedCEBytes  uint32
	AccECNFailMode   uint16
	AccECNOptSeen    uint16
}

// How many bytes [Read] must have returned for a field to be known.
const (
	LenSndWnd   = int(unsafe.Offsetof(Info{}.SndWnd) + 4)
	LenRcvWnd   = int(unsafe.Offsetof(Info{}.RcvWnd) + 4)
	LenTotalRTO = int(unsafe.Offsetof(Info{}.TotalRTO) + 2)
)

// Read fills info about the socket fd and returns how many bytes of it this kernel knows.
func Read(fd int, info *Info) (n int, err error) {
	*info = Info{}
	size := uint32(unsafe.Sizeof(*info))
	if err := getsockopt(fd, unix.IPPROTO_TCP, unix.TCP_INFO, unsafe.Pointer(info), &size); err != nil {
		return 0, fmt.Errorf("TCP_INFO of socket %d: %w", fd, err)
	}
	return int(size), nil
}

// Cookie is the kernel's number of the socket fd: unique until the next boot, never reused,
// unlike fd. Asking for it also makes it visible in BPF records.
func Cookie(fd int) (cookie uint64, err error) {
	size := uint32(unsafe.Sizeof(cookie))
	if err := getsockopt(fd, unix.SOL_SOCKET, unix.SO_COOKIE, unsafe.Pointer(&cookie), &size); err != nil {
		return 0, fmt.Errorf("SO_COOKIE of socket %d: %w", fd, err)
	}
	return cookie, nil
}

// getsockopt never waits, so Go's scheduler need not be told.
func getsockopt(fd, level, option int, value unsafe.Pointer, size *uint32) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
		uintptr(value), uintptr(unsafe.Pointer(size)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// RTOMaxMin and RTOMaxMax limit SetRTOMax.
const (
	RTOMaxMin = time.Second
	RTOMaxMax = 120 * time.Second
)

// SetRTOMax caps the time between retransmissions of fd, or of the connections accepted from a
// listener fd: it is meant to be set before data flows. It also shortens the kernel's own
// patience, unless a user timeout is set. On Linux before 6.15 the error is
// [errors.ErrUnsupported]; the connection then backs off up to two minutes.
func SetRTOMax(fd int, limit time.Duration) error {
	if limit < RTOMaxMin || limit > RTOMaxMax {
		return fmt.Errorf("TCP_RTO_MAX_MS: %v is not between %v and %v", limit, RTOMaxMin, RTOMaxMax)
	}
	err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_RTO_MAX_MS, int(limit.Milliseconds()))
	if errors.Is(err, unix.ENOPROTOOPT) {
		return fmt.Errorf("TCP_RTO_MAX_MS needs Linux 6.15: %w", errors.ErrUnsupported)
	}
	return wrap("TCP_RTO_MAX_MS", fd, err)
}

// SetKeepalive makes the kernel probe the peer of fd (or of what is accepted from fd) after
// idle without traffic, then every interval, and give up after count unanswered probes; a user
// timeout takes the place of count. idle and interval are whole seconds from 1 to 32767.
func SetKeepalive(fd int, idle, interval time.Duration, count int) error {
	for _, d := range []time.Duration{idle, interval} {
		if d < time.Second || d > 32767*time.Second || d%time.Second != 0 {
			return fmt.Errorf("keepalive of %v: whole seconds from 1 to 32767", d)
		}
	}
	if count < 1 || count > 127 {
		return fmt.Errorf("%d keepalive probes: from 1 to 127", count)
	}
	for _, o := range [...]struct {
		name          string
		level, option int
		value         int
	}{
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(idle / time.Second)},
		{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(interval / time.Second)},
		{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, count},
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.option, o.value); err != nil {
			return wrap(o.name, fd, err)
		}
	}
	return nil
}

// SetUserTimeout ends the connection fd, or those accepted from fd, when data or a probe has
// gone unanswered for so long; 0 is the kernel's default of many minutes. It also ends a peer
// that answers but keeps its window closed.
func SetUserTimeout(fd int, patience time.Duration) error {
	if patience < 0 || patience.Milliseconds() > 1<<31-1 {
		return fmt.Errorf("TCP_USER_TIMEOUT: %v is out of range", patience)
	}
	return wrap("TCP_USER_TIMEOUT", fd, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(patience.Milliseconds())))
}

func wrap(option string, fd int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of socket %d: %w", option, fd, err)
}

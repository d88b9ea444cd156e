package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Socket is what the kernel knows about one socket of ours at the moment of a dump.
type Socket struct {
	// Event carries what a record carries: its Kind is KindSocket, Err and SoftErr are the
	// socket's. In states TIME_WAIT and NEW_SYN_RECV only addresses, cookie and state are known.
	Event

	BytesAcked    uint64 // of ours, by the peer
	BytesReceived uint64
	RcvNxt        uint32 // next byte expected from the peer
	CopiedSeq     uint32 // next byte that the application will read
	RcvWnd        uint32 // what we let the peer send
	SndCwnd       uint32 // segments
	MSS           uint32
	RTTVarMicros  uint32
	RetransOut    uint32 // segments in flight that were sent again
	SackedOut     uint32
	AcceptQueue   uint32 // of a listener: established, not accepted
	AcceptMax     uint32 // of a listener: its limit
	UID           uint32 // owner
	Orphan        bool   // closed by us, the kernel is still at it
}

// Unread is how many bytes wait for the application; a FIN counts as one.
func (s *Socket) Unread() uint32 {
	if s.State == StateListen {
		return 0
	}
	return s.RcvNxt - s.CopiedSeq
}

// Unsent is how many bytes the application wrote that were never sent.
func (s *Socket) Unsent() uint32 { return s.WriteSeq - s.SndNxt }

// rowBytes is the size of the C struct row.
const rowBytes = 200

func (s *Socket) decode(b []byte, tickNanos uint64) bool {
	if len(b) < rowBytes || !s.Event.decode(b, tickNanos) {
		return false
	}
	b = b[eventBytes:rowBytes]
	le := binary.LittleEndian
	s.BytesAcked, s.BytesReceived = le.Uint64(b[0:]), le.Uint64(b[8:])
	s.RcvNxt, s.CopiedSeq, s.RcvWnd = le.Uint32(b[16:]), le.Uint32(b[20:]), le.Uint32(b[24:])
	s.SndCwnd, s.MSS, s.RTTVarMicros = le.Uint32(b[28:]), le.Uint32(b[32:]), le.Uint32(b[36:])
	s.RetransOut, s.SackedOut = le.Uint32(b[40:]), le.Uint32(b[44:])
	s.AcceptQueue, s.AcceptMax = le.Uint32(b[48:]), le.Uint32(b[52:])
	s.UID, s.Orphan = le.Uint32(b[56:]), le.Uint32(b[60:]) != 0
	return true
}

// DumpSockets looks once at every TCP socket of ours: those of this network namespace that are
// marked or use one of Options.Ports, also those that we have closed and the kernel still
// serves (the latter keep their mark until they are gone; in TIME_WAIT only ports tell). It
// walks the kernel's whole table, about two milliseconds for a thousand sockets. Before Linux
// 6.17 a socket may appear twice or not at all while others come and go.
//
// The socket belongs to DumpSockets: handle copies what it keeps. An error of handle ends the
// dump and is returned. Without BPF, or without the kernel's iterator, it is [ErrSampling].
func (t *Tracer) DumpSockets(handle func(*Socket) error) error {
	if t.dump == nil {
		return ErrSampling
	}
	rows, err := t.dump.Open()
	if err != nil {
		return fmt.Errorf("bpf: dump: %w", err)
	}
	defer rows.Close()
	buf := make([]byte, 64*rowBytes)
	var s Socket
	for have := 0; ; {
		n, err := rows.Read(buf[have:])
		have += n
		rest := buf[:have]
		for ; len(rest) >= rowBytes; rest = rest[rowBytes:] {
			s.decode(rest, t.tickNanos)
			if err := handle(&s); err != nil {
				return err
			}
		}
		have = copy(buf, rest)
		switch {
		case errors.Is(err, io.EOF) && have == 0:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("bpf: dump: it ends within a row, %d bytes left", have)
		case err != nil:
			return fmt.Errorf("bpf: dump: %w", err)
		}
	}
}

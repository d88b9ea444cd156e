package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// MarkSocket says whose the socket behind fd is: its records carry connID and role from now
// on. Marking again replaces the mark, so that a connection can become a broker's. A mark goes
// away with its socket, not with fd: nothing has to be undone.
//
// The caller makes sure that fd is still the socket it means: it may be called only where the
// connection can't be closed at the same time. On Linux before 5.19 it needs CAP_BPF at every
// call; since then only the open tracer. It returns [ErrSampling] if nothing is traced.
func (t *Tracer) MarkSocket(fd int, connID uint64, role Role) error {
	if t.mode != RunningEBPF || !t.useMarks {
		return ErrSampling
	}
	key, value := int32(fd), tcphealthMark{ConnId: connID, Role: uint32(role)}
	if err := t.maps[tcphealthMapMarks].Update(&key, &value, ebpf.UpdateAny); err != nil {
		return fmt.Errorf("bpf: mark socket %d: %w", fd, err)
	}
	return nil
}

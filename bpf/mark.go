package bpf

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// slotCount is SLOTS in C. Sockets beyond it, and those that share a slot, are found by storage.
const (
	slotCount = 1 << 14
	slotBytes = 32 // of the C struct slot
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
	if err := t.fillSlot(fd, connID, role); err != nil {
		return fmt.Errorf("bpf: slot of socket %d: %w", fd, err)
	}
	return nil
}

// fillSlot writes the mark where programs look first. It comes after the storage, which answers
// when a slot doesn't. A slot may keep the mark of a socket that has ended: no two sockets of a
// machine have the same cookie. Two loops that write the same slot may leave a mixture, which
// its check refuses.
func (t *Tracer) fillSlot(fd int, connID uint64, role Role) error {
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return err
	}
	at := int64(cookie % slotCount * slotBytes)
	who := connID<<2 | uint64(role)
	if who>>2 != connID {
		cookie, who = 0, 0 // such an id is in the storage only
	}
	var slot [slotBytes]byte
	ne := binary.NativeEndian
	ne.PutUint64(slot[0:], cookie)
	ne.PutUint64(slot[8:], who)
	ne.PutUint64(slot[16:], cookie^who)
	_, err = t.slots.WriteAt(slot[:], at)
	return err
}

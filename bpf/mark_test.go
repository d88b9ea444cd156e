package bpf

import (
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// TestPrivilegedSlots: a program believes a slot that is whole and of this socket, and asks the
// storage otherwise.
func TestPrivilegedSlots(t *testing.T) {
	const stored, inSlot = 7, 1 << 50
	l := newLab(t, nil)
	slots := l.tracer.maps[tcphealthMapSlots]
	if n, size := slots.MaxEntries(), slots.ValueSize(); n != slotCount || size != slotBytes {
		t.Fatalf("%d slots of %d bytes, Go counts %d of %d", n, size, slotCount, slotBytes)
	}
	of := func(cookie, id uint64) tcphealthSlot {
		who := id<<2 | uint64(RoleBroker)
		return tcphealthSlot{Cookie: cookie, Who: who, Check: cookie ^ who}
	}
	whole := func(cookie uint64) tcphealthSlot { return of(cookie, inSlot) }
	for _, c := range []struct {
		what string
		slot func(cookie uint64) tcphealthSlot
		want uint64
	}{
		{"as it was filled", nil, stored},
		{"another mark", whole, inSlot},
		{"another socket's", func(cookie uint64) tcphealthSlot { return whole(cookie + slotCount) }, stored},
		{"half another's", func(cookie uint64) tcphealthSlot {
			s := of(cookie+slotCount, stored+slotCount) // a mark as far away as its socket
			s.Cookie = cookie
			return s
		}, stored},
		{"half of another mark", func(cookie uint64) tcphealthSlot { s := whole(cookie); s.Who += 4; return s }, stored},
		{"empty", func(uint64) tcphealthSlot { return tcphealthSlot{} }, stored},
	} {
		p := l.connect(l.ServerIP(), stored, RoleBroker)
		var cookie uint64
		control(t, p.server, func(fd int) (err error) {
			cookie, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
			return err
		})
		key := uint32(cookie % slotCount)
		var slot tcphealthSlot
		l.must(slots.Lookup(&key, &slot))
		if slot != of(cookie, stored) {
			t.Errorf("slot of socket %d: %+v", cookie, slot)
		}
		if c.slot != nil {
			slot = c.slot(cookie)
			l.must(slots.Update(&key, &slot, ebpf.UpdateAny))
		}
		l.must(p.peer.SetLinger(0))
		l.must(p.peer.Close())
		e := l.await("reset of one whose slot is "+c.what, 1, 5*time.Second, func(e *Event) bool {
			return e.Kind == KindResetReceived && e.Cookie == cookie
		})[0]
		if e.ConnID != c.want || e.Role != RoleBroker {
			t.Errorf("%s: connection %d (%v), %d wanted", c.what, e.ConnID, e.Role, c.want)
		}
	}
}

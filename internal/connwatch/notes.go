package connwatch

import (
	"net/netip"
	"syscall"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
	"github.com/pharosmq/pharos/server"
)

// The methods of server.Watcher: called on event loops and in lanes.

// leave leaves a note that by itself gives no reason to hurry: while all is well the watch is
// not woken up for it.
func (w *Watch) leave(n *note) {
	if w.resting.Load() {
		w.box.putQuietly(n)
	} else {
		w.box.put(n)
	}
}

// Judges implements server.Watcher.
func (w *Watch) Judges() bool { return w.o.Mode == Evict && !w.broken.Load() }

// Opened implements server.Watcher.
func (w *Watch) Opened(id routetable.ConnID, peer, local netip.AddrPort, fd int) {
	w.dress(fd, false)
	w.mark(id, fd, bpf.RoleClient)
	w.leave(&note{kind: noteOpened, atMillis: w.now(), conn: connhealth.ConnID(id), peer: peer, local: local})
}

// Requested implements server.Watcher.
func (w *Watch) Requested(id routetable.ConnID, kind server.RequestKind) {
	k := connhealth.RequestOther
	switch kind {
	case server.RequestRoute:
		k = connhealth.RequestClient
	case server.RequestRegister:
		k = connhealth.RequestRegister
	}
	w.leave(&note{kind: noteRequested, atMillis: w.now(), conn: connhealth.ConnID(id), request: k})
}

// Answered implements server.Watcher.
func (w *Watch) Answered(id routetable.ConnID) {
	w.leave(&note{kind: noteAnswered, atMillis: w.now(), conn: connhealth.ConnID(id)})
}

// Bound implements server.Watcher.
func (w *Watch) Bound(b server.BoundBroker, registered bool) {
	by := connhealth.NamedByHeartbeat
	if registered {
		by = connhealth.NamedByRegister
	}
	w.leave(&note{kind: noteBound, atMillis: w.now(), conn: connhealth.ConnID(b.Conn), by: by, broker: connhealth.Broker{
		Cluster: b.Broker.Cluster, Name: b.Name, ID: b.ID, Addr: b.Broker.Addr,
		Generation: uint64(b.Generation), ActingMaster: b.ActingMaster, HeartbeatTimeoutMillis: b.TimeoutMillis,
	}})
}

// Closed implements server.Watcher.
func (w *Watch) Closed(id routetable.ConnID, reason server.CloseReason, errno syscall.Errno) {
	how := connhealth.CloseOurs
	switch {
	case reason == server.ClosePeer:
		how = connhealth.CloseFIN
	case reason == server.CloseBroken && errno == syscall.ECONNRESET:
		how = connhealth.CloseReset
	case reason == server.CloseBroken && errno == syscall.EPIPE:
		how = connhealth.CloseFIN // and we wrote afterwards
	case reason == server.CloseBroken:
		how = connhealth.CloseError
	}
	w.box.put(&note{kind: noteClosed, atMillis: w.now(), conn: connhealth.ConnID(id), how: how})
}

// Gone implements server.Watcher.
func (w *Watch) Gone(key routetable.RegistrationKey) {
	w.box.put(&note{kind: noteGone, atMillis: w.now(), key: brokerKey(key)})
}

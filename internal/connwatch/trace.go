package connwatch

import (
	"context"
	"errors"
	"syscall"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/routetable"
)

// Trace has the watch use what the BPF programs tell, from now on. It is called at most
// once, after Start; the tracer stays the caller's to close, after Stop.
func (w *Watch) Trace(ctx context.Context, t *bpf.Tracer) {
	w.traced.set(t)
	if t.Mode() != bpf.RunningEBPF {
		return
	}
	w.tracer.Store(t)
	w.srv.OnConnections(w.srv.ConnectionIDs(), func(id routetable.ConnID, fd int) { w.mark(id, fd, bpf.RoleClient) })
	w.box.put(&note{kind: noteTraced, atMillis: w.now()})
	w.done.Go(func() {
		err := t.Read(ctx, func(e *bpf.Event) {
			w.box.put(&note{kind: noteEvent, atMillis: e.TimeNanos / nanosInMillis, event: *e})
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			w.o.Log.Error("the kernel's events cannot be read any more; connections are judged by samples alone", "error", err)
		}
	})
}

// mark tells the BPF programs whose a socket is, on the connection's loop. What cannot be
// marked is judged by samples alone.
func (w *Watch) mark(id routetable.ConnID, fd int, role bpf.Role) {
	if t := w.tracer.Load(); t != nil {
		_ = t.MarkSocket(fd, uint64(id), role)
	}
}

// remark marks the connections that carry brokers, once there is a tracer.
func (w *Watch) remark() {
	ids := make([]routetable.ConnID, 0, len(w.brokers))
	for id := range w.brokers {
		ids = append(ids, routetable.ConnID(id))
	}
	w.srv.OnConnections(ids, func(id routetable.ConnID, fd int) { w.mark(id, fd, bpf.RoleBroker) })
}

var retransmissions = map[bpf.Class]connhealth.Retransmission{
	bpf.ClassTimeout:       connhealth.RetransmitTimeout,
	bpf.ClassTailLossProbe: connhealth.RetransmitTailLossProbe,
	bpf.ClassFast:          connhealth.RetransmitFast,
	bpf.ClassSlowStart:     connhealth.RetransmitFast, // an answer to an acknowledgement, too
	bpf.ClassWindow:        connhealth.RetransmitWindow,
	bpf.ClassLocalFailure:  connhealth.RetransmitLocalFailure,
}

// eventOf says in the detector's words what the kernel said. ok is false for what is not
// about a peer's health.
func eventOf(e *bpf.Event) (out connhealth.Event, ok bool) {
	out = connhealth.Event{
		AtMillis: e.TimeNanos / nanosInMillis, Conn: connhealth.ConnID(e.ConnID), RTOMillis: int64(e.RTOMillis), Seq: e.Seq, SegBytes: e.EndSeq - e.Seq,
		Err: syscall.Errno(e.Err), SoftErr: syscall.Errno(e.SoftErr),
	}
	switch e.Kind {
	case bpf.KindRetransmit:
		if e.State.Closing() {
			return out, false // given up already
		}
		out.Kind = connhealth.EventRetransmit
		out.Class, ok = retransmissions[e.Class]
		return out, ok
	case bpf.KindSynAck:
		out.Kind, out.Peer = connhealth.EventSynAckRetransmit, e.Remote.Addr()
	case bpf.KindError:
		out.Kind = connhealth.EventError
	case bpf.KindResetReceived:
		out.Kind = connhealth.EventResetReceived
	case bpf.KindResetSent:
		out.Kind = connhealth.EventResetSent
	default:
		return out, false
	}
	return out, true
}

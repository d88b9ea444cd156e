package connwatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

// dumpRowsMax bounds a dump to some 25 MB. What is left out is counted.
const dumpRowsMax = 50_000

// traced is the tracer as operators' questions use it: they may come while it is being
// closed.
type traced struct {
	mu     sync.RWMutex // held for reading while the tracer is asked
	tracer *bpf.Tracer  // nil: not open yet, or not any more
	failed string       // why it could not be opened
	dump   sync.Mutex   // one at a time: each walks the kernel's whole table
}

func (t *traced) set(tracer *bpf.Tracer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tracer = tracer
}

// forget waits for questions under way; there are no more afterwards.
func (t *traced) forget() { t.set(nil) }

// state is how the kernel's events are had, and why not. tracer is nil if they are not.
func (t *traced) state() (tracing, reason string) {
	switch {
	case t.tracer != nil:
		return t.tracer.Mode(), t.tracer.Reason()
	case t.failed != "":
		return bpf.RunningSampling, t.failed
	}
	return bpf.RunningSampling, "not loaded"
}

// TraceFailed has operators told why there is no tracer.
func (w *Watch) TraceFailed(err error) {
	w.traced.mu.Lock()
	defer w.traced.mu.Unlock()
	w.traced.failed = err.Error()
}

// tracing is state for whoever does not hold the lock.
func (t *traced) tracing() (tracing, reason string) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.state()
}

// Dump asks the kernel once for all sockets of ours, also those that we have closed and it
// still serves. It takes about two milliseconds for a thousand sockets.
func (w *Watch) Dump(ctx context.Context) (diag.Dump, error) {
	d := diag.Dump{Sockets: []diag.Socket{}}
	if err := w.traced.dumpTo(ctx, &d); err != nil {
		return diag.Dump{}, err
	}
	brokers, err := w.brokersByConn(ctx)
	if err != nil {
		return d, nil // without names it is a dump still
	}
	for i := range d.Sockets {
		d.Sockets[i].Brokers = brokers[d.Sockets[i].Conn]
	}
	return d, nil
}

func (t *traced) dumpTo(ctx context.Context, d *diag.Dump) error {
	t.dump.Lock()
	defer t.dump.Unlock()
	t.mu.RLock()
	defer t.mu.RUnlock()
	tracing, reason := t.state()
	if tracing != bpf.RunningEBPF {
		return fmt.Errorf("%w, and nothing is traced: %s", diag.ErrNoDump, reason)
	}
	err := t.tracer.DumpSockets(func(s *bpf.Socket) error {
		if len(d.Sockets) >= dumpRowsMax {
			d.Omitted++
			return nil
		}
		d.Sockets = append(d.Sockets, socketOf(s))
		return ctx.Err()
	})
	if errors.Is(err, bpf.ErrSampling) {
		for _, m := range t.tracer.Missing() {
			if m.Hook == "iter/tcp" {
				return fmt.Errorf("%w's iterator over sockets (Linux 5.9): %s", diag.ErrNoDump, m.Reason)
			}
		}
	}
	return err
}

// brokersByConn tells which brokers connections carry.
func (w *Watch) brokersByConn(ctx context.Context) (map[uint64][]diag.Broker, error) {
	views, err := ask(ctx, w, func(now int64) []connhealth.BrokerView { return w.det.Brokers(now) })
	if err != nil {
		return nil, err
	}
	m := map[uint64][]diag.Broker{}
	for i := range views {
		if id := uint64(views[i].Conn); id != 0 {
			m[id] = append(m[id], brokerOf(&views[i].Broker))
		}
	}
	return m, nil
}

var timers = map[uint8]string{0: "none", 1: "retransmission", 2: "reordering", 3: "window_probe", 5: "tail_loss_probe"}

// socketOf says in the words of package diag what the kernel said.
func socketOf(s *bpf.Socket) diag.Socket {
	d := diag.Socket{
		Conn: s.ConnID, Role: s.Role.String(), Local: s.Local.String(), Remote: s.Remote.String(), State: s.State.String(),
		Orphan: s.Orphan, Cookie: s.Cookie, Congestion: s.CAState.String(), Timer: timers[s.Pending],
		UnackedBytes: s.SndNxt - s.SndUna, UnackedSegs: s.PacketsOut, UnsentBytes: s.Unsent(), UnreadBytes: s.Unread(),
		LostSegs: s.LostOut, RetransOut: s.RetransOut, Retransmits: s.Retransmits, Backoff: s.Backoff, Probes: s.ProbesOut,
		RTOMillis: s.RTOMillis, RTTMicros: s.SRTTMicros, RTTVarMicros: s.RTTVarMicros, WindowBytes: s.SndWnd, CwndSegs: s.SndCwnd,
		MSS: s.MSS, TotalRetrans: s.TotalRetrans, BytesAcked: s.BytesAcked, BytesReceived: s.BytesReceived,
		AckAgeMillis: s.AckAgeMillis, DataAgeMillis: s.DataAgeMillis, AcceptQueue: s.AcceptQueue, AcceptMax: s.AcceptMax,
	}
	if s.Err != 0 {
		d.Error = syscall.Errno(s.Err).Error()
	}
	if s.SoftErr != 0 {
		d.SoftError = syscall.Errno(s.SoftErr).Error()
	}
	return d
}

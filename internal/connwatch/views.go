package connwatch

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
	"github.com/pharosmq/pharos/routetable"
)

// view is what the detector says of a connection, and when.
type view struct {
	connhealth.ConnView
	nowMillis int64
}

// Conns calls yield for every open connection that f wants, in the order of their ids. The
// row is the callee's during the call only. Connections come and go meanwhile; no lock is
// held, and the watch goroutine is asked for some hundred at a time.
func (w *Watch) Conns(ctx context.Context, f *diag.ConnFilter, yield func(*diag.Conn) error) error {
	ids := w.srv.ConnectionIDs()
	slices.Sort(ids)
	n := 0
	for len(ids) > 0 {
		p, err := w.piece(ctx, ids)
		if err != nil {
			return err
		}
		ids = ids[p.done:]
		snapshot := w.table.Snapshot()
		for i := range p.views {
			row := w.row(snapshot, &p.views[i])
			if !f.Wants(&row) {
				continue
			}
			if err := yield(&row); err != nil {
				return err
			}
			if n++; n == f.Limit {
				return nil
			}
		}
	}
	return nil
}

// piece is a part of an answer.
type piece struct {
	done  int // of the ids
	views []view
}

// piece asks about the first of ids, as many as are worked out in a short time.
func (w *Watch) piece(ctx context.Context, ids []routetable.ConnID) (piece, error) {
	return ask(ctx, w, func(now int64) piece {
		began := time.Now()
		p := piece{views: make([]view, 0, min(len(ids), pieceRows))}
		for _, id := range ids[:min(len(ids), pieceRows)] {
			p.done++
			if v, ok := w.det.Conn(now, connhealth.ConnID(id)); ok {
				p.views = append(p.views, view{v, now})
			}
			if p.done%16 == 0 && time.Since(began) >= pieceLongest {
				break
			}
		}
		return p
	})
}

// Conn explains one connection: how it stands, and what is kept of its past. An open one of
// which nothing is kept has no evidence; one that is closed has only that.
func (w *Watch) Conn(ctx context.Context, id uint64) (diag.ConnReport, error) {
	p, err := w.piece(ctx, []routetable.ConnID{routetable.ConnID(id)})
	if err != nil {
		return diag.ConnReport{}, err
	}
	var r diag.ConnReport
	var brokers []diag.Broker
	if len(p.views) > 0 {
		row := w.row(w.table.Snapshot(), &p.views[0])
		why := whyOf(p.views[0].Why)
		r.Conn, r.Why, brokers = &row, &why, row.Brokers
	}
	r.Tracing, r.TracingReason = w.traced.tracing()
	r.Evidence = w.evidenceOf(id, brokers)
	if r.Conn == nil && len(r.Evidence) == 0 {
		return r, diag.ErrNoConn
	}
	return r, nil
}

// row puts together what detector, server and table know of a connection.
func (w *Watch) row(snapshot *routetable.Snapshot, v *view) diag.Conn {
	x, s := v.Why, &v.Last
	c := diag.Conn{
		ID: uint64(v.Conn), Role: roleName(len(v.Brokers) > 0), Peer: v.Peer, State: diag.StateOK, Why: v.Class.String(),
		SilentMillis: max(x.SilentMillis, x.UnansweredMillis), Unanswered: x.Unanswered, HeardAgeMillis: x.HeardAgeMillis,
		AgeMillis: v.nowMillis - v.OpenedMillis, Sampled: v.SampledMillis >= 0, SampleAge: -1,
		LossOwn: x.LossOwn, Phi: x.Phi,
	}
	switch {
	case v.Parked:
		c.State = diag.StateParked
	case v.Suspect:
		c.State = diag.StateSuspect
	}
	for _, key := range v.Brokers {
		b := diag.Broker{Cluster: key.Cluster, Name: key.Name, Addr: key.Addr, ID: -1}
		if info, known := snapshot.Registration(tableKey(key)); known {
			b.ID = info.ID
		}
		c.Brokers = append(c.Brokers, b)
	}
	if info, open := w.srv.Connection(routetable.ConnID(v.Conn)); open {
		c.Peer = info.Peer
		if info.Spoke {
			c.Language, c.Version = info.Language.String(), info.Version
		}
	}
	if c.Sampled {
		c.SampleAge = v.nowMillis - v.SampledMillis
		c.UnackedSegs, c.NotSentBytes, c.Retransmits, c.Probes = s.UnackedSegs, s.NotSentBytes, s.Retransmits, s.Probes
		c.RTOMicros, c.RTTMicros, c.MinRTTMicros = s.RTOMicros, s.RTTMicros, s.MinRTTMicros
		c.RetransSegs, c.DataSegsOut = s.TotalRetrans, s.DataSegsOut
		if s.SndWndBytes != math.MaxUint32 {
			c.WindowBytes, c.WindowKnown = s.SndWndBytes, true
		}
	}
	return c
}

// Brokers returns every broker the detector knows, in the order they were first seen.
func (w *Watch) Brokers(ctx context.Context) ([]diag.BrokerState, error) {
	type answer struct {
		views     []connhealth.BrokerView
		nowMillis int64
	}
	got, err := ask(ctx, w, func(now int64) answer { return answer{w.det.Brokers(now), now} })
	if err != nil {
		return nil, err
	}
	snapshot := w.table.Snapshot()
	list := make([]diag.BrokerState, 0, len(got.views))
	for i := range got.views {
		v := &got.views[i]
		b := diag.BrokerState{
			Broker: brokerOf(&v.Broker), State: v.State, Judged: v.State, SinceMillis: got.nowMillis - v.SinceMillis,
			Why: v.Rule.String(), Class: v.Class.String(), Basis: v.Basis, Conn: uint64(v.Conn), Strikes: v.Strikes, HeartbeatAgeMillis: -1,
		}
		if info, known := snapshot.Registration(tableKey(v.Broker.Key())); known {
			b.State = info.State.String()
			b.HeartbeatAgeMillis = max(0, w.srv.NowMillis()-info.LastSeenMillis)
		}
		list = append(list, b)
	}
	return list, nil
}

func brokerOf(b *connhealth.Broker) diag.Broker {
	return diag.Broker{Cluster: b.Cluster, Name: b.Name, ID: b.ID, Addr: b.Addr}
}

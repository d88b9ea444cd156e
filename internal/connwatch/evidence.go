package connwatch

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

// What is kept: about 1.2 kB each, with its time line.
const (
	keptBrokers = 700 // about brokers, and ourselves
	keptClients = 300 // about connections without a broker
)

// kept is the evidence of late. Connections without a broker have a ring of their own, so
// that a thousand clients behind one dead router don't push out why a broker was hidden.
type kept struct {
	mu      sync.Mutex
	lastID  uint64
	brokers ring
	clients ring
}

// entry is one action with what it is remembered by.
type entry struct {
	id     uint64
	at     time.Time
	mode   Mode
	peer   string
	action connhealth.Action
}

// ring keeps the newest entries. It grows to its limit and no further.
type ring struct {
	entries []entry
	next    int // where the next goes, once full
}

func (r *ring) add(e entry, limit int) {
	if len(r.entries) < limit {
		r.entries = append(r.entries, e)
		return
	}
	r.entries[r.next] = e
	r.next = (r.next + 1) % limit
}

// add keeps an entry and returns the id that it got.
func (k *kept) add(e entry) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lastID++
	e.id = k.lastID
	if e.action.Broker.Addr == "" && e.action.Conn != 0 {
		k.clients.add(e, keptClients)
	} else {
		k.brokers.add(e, keptBrokers)
	}
	return e.id
}

// after returns the entries with greater ids that satisfy want, oldest first, and the last id
// given out.
func (k *kept) after(id uint64, want func(*entry) bool) (list []entry, last uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range []*ring{&k.brokers, &k.clients} {
		for i := range r.entries {
			if e := &r.entries[i]; e.id > id && want(e) {
				list = append(list, *e)
			}
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	return list, k.lastID
}

func (k *kept) counts() (total uint64, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lastID, len(k.brokers.entries) + len(k.clients.entries)
}

// Evidence returns what is kept of the evidence with an id greater than after, oldest first.
func (w *Watch) Evidence(after uint64) diag.EvidencePage {
	list, last := w.kept.after(after, func(*entry) bool { return true })
	p := diag.EvidencePage{Next: last, Entries: make([]diag.Evidence, len(list))}
	if last > after {
		p.Missed = last - after - uint64(len(list))
	}
	for i := range list {
		p.Entries[i] = list[i].evidence()
	}
	return p
}

// evidenceOf returns what is kept about a connection, and about the brokers it carries.
func (w *Watch) evidenceOf(conn uint64, brokers []diag.Broker) []diag.Evidence {
	list, _ := w.kept.after(0, func(e *entry) bool {
		a := &e.action
		if uint64(a.Conn) == conn || a.Why != nil && (uint64(a.Why.Conn) == conn || uint64(a.Why.NewConn) == conn) {
			return true
		}
		return slices.ContainsFunc(brokers, func(b diag.Broker) bool { return b.Addr == a.Broker.Addr && b.Cluster == a.Broker.Cluster })
	})
	out := make([]diag.Evidence, len(list))
	for i := range list {
		out[i] = list[i].evidence()
	}
	return out
}

func (e *entry) evidence() diag.Evidence {
	a := &e.action
	x := diag.Evidence{ID: e.id, Time: e.at, Mode: string(e.mode), Action: a.Kind.String(), Conn: uint64(a.Conn), Peer: e.peer, Renew: a.Renew}
	if a.Broker.Addr != "" {
		x.Broker = &diag.Broker{Cluster: a.Broker.Cluster, Name: a.Broker.Name, ID: a.Broker.ID, Addr: a.Broker.Addr}
	}
	if a.Why != nil {
		x.Why = whyOf(a.Why)
		if a.Kind == connhealth.ActHold {
			x.HoldMillis = a.UntilMillis - a.Why.AtMillis
		}
	}
	return x
}

// whyOf says an explanation in the words of package diag.
func whyOf(x *connhealth.Explanation) diag.Why {
	w := diag.Why{
		Class: x.Class.String(), Rule: x.Rule.String(),
		SilentMillis: x.SilentMillis, UnansweredMillis: x.UnansweredMillis, Unanswered: x.Unanswered,
		HeardAgeMillis: x.HeardAgeMillis, AckAgeMillis: x.AckAgeMillis, DataAgeMillis: x.DataAgeMillis,
		UnackedSegs: x.UnackedSegs, Retransmits: x.Retransmits, Probes: x.Probes, WindowBytes: x.SndWndBytes,
		RTTMicros: x.RTTMicros, LossOwn: x.LossOwn, LossGlobal: x.LossGlobal, Phi: x.Phi, ThresholdMillis: x.ThresholdMillis,
		WitnessAgeMillis: x.WitnessAgeMillis, Alone: x.Alone, Freeze: x.Freeze.String(),
		DialBack: x.Dial.String(), DialBackAge: x.DialAgeMillis, Strikes: x.Strikes, HopOnly: x.HopOnly, LastOfTopic: x.LastOfTopic,
		NewConn: uint64(x.NewConn),
	}
	if x.SoftErr != 0 {
		w.SoftError = x.SoftErr.Error()
	}
	switch x.Rule {
	case connhealth.RuleCleanClose, connhealth.RuleDoubtfulClose, connhealth.RuleConfirmClose:
		w.Close = &diag.Close{How: x.CloseHow.String(), SilenceMillis: x.CloseSilence, LateMillis: x.CloseLate, Mass: x.CloseMass}
	}
	for _, t := range x.Timeline {
		line := diag.Transmission{BeforeMillis: x.AtMillis - t.AtMillis, Class: t.Class.String(), RTOMillis: t.RTOMillis, Seq: t.Seq}
		if t.Err != 0 {
			line.Error = t.Err.Error()
		}
		w.Timeline = append(w.Timeline, line)
	}
	return w
}

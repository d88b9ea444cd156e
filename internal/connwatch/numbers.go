package connwatch

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/pharosmq/pharos/bpf"
	"github.com/pharosmq/pharos/connhealth"
	"github.com/pharosmq/pharos/internal/diag"
)

// Health returns the watch's counters, for metrics. When the watch goroutine does not
// answer, the counters that it alone knows are missing and err says why.
func (w *Watch) Health(ctx context.Context) (diag.Health, error) {
	h, err := ask(ctx, w, w.numbers)
	h.Mode = string(w.o.Mode)
	var kept int
	h.EvidenceTotal, kept = w.kept.counts()
	h.EvidenceKept = kept
	lost := w.box.lost()
	h.LeftOut = map[string]uint64{"sample": lost.Samples, "event": lost.Events, "gone": lost.Gone}
	w.traced.numbers(&h)
	return h, err
}

// numbers copies the counters, on the watch goroutine.
func (w *Watch) numbers(int64) diag.Health {
	s, t := w.det.Stats(), &w.tally
	h := diag.Health{
		SuspectsTotal: s.Suspects, RecoveredTotal: s.Recovered, Holds: s.Held, Removed: s.Removed, Contradicted: s.Contradicted,
		HoldEnds: maps.Clone(t.holdEnds), HalfDead: maps.Clone(t.halfDead), DialBacks: maps.Clone(t.dials),
		Parks: byRule(s.Parked[:]), Restores: byRule(s.Restored[:]),
		Freezes: s.Freezes, FreezeSeconds: map[string]float64{}, Samples: t.samples, StallSeconds: float64(s.StallMillis) / 1e3,
	}
	for _, f := range []connhealth.Freeze{connhealth.FreezePartial, connhealth.FreezeMajority, connhealth.FreezeFull} {
		h.FreezeSeconds[f.String()] = float64(s.FreezeMillis[f]) / 1e3
	}
	counts := map[suspect]int{}
	for _, x := range t.suspects {
		counts[x]++
	}
	for x, n := range counts {
		h.Suspects = append(h.Suspects, diag.SuspectCount{Role: x.role(), Class: x.class.String(), N: n})
	}
	for _, d := range t.detections {
		h.Detections = append(h.Detections, *d)
	}
	slices.SortFunc(h.Detections, func(a, b diag.Detection) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Class, b.Class))
	})
	return h
}

func byRule(counts []uint64) map[string]uint64 {
	m := make(map[string]uint64, len(counts))
	for rule, n := range counts {
		if connhealth.Rule(rule) != connhealth.RuleNone {
			m[connhealth.Rule(rule).String()] = n
		}
	}
	return m
}

// numbers adds what the BPF programs counted.
func (t *traced) numbers(h *diag.Health) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	h.Tracing, h.Reason = t.state()
	if h.Tracing != bpf.RunningEBPF {
		return
	}
	c, err := t.tracer.Counters()
	if err != nil {
		return
	}
	for role, classes := range c.Retransmits {
		if bpf.Role(role) == bpf.RoleListener {
			continue // does not send
		}
		for class, n := range classes {
			if bpf.Class(class) != bpf.ClassNone {
				h.Retransmissions = append(h.Retransmissions, diag.Retransmissions{Role: bpf.Role(role).String(), Type: bpf.Class(class).String(), N: n})
			}
		}
	}
	h.SynAcks, h.ResetsReceived, h.ResetsSent = c.SynAcks, c.ResetsReceived, c.ResetsSent
	h.EventsRecorded, h.EventsLost, h.EventsSuppressed = c.Records, c.Lost, c.Suppressed
	h.Programs = t.programs()
}

// programs returns what programs cost, of those that the kernel counted.
func (t *traced) programs() (list []diag.Program) {
	all, err := t.tracer.ProgramStats()
	if err != nil {
		return nil
	}
	for _, p := range all {
		if p.Runs > 0 {
			list = append(list, diag.Program{Hook: p.Hook, Runs: p.Runs, Seconds: float64(p.Nanos) / 1e9})
		}
	}
	return list
}

package admin

import (
	"strings"

	"github.com/pharosmq/pharos/internal/diag"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	descHealthInfo   = desc("connection_health_info", "Always 1; how connections are judged.", "mode", "tracing", "reason")
	descSuspects     = desc("connections_suspect", "Connections on which transmissions of ours are unanswered now.", "role", "class")
	descSuspicions   = desc("suspicions_total", "Connections that became suspect, and what of them recovered.", "event")
	descHolds        = desc("broker_holds_total", "Closes of brokers' connections that were held until it was known whether the broker lives.")
	descHoldEnds     = desc("broker_hold_ends_total", "Holds that ended, by how.", "end")
	descParks        = desc("broker_parks_total", "Brokers hidden from routes, by the rule that decided.", "rule")
	descRestores     = desc("broker_restores_total", "Brokers shown again after a hold or a park, by the rule that proved life.", "rule")
	descJudged       = desc("broker_closes_removed_total", "Brokers unregistered because their connection was judged to have closed in order.")
	descContradicted = desc("broker_verdicts_contradicted_total", "Brokers hidden by evidence of the path that proved to live within 30 s.")
	descHalfDead     = desc("half_dead_connections_total", "Connections judged half dead and closed, by role.", "role")
	descFreezes      = desc("verdict_freezes_total", "Times verdicts became slower because our own link may have been at fault.")
	descFreezeTime   = desc("verdict_freeze_seconds_total", "Time in which verdicts were slower or none, by level.", "level")
	descDetection    = desc("detection_seconds", "Silence at the moment of a verdict.", "role", "class")
	descDialBacks    = desc("dial_backs_total", "Connects to brokers' own addresses, by outcome.", "outcome")
	descSamples      = desc("tcp_samples_total", "Times TCP_INFO of a connection was read.")
	descLeftOut      = desc("watch_notes_left_out_total", "What connections and the kernel told and was not looked at, because too much came at once.", "kind")
	descStalls       = desc("own_stall_seconds_total", "Time in which this process, or one of its event loops, stood still, so that peers were given as much longer.")
	descEvidence     = desc("evidence_total", "Entries of evidence written.")
	descEvidenceKept = desc("evidence_kept", "Entries of evidence that can be read now.")
	descRetrans      = desc("tcp_retransmissions_total", "Segments sent again, by the role of their connection and why. Only with tracing.", "role", "type")
	descSynAcks      = desc("tcp_synack_retransmissions_total", "SYN-ACKs sent again. Only with tracing.")
	descResets       = desc("tcp_resets_total", "Resets of our connections. Only with tracing.", "direction")
	descEvents       = desc("tcp_events_total", "The kernel's events: recorded, lost because the ring was full, suppressed (counted only) because it was half full. Only with tracing.", "fate")
	descRuns         = desc("tcp_program_runs_total", "Runs of the BPF program at a hook, for any process. Only while the kernel counts them (kernel.bpf_stats_enabled=1).", "hook")
	descRunTime      = desc("tcp_program_run_seconds_total", "Time those runs took.", "hook")
)

// reasonMax bounds a label that comes from the kernel.
const reasonMax = 200

// collectHealth reports on the watch over connections. all is false when the watch did not
// answer: what it alone counts is left out then, not shown as zero.
func collectHealth(ch chan<- prometheus.Metric, h *diag.Health, all bool) {
	gauge(ch, descHealthInfo, 1, h.Mode, h.Tracing, label(h.Reason))
	counter(ch, descEvidence, h.EvidenceTotal)
	gauge(ch, descEvidenceKept, float64(h.EvidenceKept))
	counters(ch, descLeftOut, h.LeftOut)
	if len(h.Retransmissions) > 0 {
		collectTracing(ch, h)
	}
	if !all {
		return
	}
	for _, s := range h.Suspects {
		gauge(ch, descSuspects, float64(s.N), s.Role, s.Class)
	}
	counter(ch, descSuspicions, h.SuspectsTotal, "suspect")
	counter(ch, descSuspicions, h.RecoveredTotal, "recovered")
	counter(ch, descHolds, h.Holds)
	counters(ch, descHoldEnds, h.HoldEnds)
	counters(ch, descParks, h.Parks)
	counters(ch, descRestores, h.Restores)
	counter(ch, descJudged, h.Removed)
	counter(ch, descContradicted, h.Contradicted)
	counters(ch, descHalfDead, h.HalfDead)
	counter(ch, descFreezes, h.Freezes)
	for level, s := range h.FreezeSeconds {
		ch <- prometheus.MustNewConstMetric(descFreezeTime, prometheus.CounterValue, s, level)
	}
	for i := range h.Detections {
		ch <- detection(&h.Detections[i])
	}
	counters(ch, descDialBacks, h.DialBacks)
	counter(ch, descSamples, h.Samples)
	ch <- prometheus.MustNewConstMetric(descStalls, prometheus.CounterValue, h.StallSeconds)
}

func collectTracing(ch chan<- prometheus.Metric, h *diag.Health) {
	for _, r := range h.Retransmissions {
		counter(ch, descRetrans, r.N, r.Role, r.Type)
	}
	counter(ch, descSynAcks, h.SynAcks)
	counter(ch, descResets, h.ResetsReceived, "received")
	counter(ch, descResets, h.ResetsSent, "sent")
	counter(ch, descEvents, h.EventsRecorded, "recorded")
	counter(ch, descEvents, h.EventsLost, "lost")
	counter(ch, descEvents, h.EventsSuppressed, "suppressed")
	for _, p := range h.Programs {
		counter(ch, descRuns, p.Runs, p.Hook)
		ch <- prometheus.MustNewConstMetric(descRunTime, prometheus.CounterValue, p.Seconds, p.Hook)
	}
}

func counters(ch chan<- prometheus.Metric, d *prometheus.Desc, byLabel map[string]uint64) {
	for l, n := range byLabel {
		counter(ch, d, n, l)
	}
}

func detection(d *diag.Detection) prometheus.Metric {
	buckets := make(map[float64]uint64, len(d.Buckets))
	below := uint64(0)
	for i, n := range d.Buckets {
		below += n
		buckets[diag.DetectionBounds[i]] = below
	}
	return prometheus.MustNewConstHistogram(descDetection, d.Count, d.SumSeconds, buckets, d.Role, d.Class)
}

// label makes a text of the kernel a label: short, and legal.
func label(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), reasonMax)], "")
}

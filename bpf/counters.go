package bpf

import "fmt"

// Counters are totals since the tracer was opened, over all sockets of ours. They only grow.
type Counters struct {
	// Retransmits counts segments sent again, by role and class.
	Retransmits [roleCount][classCount]uint64
	// Closing counts those among them that belonged to connections already closed by us.
	Closing        [classCount]uint64
	SynAcks        uint64 // SYN-ACKs sent again
	Errors         uint64 // final errors
	States         uint64 // changes of state
	ResetsReceived uint64
	ResetsSent     uint64
	// Records went into the ring. Lost did not fit: their evidence must come from sampling.
	// Suppressed are those of other roles than RoleBroker that were left out, counted only,
	// because the ring was half full.
	Records, Lost, Suppressed uint64
}

// RetransmitsByClass adds up the roles.
func (c *Counters) RetransmitsByClass() (sum [classCount]uint64) {
	for _, classes := range c.Retransmits {
		for class, n := range classes {
			sum[class] += n
		}
	}
	return sum
}

// Counters reads the totals from memory shared with the kernel, without a system call.
func (t *Tracer) Counters() (Counters, error) {
	if t.totals == nil {
		return Counters{}, ErrSampling
	}
	var raw tcphealthCounters
	if err := t.totals.Get(&raw); err != nil {
		return Counters{}, fmt.Errorf("bpf: counters: %w", err)
	}
	c := Counters{
		Closing: raw.Closing, SynAcks: raw.Synacks, Errors: raw.Errors, States: raw.States,
		ResetsReceived: raw.ResetsReceived, ResetsSent: raw.ResetsSent, Lost: raw.Lost, Suppressed: raw.Suppressed,
	}
	for role := range raw.Roles {
		c.Retransmits[role] = raw.Roles[role].Retransmits
		c.Records += raw.Roles[role].Records
	}
	return c, nil
}

// ProgramStats is what one program has cost. All zero unless somebody turned the kernel's
// statistics on (sysctl kernel.bpf_stats_enabled=1), which itself costs some ten nanoseconds a run.
type ProgramStats struct {
	Hook   string
	Runs   uint64 // for sockets of any process
	Nanos  uint64
	Misses uint64 // not run because the processor was in it already
}

// ProgramStats returns the cost of every attached program.
func (t *Tracer) ProgramStats() ([]ProgramStats, error) {
	if t.mode != RunningEBPF {
		return nil, ErrSampling
	}
	var all []ProgramStats
	for _, h := range hooks {
		p := t.programs[h.name]
		if p == nil {
			continue
		}
		s, err := p.Stats()
		if err != nil {
			return nil, fmt.Errorf("bpf: statistics of %s: %w", h.name, err)
		}
		all = append(all, ProgramStats{h.name, s.RunCount, uint64(s.Runtime.Nanoseconds()), s.RecursionMisses})
	}
	return all, nil
}

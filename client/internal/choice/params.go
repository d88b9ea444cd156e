package choice

import "time"

// Params are the thresholds of a Machine. Zero values are the defaults, except where a field
// says otherwise.
type Params struct {
	// RPCTimeout is how long a request may take.
	RPCTimeout time.Duration
	// FailureThreshold is how many times that long a server that owes an answer may be silent.
	FailureThreshold int
	// SoftThreshold is how many requests in a row may fail on a server that is not silent.
	SoftThreshold int
	// KeepOnTimeout: a connection that timed out is not closed but has to prove itself.
	KeepOnTimeout bool

	// ProbeInUse and ProbeStandBy are after how much silence a server is probed.
	ProbeInUse   time.Duration
	ProbeStandBy time.Duration

	// RestMin and RestMax bound how long a failed server is left alone; RestAlone bounds it
	// while no server is in use.
	RestMin   time.Duration
	RestMax   time.Duration
	RestAlone time.Duration
	// ProofCount is how many probes in a row a failed server has to answer, ProofEvery apart.
	ProofCount int
	ProofEvery time.Duration
	// FlapWindow: whoever fails within it after its return rests longer.
	FlapWindow time.Duration

	// Silence is how long a server in use may owe an answer while another one answers; 0 is
	// off: then only RPCTimeout counts.
	Silence time.Duration
	// SlowAfter is the time of an answer that is slow, SlowCount how many in a row are too many;
	// each was asked for after the one before it had come.
	SlowAfter time.Duration
	SlowCount int

	// DialStagger is when the next server is dialled as well, while the first attempt to find
	// one still lasts.
	DialStagger time.Duration
	// StandByDelay is when the others are dialled, once one is in use; up to four times that,
	// so that not all clients come at once.
	StandByDelay time.Duration

	// HedgeMin and HedgeMax bound HedgeAfter. One lookup in HedgeEvery may be hedged, and
	// HedgeBurst of them in a row.
	HedgeMin, HedgeMax time.Duration
	HedgeEvery         int
	HedgeBurst         int

	// KeepOrder: the list is gone through as it was given, not shuffled.
	KeepOrder bool
	// Seed of the jitter and the shuffling.
	Seed uint64
}

func (p Params) withDefaults() Params {
	or(&p.RPCTimeout, 3*time.Second)
	or(&p.FailureThreshold, 1)
	or(&p.SoftThreshold, 3)
	or(&p.ProbeInUse, 10*time.Second)
	or(&p.ProbeStandBy, 30*time.Second)
	or(&p.RestMin, 500*time.Millisecond)
	or(&p.RestMax, 30*time.Second)
	or(&p.RestAlone, time.Second)
	or(&p.ProofCount, 2)
	or(&p.ProofEvery, 500*time.Millisecond)
	or(&p.FlapWindow, time.Minute)
	or(&p.SlowAfter, 500*time.Millisecond)
	or(&p.SlowCount, 3)
	or(&p.DialStagger, 250*time.Millisecond)
	or(&p.StandByDelay, 50*time.Millisecond)
	or(&p.HedgeMin, 10*time.Millisecond)
	or(&p.HedgeMax, 300*time.Millisecond)
	or(&p.HedgeEvery, 10)
	or(&p.HedgeBurst, 10)
	p.RestMax = max(p.RestMax, p.RestMin)
	p.RestAlone = max(p.RestAlone, p.RestMin)
	p.HedgeMax = max(p.HedgeMax, p.HedgeMin)
	return p
}

func or[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

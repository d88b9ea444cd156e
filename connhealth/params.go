package connhealth

// Params are the thresholds. DefaultParams gives the values that the simulation and the
// tests prove; every unit is in the name.
type Params struct {
	// BrokerKeepaliveMillis is TCP_KEEPIDLE and TCP_KEEPINTVL of connections that carry a
	// broker. One probe a second makes an idle connection as quick to judge as a busy one;
	// below half a second the peer's kernel limits the rate of its answers.
	BrokerKeepaliveMillis int64
	// ClientKeepaliveIdleMillis and ClientKeepaliveIntervalMillis are the same of all other
	// connections: 10,000 of them cost 667 probes/s.
	ClientKeepaliveIdleMillis     int64
	ClientKeepaliveIntervalMillis int64
	// RTOMaxMillis is TCP_RTO_MAX_MS where the kernel has it, else 120,000. It only serves
	// to place transmissions that happened between two samples.
	RTOMaxMillis int64

	// TestGapMaxMillis is how much of a pause between two transmissions counts as tested:
	// nobody was asked in the rest of it. Of a client more counts, since kernels without a
	// cap on the retransmission timeout back off to pauses of many seconds.
	TestGapMaxMillis       int64
	ClientTestGapMaxMillis int64
	// AnswerGraceMillis is how long after the round trip an answer may come. Probes and
	// retransmissions are answered by the peer's kernel without delay.
	AnswerGraceMillis int64

	// SuspectMillis of tested silence start closer looks; no route changes. From the third
	// timeout on the kernel picks another path by itself, at 1.6 to 3 s.
	SuspectMillis int64
	// SuspectTransmissions is the least number of unanswered transmissions of a suspect.
	SuspectTransmissions int
	// DeadMillis of tested silence are a verdict on a broker. Fail-overs of switches,
	// migrations of machines take up to 3 s; an outage of 4 s never has two unanswered
	// transmissions so far apart, and 0.1 s are left for inexact times.
	DeadMillis int64
	// OneWayMillis is DeadMillis for a peer that is heard but does not hear us: it lives, so
	// there is less hurry, and its own 3 s timeout ends most such connections before.
	OneWayMillis int64
	// DeadTransmissions and DeadPhi are the least number of unanswered transmissions, and
	// -log10 of the chance that random loss took them all: 1e-8 is one wrong verdict in
	// decades for 1,000 brokers.
	DeadTransmissions int
	DeadPhi           float64
	// UnreachablePhi replaces DeadPhi when a router said that the peer is unreachable.
	UnreachablePhi float64
	// MaxMillis of tested silence decide whatever the loss estimate says, and are what
	// doubled thresholds end at: longer than any hiccup worth waiting for, and an eighth of
	// what Java waits.
	MaxMillis int64
	// ClientDeadMillis and ClientMaxMillis are DeadMillis and MaxMillis of a connection
	// without a broker; it is only closed to free it, so there is no hurry.
	ClientDeadMillis int64
	ClientMaxMillis  int64

	// LossMin and LossMax bound the estimate that phi uses: a path that was clean so far is
	// not a perfect one, and above one half nothing is learned from counting.
	LossMin, LossMax float64
	// LossHalfLifeMillis is how fast old trials are forgotten.
	LossHalfLifeMillis int64

	// WitnessAfterMillis: a verdict needs a packet from another host this long after the
	// silence began. A packet of the same instant proves nothing about a link of ours that
	// broke just then.
	WitnessAfterMillis int64
	// QuietMillis without a packet from anybody, while somebody is suspect, is our own
	// fault: three probes of every broker were due.
	QuietMillis int64
	// FreezeHosts and FreezeShare: so many hosts, and such a part of all that carry brokers,
	// suspect within FreezeWithinMillis, ask for patience: FreezeDeadMillis of silence
	// instead of DeadMillis. A third of nine hosts may really be gone, so it is short.
	FreezeHosts        int
	FreezeShare        float64
	FreezeWithinMillis int64
	FreezeDeadMillis   int64
	// FreezeMajority: from this part on the patience is MaxMillis.
	FreezeMajority float64
	// FreezeMaxMillis ends that patience, and FreezeQuietMillis without a reason for it must
	// pass before the next: no standing freeze.
	FreezeMaxMillis   int64
	FreezeQuietMillis int64

	// CloseSilenceMillis of unanswered transmissions, or of a request of the peer that we
	// left unanswered, within CloseWindowMillis before a close make it doubtful. A single
	// lost probe costs 1 s. RegisterWindowMillis is the window when the answer to a 103 was
	// what got lost: its broker waits for 24 s before it closes.
	CloseSilenceMillis   int64
	CloseWindowMillis    int64
	RegisterWindowMillis int64
	// MassCloseHosts and MassCloseShare hosts closed or suspect within MassCloseMillis make
	// every close doubtful.
	MassCloseHosts  int
	MassCloseShare  float64
	MassCloseMillis int64

	// HoldMillis is how long a doubtful close waits for proof: the broker's scan for name
	// servers reconnects within 3 s. Acting-master groups fail over, and wait for less. A
	// close out of health waits ConfirmHoldMillis, and only for a dial-back that is known to work:
	// some of them, since SYNs get lost. A process that ended refuses within a round trip.
	HoldMillis       int64
	ActingHoldMillis int64
	// MassHoldMillis is added when many closed at once, or we stood still: a lost SYN
	// costs a second.
	MassHoldMillis    int64
	ConfirmHoldMillis int64
	// HoldFromSilenceMillis ends a hold this long after the silence began that led to it,
	// but not before HoldLeastMillis: one-way loss shows late.
	HoldFromSilenceMillis int64
	HoldLeastMillis       int64

	// CandidateBeforeMillis: a connection accepted so long before the close may be the
	// broker's new one; the end of the old one can come late.
	CandidateBeforeMillis int64
	// SuccessorMillis: a connection this young that may be the broker's new one makes the close
	// of the old one doubtful. Good-byes are repeated after up to 25 s.
	SuccessorMillis int64
	// CandidateSilentMillis is how long a new connection must have said nothing that a client
	// says before it counts: clients ask at once, a broker's scan only connects.
	CandidateSilentMillis int64
	// RegisterPeriodMillis is how often a broker registers until we know better, and
	// RegisterSlackMillis how late it may be, before a connection that was taken for its own
	// is not.
	RegisterPeriodMillis int64
	RegisterSlackMillis  int64

	// StrikeMillis is how long a contradicted verdict doubles a broker's thresholds.
	StrikeMillis int64
	// ContradictMillis: proof of life this soon after a verdict contradicts it; later, the
	// broker may have been started anew.
	ContradictMillis int64
	// ParkedConnMillis of tested silence close the connection of a parked broker. Until
	// then it stays open, since a packet on it is the quickest proof of life.
	ParkedConnMillis int64

	// DialBack allows dial-backs. DialTimeoutMillis holds two SYNs, DialTryMillis one: while a
	// broker is held several short ones tell more, and a success only ends the hold when
	// another follows DialConfirmMillis after it. DialAgainMillis paces them for one broker
	// while it matters, DialSlowMillis when it has been parked for DialSlowAfterMillis,
	// DialLearnMillis while nothing is wrong and it is only to be learned whether they work.
	// DialsPerSecond bounds all together.
	DialBack            bool
	DialTimeoutMillis   int64
	DialTryMillis       int64
	DialConfirmMillis   int64
	DialAgainMillis     int64
	DialSlowMillis      int64
	DialSlowAfterMillis int64
	DialLearnMillis     int64
	DialsPerSecond      int64

	// StallMillis between two calls of Tick are a pause of our own. For StallSettleMillis after
	// it nobody is judged: everybody is looked at first.
	StallMillis       int64
	StallSettleMillis int64

	// UrgentTickMillis is how long the owner may wait between two calls of Tick while an answer
	// is overdue or a broker is held, TickMillis while another decision is not final, and
	// CalmTickMillis while all is well (Detector.WaitMillis). In a process that has nothing else
	// to do waking up costs more than what is then done.
	UrgentTickMillis int64
	TickMillis       int64
	CalmTickMillis   int64

	// SampleMillis, SuspectSampleMillis and ClientSampleMillis pace TCP_INFO. While all is well
	// IdleSampleMillis does for a broker's connection on which we sent nothing of late: since
	// when probes are unanswered shows later, too.
	SampleMillis        int64
	IdleSampleMillis    int64
	SuspectSampleMillis int64
	ClientSampleMillis  int64
	// NudgeHosts is how many other hosts are made to speak when a witness is missing, and
	// NudgeMillis for how long.
	NudgeHosts  int
	NudgeMillis int64
}

// DefaultParams are the values of production.
func DefaultParams() Params {
	return Params{
		BrokerKeepaliveMillis:         1000,
		ClientKeepaliveIdleMillis:     15_000,
		ClientKeepaliveIntervalMillis: 2000,
		RTOMaxMillis:                  1000,
		TestGapMaxMillis:              2000,
		ClientTestGapMaxMillis:        4000,
		AnswerGraceMillis:             60,
		SuspectMillis:                 2000,
		SuspectTransmissions:          3,
		DeadMillis:                    4100,
		OneWayMillis:                  7000,
		DeadTransmissions:             5,
		DeadPhi:                       8,
		UnreachablePhi:                6,
		MaxMillis:                     15_000,
		ClientDeadMillis:              9000,
		ClientMaxMillis:               30_000,
		LossMin:                       0.02,
		LossMax:                       0.5,
		LossHalfLifeMillis:            300_000,
		WitnessAfterMillis:            1500,
		QuietMillis:                   3000,
		FreezeHosts:                   3,
		FreezeShare:                   0.3,
		FreezeWithinMillis:            10_000,
		FreezeDeadMillis:              6000,
		FreezeMajority:                0.5,
		FreezeMaxMillis:               15_000,
		FreezeQuietMillis:             10_000,
		CloseSilenceMillis:            1500,
		CloseWindowMillis:             10_000,
		RegisterWindowMillis:          30_000,
		MassCloseHosts:                3,
		MassCloseShare:                0.2,
		MassCloseMillis:               5000,
		HoldMillis:                    4000,
		ActingHoldMillis:              3000,
		MassHoldMillis:                1500,
		ConfirmHoldMillis:             2000,
		HoldFromSilenceMillis:         9500,
		HoldLeastMillis:               3200,
		CandidateBeforeMillis:         6000,
		CandidateSilentMillis:         500,
		SuccessorMillis:               60_000,
		RegisterPeriodMillis:          30_000,
		RegisterSlackMillis:           5000,
		StrikeMillis:                  600_000,
		ContradictMillis:              30_000,
		ParkedConnMillis:              20_000,
		DialBack:                      true,
		DialTimeoutMillis:             1500,
		DialTryMillis:                 400,
		DialConfirmMillis:             100,
		DialAgainMillis:               2000,
		DialSlowMillis:                10_000,
		DialSlowAfterMillis:           60_000,
		DialLearnMillis:               600_000,
		DialsPerSecond:                200,
		StallMillis:                   1000,
		StallSettleMillis:             500,
		UrgentTickMillis:              50, TickMillis: 100, CalmTickMillis: 250,
		SampleMillis: 500, IdleSampleMillis: 1000, SuspectSampleMillis: 250, ClientSampleMillis: 5000,
		NudgeHosts:  3,
		NudgeMillis: 20_000,
	}
}

package diag

// Health is the watch over connections in numbers, since it began.
type Health struct {
	Mode    string // evict, observe
	Tracing string // ebpf, sampling
	Reason  string // why not ebpf

	Suspects         []SuspectCount // now
	SuspectsTotal    uint64
	RecoveredTotal   uint64
	Holds            uint64
	HoldEnds         map[string]uint64 // restored, parked, removed, gone
	Parks            map[string]uint64 // by rule
	Restores         map[string]uint64 // by rule
	Removed          uint64            // unregistered after an orderly close
	Contradicted     uint64
	HalfDead         map[string]uint64  // connections closed, by role
	Freezes          uint64             //
	FreezeSeconds    map[string]float64 // by level
	Detections       []Detection
	DialBacks        map[string]uint64 // by outcome
	Samples          uint64
	LeftOut          map[string]uint64 // notes for which there was no room, by kind
	StallSeconds     float64           // we ourselves stood still
	EvidenceTotal    uint64
	EvidenceKept     int
	Retransmissions  []Retransmissions // empty without ebpf
	SynAcks          uint64
	ResetsReceived   uint64
	ResetsSent       uint64
	EventsRecorded   uint64
	EventsLost       uint64
	EventsSuppressed uint64
	Programs         []Program // empty while the kernel's own statistics are off
}

// SuspectCount is how many connections are suspect, of one role and for one reason.
type SuspectCount struct {
	Role, Class string
	N           int
}

// Program is what one BPF program has cost, for the sockets of all processes.
type Program struct {
	Hook    string
	Runs    uint64
	Seconds float64
}

// Retransmissions counts segments sent again, by what their socket is and why.
type Retransmissions struct {
	Role, Type string
	N          uint64
}

// DetectionBounds are the upper ends of the buckets of a Detection, in seconds.
var DetectionBounds = [...]float64{0.1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 20, 28, 32, 60, 120}

// Detection is how long the silences were that ended in a verdict, for one role and class.
type Detection struct {
	Role, Class string
	Count       uint64
	SumSeconds  float64
	Buckets     [len(DetectionBounds)]uint64 // each without those below it
}

// Observe counts one silence.
func (d *Detection) Observe(seconds float64) {
	d.Count++
	d.SumSeconds += seconds
	for i, bound := range DetectionBounds {
		if seconds <= bound {
			d.Buckets[i]++
			return
		}
	}
}

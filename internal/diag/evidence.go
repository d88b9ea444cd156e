package diag

import (
	"fmt"
	"strings"
	"time"
)

// Evidence is one thing that was decided or noticed, with all that it went by.
type Evidence struct {
	ID     uint64    `json:"id"` // grows; gaps are entries that were pushed out
	Time   time.Time `json:"time"`
	Mode   string    `json:"mode"`   // observe: nothing was done about it
	Action string    `json:"action"` // suspect, recovered, hold, park, restore, remove, close_conn, freeze, thaw
	Conn   uint64    `json:"conn"`   // 0: none
	Peer   string    `json:"peer,omitempty"`
	Broker *Broker   `json:"broker,omitempty"`
	Renew  bool      `json:"renew,omitempty"` // of restore: it counts as a heartbeat
	// HoldMillis is how long a hold lasts at most.
	HoldMillis int64 `json:"holdMillis,omitempty"`
	Why        Why   `json:"why"`
}

// Why is the explanation of one decision. What does not apply is zero, ages -1.
type Why struct {
	Class string `json:"class"`
	Rule  string `json:"rule"`

	SilentMillis     int64          `json:"silentMillis"`     // tested: nothing heard
	UnansweredMillis int64          `json:"unansweredMillis"` // tested: perhaps heard, but no answer
	Unanswered       int            `json:"unanswered"`       // transmissions of ours without an answer
	Timeline         []Transmission `json:"timeline,omitempty"`

	HeardAgeMillis   int64   `json:"heardAgeMillis"`
	AckAgeMillis     int64   `json:"ackAgeMillis"`
	DataAgeMillis    int64   `json:"dataAgeMillis"`
	UnackedSegs      uint32  `json:"unackedSegs"`
	Retransmits      uint8   `json:"retransmits"`
	Probes           uint8   `json:"probes"`
	WindowBytes      uint32  `json:"windowBytes"`
	SoftError        string  `json:"softError,omitempty"`
	RTTMicros        uint32  `json:"rttMicros"`
	LossOwn          float64 `json:"lossOwn"`
	LossGlobal       float64 `json:"lossGlobal"`
	Phi              float64 `json:"phi"`
	ThresholdMillis  int64   `json:"thresholdMillis"`
	WitnessAgeMillis int64   `json:"witnessAgeMillis"`
	Alone            bool    `json:"alone"`
	Freeze           string  `json:"freeze"`
	DialBack         string  `json:"dialBack"`
	DialBackAge      int64   `json:"dialBackAgeMillis"`
	Strikes          int     `json:"strikes"`
	HopOnly          bool    `json:"hopOnly"`
	LastOfTopic      bool    `json:"lastOfTopic"`
	Close            *Close  `json:"close,omitempty"`
	NewConn          uint64  `json:"newConn,omitempty"` // what proved life
}

// Close is how a connection ended, and what came before.
type Close struct {
	How           string `json:"how"`           // fin, reset, error, ours
	SilenceMillis int64  `json:"silenceMillis"` // the longest trouble before it
	LateMillis    int64  `json:"lateMillis"`    // the longest a request waited for our answer
	Mass          bool   `json:"mass"`          // one of many at once
}

// Transmission is one line of a time line.
type Transmission struct {
	BeforeMillis int64  `json:"beforeMillis"` // before the decision
	Class        string `json:"class"`        // data, probe, timeout, tail_loss_probe, fast, window, local_failure, dial_back
	RTOMillis    int64  `json:"rtoMillis,omitempty"`
	Error        string `json:"error,omitempty"`
	Seq          uint32 `json:"seq,omitempty"`
}

// String is the transmission in one word: when, what, and the retransmission time-out.
func (t *Transmission) String() string {
	s := fmt.Sprintf("-%d:%s", t.BeforeMillis, t.Class)
	if t.RTOMillis > 0 {
		s += fmt.Sprintf("/rto%d", t.RTOMillis)
	}
	if t.Error != "" {
		s += "/" + strings.ReplaceAll(t.Error, " ", "_")
	}
	return s
}

// TimelineText is a time line in one line, oldest first.
func (w *Why) TimelineText() string {
	words := make([]string, len(w.Timeline))
	for i := range w.Timeline {
		words[i] = w.Timeline[i].String()
	}
	return strings.Join(words, " ")
}

// EvidencePage is what is kept of the evidence after some id.
type EvidencePage struct {
	// Next is the id to ask after the next time.
	Next uint64 `json:"next"`
	// Missed is how many entries after the asked one were pushed out before they were read.
	Missed  uint64     `json:"missed"`
	Entries []Evidence `json:"entries"`
}

// ConnReport is a connection with what is known of its past.
type ConnReport struct {
	Conn     *Conn      `json:"conn"` // nil: it is closed
	Why      *Why       `json:"why"`  // as it stands now
	Evidence []Evidence `json:"evidence"`
	// Tracing is whether the kernel's events are had ("ebpf") or not ("sampling"), and why not.
	Tracing       string `json:"tracing"`
	TracingReason string `json:"tracingReason,omitempty"`
}

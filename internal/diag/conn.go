package diag

import (
	"slices"
	"strings"
)

// The roles of a connection.
const (
	RoleBroker = "broker"
	RoleClient = "client" // whatever carries no broker
)

// The states of a connection.
const (
	StateOK      = "ok"
	StateSuspect = "suspect" // transmissions of ours have been unanswered for 2 s
	StateParked  = "parked"  // its brokers are hidden, it stays open to hear of them
)

// Broker names a registration.
type Broker struct {
	Cluster string `json:"cluster"`
	Name    string `json:"name"`
	ID      int64  `json:"id"`
	Addr    string `json:"addr"`
}

// Conn is one open connection.
type Conn struct {
	ID      uint64   `json:"id"`
	Role    string   `json:"role"`
	Brokers []Broker `json:"brokers,omitempty"`
	Peer    string   `json:"peer"`
	// Language and Version are those of its last request that was looked at; empty and 0
	// before it. Version is RocketMQ's ordinal.
	Language string `json:"language,omitempty"`
	Version  int32  `json:"version,omitempty"`

	State string `json:"state"`
	Why   string `json:"why"` // the class: healthy, peer_silent, ...
	// SilentMillis is tested silence: how long transmissions of ours have gone unanswered,
	// counted from the first to the last of them. Time in which nobody was asked is none.
	SilentMillis   int64  `json:"silentMillis"`
	Unanswered     int    `json:"unanswered"` // how many
	HeardAgeMillis int64  `json:"heardAgeMillis"`
	AgeMillis      int64  `json:"ageMillis"`
	Sampled        bool   `json:"sampled"` // TCP_INFO was read; what follows is its
	SampleAge      int64  `json:"sampleAgeMillis"`
	UnackedSegs    uint32 `json:"unackedSegs"`
	NotSentBytes   uint32 `json:"notSentBytes"`
	Retransmits    uint8  `json:"retransmits"` // time-outs in a row
	Probes         uint8  `json:"probes"`      // unanswered in a row
	RTOMicros      uint32 `json:"rtoMicros"`
	WindowBytes    uint32 `json:"windowBytes"` // what the peer lets us send
	WindowKnown    bool   `json:"windowKnown"` // Linux 5.4
	RTTMicros      uint32 `json:"rttMicros"`
	MinRTTMicros   uint32 `json:"minRttMicros"`
	RetransSegs    uint32 `json:"retransSegs"` // in its life
	DataSegsOut    uint32 `json:"dataSegsOut"`
	// LossOwn is the part of the transmissions to this host that went unanswered lately.
	LossOwn float64 `json:"lossOwn"`
	Phi     float64 `json:"phi"`
}

// Identity is who is at the other end in a few words.
func (c *Conn) Identity() string {
	if len(c.Brokers) == 0 {
		return c.Language
	}
	names := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		names[i] = b.String()
	}
	return strings.Join(names, " ")
}

// ConnFilter says which connections are wanted; the zero value wants all.
type ConnFilter struct {
	Role    string // broker or client; "" both
	Suspect bool   // only those not in StateOK
	Broker  string // only those that carry a broker with this in its cluster, name or address
	Peer    string // only those whose peer begins with this
	Limit   int    // 0: all
}

// Wants reports whether a connection passes.
func (f *ConnFilter) Wants(c *Conn) bool {
	return (f.Role == "" || f.Role == c.Role) &&
		(!f.Suspect || c.State != StateOK) &&
		strings.HasPrefix(c.Peer, f.Peer) &&
		(f.Broker == "" || slices.ContainsFunc(c.Brokers, func(b Broker) bool { return b.matches(f.Broker) }))
}

func (b *Broker) matches(part string) bool {
	return strings.Contains(b.Name, part) || strings.Contains(b.Addr, part) || strings.Contains(b.Cluster, part)
}

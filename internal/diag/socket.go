package diag

// Socket is what the kernel knows about one TCP socket of ours, open or not.
type Socket struct {
	Conn    uint64   `json:"conn"` // 0: not marked
	Role    string   `json:"role"`
	Brokers []Broker `json:"brokers,omitempty"`
	Local   string   `json:"local"`
	Remote  string   `json:"remote"`
	State   string   `json:"state"`
	Orphan  bool     `json:"orphan"` // closed by us, the kernel is still at it
	Cookie  uint64   `json:"cookie,omitempty"`

	Congestion    string `json:"congestion"`
	Timer         string `json:"timer"`
	UnackedBytes  uint32 `json:"unackedBytes"`
	UnackedSegs   uint32 `json:"unackedSegs"`
	UnsentBytes   uint32 `json:"unsentBytes"`
	UnreadBytes   uint32 `json:"unreadBytes"`
	LostSegs      uint32 `json:"lostSegs"`
	RetransOut    uint32 `json:"retransOut"`
	Retransmits   uint8  `json:"retransmits"`
	Backoff       uint8  `json:"backoff"`
	Probes        uint8  `json:"probes"`
	RTOMillis     uint32 `json:"rtoMillis"`
	RTTMicros     uint32 `json:"rttMicros"`
	RTTVarMicros  uint32 `json:"rttVarMicros"`
	WindowBytes   uint32 `json:"windowBytes"`
	CwndSegs      uint32 `json:"cwndSegs"`
	MSS           uint32 `json:"mss"`
	TotalRetrans  uint32 `json:"totalRetrans"`
	BytesAcked    uint64 `json:"bytesAcked"`
	BytesReceived uint64 `json:"bytesReceived"`
	AckAgeMillis  uint32 `json:"ackAgeMillis"`
	DataAgeMillis uint32 `json:"dataAgeMillis"`
	Error         string `json:"error,omitempty"`
	SoftError     string `json:"softError,omitempty"`
	AcceptQueue   uint32 `json:"acceptQueue,omitempty"` // of a listener
	AcceptMax     uint32 `json:"acceptMax,omitempty"`
}

// Dump is one look at all sockets of ours.
type Dump struct {
	Omitted int      `json:"omitted"` // beyond the bound on rows
	Sockets []Socket `json:"sockets"`
}

package diag

import "strconv"

// String is name/id at address.
func (b Broker) String() string { return b.Name + "/" + strconv.FormatInt(b.ID, 10) + "@" + b.Addr }

// BrokerState is a registration, and what is thought of it.
type BrokerState struct {
	Broker
	// State is what routes show: live, held (shown, while it is being decided) or parked
	// (hidden).
	State string `json:"state"`
	// Judged is what it would be, which differs from State in the mode observe.
	Judged string `json:"judged"`
	// SinceMillis is how long Judged has been so, Why the rule that decided, Class what was
	// wrong with its connection then.
	SinceMillis int64  `json:"sinceMillis"`
	Why         string `json:"why"`
	Class       string `json:"class"`
	// Basis is what it is believed to live by: registered (a request that named it),
	// new_connection, dial_back, or expiry (nothing; its own time-out decides).
	Basis              string `json:"basis"`
	Conn               uint64 `json:"conn"` // 0: none
	Strikes            int    `json:"strikes"`
	HeartbeatAgeMillis int64  `json:"heartbeatAgeMillis"` // -1: the table has it no more
}

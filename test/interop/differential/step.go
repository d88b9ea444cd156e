package differential

import (
	"fmt"
	"strings"
)

// Expect is what a request is answered with.
type Expect uint8

const (
	// ExpectReply: exactly one reply with the request's opaque.
	ExpectReply Expect = iota
	// ExpectNone: a oneway request or an unsolicited reply; nothing comes back.
	ExpectNone
	// ExpectAny: a frame that is wrong in some way. A reply, a closed connection or
	// silence: whatever the Java server does is right.
	ExpectAny
)

// Request is one frame of a history and what the runner has to know about it.
type Request struct {
	Code   int32
	Opaque int32
	Expect Expect
	Frame  []byte
	Note   string // what it is, for people

	// Register is set on requests that may put a broker into the table.
	Register *BrokerRef
	// Unregister is set on a 104 that has all its fields.
	Unregister *BrokerRef
	// Stamped: the body has no timestamp, so each server takes the time of its decoding for
	// one. Two such registrations in one millisecond are one version: they must not meet.
	Stamped bool
	// Tag names a deviation the request provokes on purpose; exceptions.go asks for it.
	Tag string
}

// Tags of requests that an exception is about.
const (
	tagZone        = "zone"         // 105 kept to one zone
	tagMappedAgain = "mapped again" // 103 with a static mapping under a data version that was used
)

// BrokerRef names one member of a broker group.
type BrokerRef struct {
	Cluster, Name, Addr string
	ID                  int64
}

// Step is the unit of a history, and of shrinking: any subset of steps, in order, is again
// a history.
type Step struct {
	Conn     int
	Close    bool // close connection Conn; it opens again when it is next used
	Requests []Request
}

// String says what the step does in one line.
func (s *Step) String() string {
	if s.Close {
		return fmt.Sprintf("conn %d: close", s.Conn)
	}
	notes := make([]string, 0, len(s.Requests))
	for i, r := range s.Requests {
		if i == 4 {
			notes = append(notes, fmt.Sprintf("... %d in all", len(s.Requests)))
			break
		}
		notes = append(notes, r.Note)
	}
	return fmt.Sprintf("conn %d: %s", s.Conn, strings.Join(notes, " | "))
}

// readOnly says whether asking again does no harm.
func readOnly(code int32) bool {
	switch code {
	case 101, 105, 106, 206, 219, 224, 304, 311, 312, 313, 319, 322, 901:
		return true
	}
	return false
}

package bench

import (
	"fmt"
	"maps"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// counters is what a group has seen in the current window.
type counters struct {
	due, sent, replies, good uint64
	bytesIn, bytesOut        uint64
	checked                  uint64 // bodies
	opened                   uint64
	latency, connect         *hdrhistogram.Histogram
	afterLast                *hdrhistogram.Histogram // of registrations
	errors                   map[string]uint64
	firstSent, lastReply     int64
}

func newCounters() counters {
	return counters{latency: newHistogram(), connect: newHistogram(), afterLast: newHistogram(), errors: map[string]uint64{}, firstSent: -1}
}

// reset begins a window. The moments of the first request and last reply are the run's.
func (n *counters) reset() {
	first, last := n.firstSent, n.lastReply
	n.latency.Reset()
	n.connect.Reset()
	n.afterLast.Reset()
	clear(n.errors)
	*n = counters{latency: n.latency, connect: n.connect, afterLast: n.afterLast, errors: n.errors, firstSent: first, lastReply: last}
}

func (n *counters) fail(format string, args ...any) { n.errors[fmt.Sprintf(format, args...)]++ }

// GroupResult is what a group saw in one window.
type GroupResult struct {
	Name string `json:"name"`
	// Due is how many requests of an open loop were to be sent, Sent how many were. Good
	// ones of the Replies had the expected code, correlation id and body.
	Due     uint64 `json:"due,omitempty"`
	Sent    uint64 `json:"sent"`
	Replies uint64 `json:"replies"`
	Good    uint64 `json:"good"`
	// PerSecond is good replies per second.
	PerSecond float64 `json:"per_second"`
	BytesIn   uint64  `json:"bytes_in"`
	BytesOut  uint64  `json:"bytes_out"`
	// Checked is how many bodies were parsed and compared with what was registered.
	Checked uint64  `json:"bodies_checked"`
	Latency Latency `json:"latency"`
	// Connect is the time from connect to connected, of connections opened in the window.
	Opened  uint64   `json:"opened,omitempty"`
	Connect *Latency `json:"connect,omitempty"`
	// AfterLastByte is, of registrations, the time from their last byte being sent to their
	// answer: by then everybody sees them.
	AfterLastByte *Latency `json:"after_last_byte,omitempty"`
	// Errors by kind: "code 2", "closed by the server", "wrong body: ...".
	Errors map[string]uint64 `json:"errors,omitempty"`
	// ElapsedSeconds is from the run's first request to the group's last reply.
	ElapsedSeconds float64 `json:"elapsed_s,omitempty"`
}

// Failed is the number of errors of all kinds.
func (r *GroupResult) Failed() (n uint64) {
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// ReplyBytes is the mean length of a reply.
func (r *GroupResult) ReplyBytes() float64 {
	if r.Replies == 0 {
		return 0
	}
	return float64(r.BytesIn) / float64(r.Replies)
}

func (n *counters) result(name string, seconds float64) GroupResult {
	r := GroupResult{
		Name: name, Due: n.due, Sent: n.sent, Replies: n.replies, Good: n.good, PerSecond: float64(n.good) / seconds,
		BytesIn: n.bytesIn, BytesOut: n.bytesOut, Checked: n.checked, Latency: summarize(n.latency), Opened: n.opened,
	}
	if n.connect.TotalCount() > 0 {
		connect := summarize(n.connect)
		r.Connect = &connect
	}
	if n.afterLast.TotalCount() > 0 {
		after := summarize(n.afterLast)
		r.AfterLastByte = &after
	}
	if len(n.errors) > 0 {
		r.Errors = maps.Clone(n.errors)
	}
	if n.firstSent >= 0 && n.lastReply > n.firstSent {
		r.ElapsedSeconds = float64(n.lastReply-n.firstSent) / 1e9
	}
	return r
}

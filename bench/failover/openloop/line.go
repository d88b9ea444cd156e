// Package openloop is the load of a client under test: it looks routes up and sends at fixed
// rates, whether earlier calls have come back or not, and prints what became of them, one JSON
// object a line.
//
// It imports nothing but the standard library: the program of the official Go client, a module
// of its own, has it by a symbolic link.
package openloop

import (
	"bufio"
	"encoding/json"
	"io"
	"sync"
)

// Line is one line of a client under test. All times are nanoseconds since 1970.
type Line struct {
	At int64 `json:"at"`
	// Ready says that calls succeed and the load begins now. Ended says that it is over and
	// all calls came back, or were given up.
	Ready bool `json:"ready,omitempty"`
	Ended bool `json:"ended,omitempty"`
	// InUse is the name server that the client asks first from now on, as it says itself.
	InUse string `json:"inUse,omitempty"`
	Call  *Call  `json:"call,omitempty"`
	Count *Count `json:"count,omitempty"`
}

// Call is a call that failed, took longer than Options.Slow, or never came back.
type Call struct {
	What   string  `json:"what"`   // "lookup", "cached" or "send"
	Due    int64   `json:"due"`    // when it should have begun
	Millis float64 `json:"millis"` // from then until it came back
	Error  string  `json:"error,omitempty"`
}

// Count is how much has been done since the load began.
type Count struct {
	Lookups int64 `json:"lookups"` // that have begun
	Cached  int64 `json:"cached"`  // of lookups in the client's cache
	Sends   int64 `json:"sends"`
	// LateMillis is how late calls began at worst, since the last Count: what the machine was
	// too busy for. Callers that wait for others don't count.
	LateMillis float64          `json:"lateMillis"`
	Brokers    map[string]int64 `json:"brokers,omitempty"` // sends that a broker confirmed
}

// neverBack is the error of a call that had not come back at the end.
const neverBack = "it never came back"

// printer writes lines.
type printer struct {
	mu   sync.Mutex
	out  *bufio.Writer
	err  error
	last bool
}

func newPrinter(out io.Writer) *printer { return &printer{out: bufio.NewWriter(out)} }

// print writes a line at once, none after the one that says that it ended. Its error is kept:
// who reads is gone.
func (p *printer) print(l Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last {
		return
	}
	p.last = l.Ended
	if p.err == nil {
		p.err = json.NewEncoder(p.out).Encode(l)
	}
	if p.err == nil {
		p.err = p.out.Flush()
	}
}

func (p *printer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

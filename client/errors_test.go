package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestWhatAnErrorSays(t *testing.T) {
	f := func(e *Error, want string) {
		t.Helper()
		if got := e.Error(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	ms := time.Millisecond
	f(&Error{Op: "route", Topic: "T", Err: ErrNoNameServer}, "route of T: no name server answers")
	f(&Error{Op: "request 206", Err: ErrTimeout, Attempts: []Attempt{
		{"a:1", fmt.Errorf("%w (3s)", ErrTimeout), 3 * time.Second},
		{"b:1", &Refusal{2, "busy"}, 2 * ms},
		{"c:1", io.EOF, 0},
	}}, "request 206: no answer in time: a:1: no answer in time (3s) (after 3s); b:1: refused with code 2: busy; c:1: EOF")
	f(&Error{Op: "route", Topic: "T", Err: ErrTopicNotFound, Attempts: []Attempt{{"a:1", &Refusal{Code: 17}, ms / 10}}},
		"route of T: topic not found: a:1: refused with code 17")
	f(&Error{Op: "route", Topic: "T", Err: ErrTopicNotFound, Attempts: []Attempt{{"a:1", &Refusal{17, "no T\nSee the FAQ.\r\n\x1b[2J"}, ms / 10}}},
		"route of T: topic not found: a:1: refused with code 17: no T See the FAQ.  \uFFFD[2J")
	if long := (&Refusal{1, strings.Repeat("r", 1<<20)}).Error(); len(long) > 2*briefBytesMax {
		t.Errorf("an error of %d bytes", len(long))
	}
	if long := (&BrokerError{"b:1", 1, strings.Repeat("\n", 1<<20)}).Error(); len(long) > 2*briefBytesMax {
		t.Errorf("an error of %d bytes", len(long))
	}
}

// Goal: callers can branch on what happened, in the words of this package and of Go's.
func TestWhatAnErrorIs(t *testing.T) {
	refused := &Refusal{Code: 1, Remark: "no"}
	timeout := fmt.Errorf("%w (3s)", ErrTimeout)
	f := func(want error, attempts ...Attempt) {
		t.Helper()
		if got := sentinelOf(attempts); got != want {
			t.Errorf("%v come down to %v, want %v", attempts, got, want)
		}
	}
	f(ErrNoNameServer)
	f(ErrNoNameServer, Attempt{"a", io.EOF, 1})
	f(ErrRefused, Attempt{"a", timeout, 1}, Attempt{"b", refused, 1})
	f(ErrTimeout, Attempt{"b", refused, 1}, Attempt{"a", timeout, 1})
	f(ErrTimeout, Attempt{"a", timeout, 1}, Attempt{"b", refused, 0})
	f(ErrBadReply, Attempt{"a", fmt.Errorf("%w: x", ErrBadReply), 1})
	f(ErrNoNameServer, Attempt{"a", timeout, 1}, Attempt{"b", io.EOF, 1})

	var err error = &Error{Op: "route", Err: ErrNoNameServer, Attempts: []Attempt{{"a", timeout, 1}, {"b", refused, 1}, {"c", io.EOF, 1}}}
	var r *Refusal
	for _, is := range []error{ErrNoNameServer, ErrTimeout, context.DeadlineExceeded, io.EOF} {
		if !errors.Is(err, is) {
			t.Errorf("%v is not %v", err, is)
		}
	}
	if !errors.As(err, &r) || r != refused || errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	var net interface{ Timeout() bool }
	if !errors.As(ErrTimeout, &net) || !net.Timeout() {
		t.Error("ErrTimeout is no time-out to package net")
	}
}

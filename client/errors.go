package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pharosmq/pharos/client/internal/wire"
)

// What the errors of a Resolver wrap, besides ErrTopicNotFound and ErrClosed.
var (
	// ErrNoNameServer: no name server of the list could be asked, or none answered.
	ErrNoNameServer = errors.New("client: no name server answers")
	// ErrRefused: a name server answered with another code than SUCCESS; see Refusal.
	ErrRefused = errors.New("client: request refused")
	// ErrTimeout: there was no answer in time. It is a context.DeadlineExceeded, too.
	ErrTimeout error = timeoutError{}
	// ErrBadReply: what came makes no sense, as a frame or as the answer to the question.
	ErrBadReply = errors.New("client: the answer makes no sense")
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "client: no answer in time" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Refusal is an answer with another code than SUCCESS. An Error with one as its last attempt
// is an ErrRefused; with code 17 (TOPIC_NOT_EXIST) of a route it is an ErrTopicNotFound. Remark
// is as the server wrote it; Error quotes some of it, on one line.
type Refusal struct {
	Code   int32
	Remark string
}

func (r *Refusal) Error() string {
	if r.Remark == "" {
		return fmt.Sprintf("refused with code %d", r.Code)
	}
	return fmt.Sprintf("refused with code %d: %s", r.Code, brief(r.Remark))
}

// Attempt is one server that was asked, or could not be.
type Attempt struct {
	Server string
	Err    error
	Took   time.Duration // 0: it was not asked now; Err is why it rests
}

// Error is what a Resolver returns: what was wanted, what came of it, and what each server
// did. It unwraps to a sentinel of this package and to the errors of all attempts.
type Error struct {
	Op       string // "route" or "request 206"
	Topic    string // of a route
	Err      error  // the sentinel
	Attempts []Attempt
}

// Error says all of it on one line, with the times of those that did not answer.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Topic != "" {
		b.WriteString(" of " + e.Topic)
	}
	b.WriteString(": " + strings.TrimPrefix(e.Err.Error(), "client: "))
	for i, a := range e.Attempts {
		b.WriteString(map[bool]string{true: ": ", false: "; "}[i == 0])
		b.WriteString(a.Server + ": " + strings.TrimPrefix(a.Err.Error(), "client: "))
		if refusal := (*Refusal)(nil); a.Took > 0 && !errors.As(a.Err, &refusal) {
			fmt.Fprintf(&b, " (after %v)", a.Took.Round(time.Millisecond/10))
		}
	}
	return b.String()
}

// Unwrap returns the sentinel and the errors of all attempts.
func (e *Error) Unwrap() []error {
	all := []error{e.Err}
	for _, a := range e.Attempts {
		all = append(all, a.Err)
	}
	return all
}

// ofWire translates what became of a connection.
func ofWire(err error) error {
	if errors.Is(err, wire.ErrGarbage) {
		return fmt.Errorf("%w: %w", ErrBadReply, err)
	}
	return err
}

// sentinelOf is what a failed question comes down to: what the last server did that was asked.
func sentinelOf(attempts []Attempt) error {
	for i := len(attempts) - 1; i >= 0; i-- {
		a := &attempts[i]
		if a.Took == 0 {
			continue
		}
		var refusal *Refusal
		switch {
		case errors.As(a.Err, &refusal):
			return ErrRefused
		case errors.Is(a.Err, ErrTimeout):
			return ErrTimeout
		case errors.Is(a.Err, ErrBadReply):
			return ErrBadReply
		}
		return ErrNoNameServer
	}
	return ErrNoNameServer
}

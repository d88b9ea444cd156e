package client

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What errors of a Producer wrap, beside those of routes and contexts.
var (
	// ErrNoQueue: the topic has a route, but no queue on a writable broker with a master.
	ErrNoQueue = errors.New("client: no queue to send to")
	// ErrUnreachable: a broker could not be connected to, or the connection broke.
	ErrUnreachable = errors.New("client: broker unreachable")
	// ErrNoAnswer: a broker did not answer in the time of one attempt.
	ErrNoAnswer = errors.New("client: broker does not answer")
	// ErrBadAnswer: a broker took the message but its answer makes no sense.
	ErrBadAnswer = errors.New("client: unusable answer")
)

// BrokerError is a broker's answer that it did not take a message (Java: MQBrokerException).
type BrokerError struct {
	Addr   string
	Code   int32
	Remark string
}

// Error says who refused, and why: some of the remark, on one line.
func (e *BrokerError) Error() string {
	return fmt.Sprintf("client: broker %s refused: code %d: %s", e.Addr, e.Code, brief(e.Remark))
}

// SendAttempt is one attempt to send a message that failed.
type SendAttempt struct {
	Queue MessageQueue
	Addr  string // the broker
	Err   error
	Took  time.Duration
}

// SendError is why a message was not sent, or not known to be: an attempt without an answer
// may have reached its broker. It wraps the error of the last attempt and, if the sending
// ended for another reason (no route, no queue, time over, Close), that.
type SendError struct {
	Topic     string
	MessageID string
	Attempts  []SendAttempt // in order; none if no broker was tried
	Took      time.Duration
	Err       error // nil: the attempts are all there is to say
}

// Of more than attemptsShown attempts the error's text leaves out those in the middle.
const attemptsShown, attemptsShownFirst = 6, 2

// Error lists the attempts.
func (e *SendError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "client: send to topic %s failed after %v", e.Topic, e.Took.Round(time.Microsecond))
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	left := len(e.Attempts) - attemptsShown
	for i, a := range e.Attempts {
		if left > 0 && i >= attemptsShownFirst && i < attemptsShownFirst+left {
			if i == attemptsShownFirst {
				fmt.Fprintf(&b, "; %d more", left)
			}
			continue
		}
		fmt.Fprintf(&b, "; attempt %d on %s (%s, queue %d) after %v: %v",
			i+1, a.Queue.BrokerName, a.Addr, a.Queue.QueueID, a.Took.Round(time.Microsecond), a.Err)
	}
	return b.String()
}

// Unwrap returns the reason and the error of the last attempt.
func (e *SendError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	if n := len(e.Attempts); n > 0 {
		errs = append(errs, e.Attempts[n-1].Err)
	}
	return errs
}

package client

import "errors"

// What the errors of this package wrap.
var (
	// ErrTopicNotFound: the name servers answered that they know no such topic.
	ErrTopicNotFound = errors.New("client: topic not found")
	// ErrClosed: Close was called on what was asked.
	ErrClosed = errors.New("client: closed")
)

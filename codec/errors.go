package codec

import (
	"errors"
	"fmt"
)

// What a caller of this package branches on. They come wrapped with the numbers or the
// place that made them; compare with errors.Is. Every one of them, met while reading from
// a peer, means what it means to Java: close the connection without a reply.
var (
	// ErrFrameLength: the length field of a frame is negative or too small to hold the
	// word that follows it.
	ErrFrameLength = errors.New("codec: bad frame length")
	// ErrFrameTooLarge: a frame is larger than Limits.FrameBytesMax. FrameSize and Decode
	// return it for a peer's frame, EndFrame for one of ours.
	ErrFrameTooLarge = errors.New("codec: frame too large")
	// ErrSerializeType: the type byte of a frame is neither JSON nor ROCKETMQ.
	ErrSerializeType = errors.New("codec: unknown header serialisation")
	// ErrHeaderLength: a header does not fit into its frame.
	ErrHeaderLength = errors.New("codec: bad header length")
	// ErrHeaderTooLarge: a header is larger than Limits.HeaderBytesMax.
	ErrHeaderTooLarge = errors.New("codec: header too large")
	// ErrHeader: a header is not what its serialisation says it is.
	ErrHeader = errors.New("codec: malformed header")
	// ErrTooManyExtFields: a header has more than Limits.ExtFieldsMax ext fields.
	ErrTooManyExtFields = errors.New("codec: too many ext fields")
)

// headerErrorf says what is wrong with a header and at which of its bytes.
func headerErrorf(offset int, format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d of the header", ErrHeader, fmt.Sprintf(format, args...), offset)
}

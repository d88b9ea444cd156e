package codec

import (
	"errors"
	"fmt"
)

// What a caller can branch on when a body is refused. They come wrapped with what was
// wrong and at which byte, in words that can be sent back as a remark; compare with
// errors.Is.
var (
	// ErrBody: a body is not what its request says it is. The reply is SYSTEM_ERROR.
	ErrBody = errors.New("malformed body")
	// ErrBodyTooLarge: a body is over one of Limits: InflatedBytesMax, JSONDepthMax,
	// TopicsMax, RouteBrokersMax or RouteEntriesMax. The reply is SYSTEM_ERROR.
	ErrBodyTooLarge = errors.New("body over a limit")
)

// bodyErrorf says what is wrong with a body and at which of its bytes, counted from 0.
func bodyErrorf(offset int, format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d", ErrBody, fmt.Sprintf(format, args...), offset)
}

// bodyTooLargef says which limit a body is over and at which of its bytes.
func bodyTooLargef(offset int, format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d", ErrBodyTooLarge, fmt.Sprintf(format, args...), offset)
}

// clip cuts what a peer sent to what an error text can hold.
func clip(text []byte, n int) []byte { return text[:min(len(text), n)] }

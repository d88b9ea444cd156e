package limit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pharosmq/pharos/codec"
)

// The correlation ids of nsbench have seven digits; the reply's place for it has as many.
const (
	opaqueKey    = `"opaque":`
	opaqueDigits = 7
	opaqueSample = 1_234_567
)

const (
	lengthBytes = 4
	frameMax    = 16 << 20
)

// errNotOurs: a frame the yardstick has no answer for.
var errNotOurs = errors.New("limit: a frame that nsbench does not send")

// answers appends one fixed reply for every request, with the request's correlation id.
type answers struct {
	reply    []byte // a whole frame
	opaqueAt int    // of the digits in reply
	guess    int    // of the digits in the last request
}

// newAnswers makes replies with a body of so many bytes.
func newAnswers(bodyBytes int) (*answers, error) {
	if bodyBytes < 0 || bodyBytes > frameMax-1024 {
		return nil, fmt.Errorf("limit: a body of %d bytes; it has between 0 and %d", bodyBytes, frameMax-1024)
	}
	h := codec.Header{Opaque: opaqueSample, Flag: codec.FlagResponse, Version: codec.Version5_5_0}
	reply := codec.AppendCommand(nil, codec.SerializeJSON, &h, bytes.Repeat([]byte{'x'}, bodyBytes))
	return &answers{reply: reply, opaqueAt: bytes.Index(reply, []byte(opaqueKey)) + len(opaqueKey)}, nil
}

// appendTo answers the whole frames at the beginning of in and says how many bytes of it
// they were.
func (a *answers) appendTo(dst, in []byte) (out []byte, used int, err error) {
	for len(in)-used >= codec.FramePrefixBytes {
		total := int(binary.BigEndian.Uint32(in[used:])) + lengthBytes
		if total < codec.FramePrefixBytes || total > frameMax {
			return dst, used, errNotOurs
		}
		if total > len(in)-used {
			break
		}
		digits, err := a.opaque(in[used : used+total])
		if err != nil {
			return dst, used, err
		}
		at := len(dst) + a.opaqueAt
		dst = append(dst, a.reply...)
		copy(dst[at:at+opaqueDigits], digits)
		used += total
	}
	return dst, used, nil
}

// opaque returns the digits of a request's correlation id.
func (a *answers) opaque(frame []byte) ([]byte, error) {
	if codec.SerializeType(frame[4]) == codec.SerializeRocketMQ {
		if len(frame) < codec.FramePrefixBytes+9 {
			return nil, errNotOurs
		}
		return fmt.Appendf(nil, "%07d", binary.BigEndian.Uint32(frame[codec.FramePrefixBytes+5:])), nil
	}
	if from := a.guess - len(opaqueKey); from < 0 || a.guess+opaqueDigits > len(frame) || string(frame[from:a.guess]) != opaqueKey {
		at := bytes.Index(frame, []byte(opaqueKey))
		if at < 0 || at+len(opaqueKey)+opaqueDigits > len(frame) {
			return nil, errNotOurs
		}
		a.guess = at + len(opaqueKey)
	}
	return frame[a.guess : a.guess+opaqueDigits], nil
}

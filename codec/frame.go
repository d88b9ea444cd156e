package codec

import (
	"encoding/binary"
	"fmt"
)

// SerializeType is how the header of a frame is written (Java: SerializeType).
type SerializeType uint8

// The two header serialisations.
const (
	SerializeJSON     SerializeType = 0
	SerializeRocketMQ SerializeType = 1
)

// String returns Java's name of the type, as in the boot line and in ROCKETMQ_SERIALIZE_TYPE.
func (s SerializeType) String() string {
	switch s {
	case SerializeJSON:
		return "JSON"
	case SerializeRocketMQ:
		return "ROCKETMQ"
	}
	return fmt.Sprintf("SerializeType(%d)", uint8(s))
}

// A frame is, big-endian: 4 bytes length of all that follows, 1 byte SerializeType,
// 3 bytes header length, header, body.
const (
	// FramePrefixBytes is what precedes the header of a frame.
	FramePrefixBytes = 8

	frameLengthBytes = 4
	frameWordBytes   = 4 // type and header length
)

// FrameSize says how many bytes the frame that starts with prefix has, its 4 length
// bytes included. With fewer than 4 bytes that is not known yet: 0 and no error. With
// FramePrefixBytes or more it has also checked the type byte and the header length, so
// that nobody waits for, or buffers, a frame that cannot be decoded.
//
// An error means that the stream is unusable from here on (ErrFrameLength,
// ErrFrameTooLarge, ErrSerializeType, ErrHeaderLength, ErrHeaderTooLarge).
//
// Java: NettyDecoder, RemotingCommand#decode.
func FrameSize(prefix []byte, lim *Limits) (totalBytes int, err error) {
	if len(prefix) < frameLengthBytes {
		return 0, nil
	}
	// 64 bits: a length near 2^31 must not wrap when the 4 bytes are added.
	length := int64(int32(binary.BigEndian.Uint32(prefix)))
	if length < frameWordBytes {
		return 0, fmt.Errorf("%w: the length field says %d, at least %d must follow", ErrFrameLength, length, frameWordBytes)
	}
	if length+frameLengthBytes > int64(lim.FrameBytesMax) {
		return 0, fmt.Errorf("%w: %d bytes announced, the limit is %d", ErrFrameTooLarge, length+frameLengthBytes, lim.FrameBytesMax)
	}
	if len(prefix) >= FramePrefixBytes {
		if _, _, err := frameWord(prefix, length-frameWordBytes, lim); err != nil {
			return 0, err
		}
	}
	return int(length) + frameLengthBytes, nil
}

// frameWord splits the 4 bytes behind the length field into type and header length;
// payloadBytes is what follows them in the frame.
func frameWord(prefix []byte, payloadBytes int64, lim *Limits) (SerializeType, int, error) {
	word := binary.BigEndian.Uint32(prefix[frameLengthBytes:])
	st, headerBytes := SerializeType(word>>24), int(word&headerLengthMax)
	switch {
	case st > SerializeRocketMQ:
		return 0, 0, fmt.Errorf("%w: type byte %d", ErrSerializeType, uint8(st))
	case int64(headerBytes) > payloadBytes:
		return 0, 0, fmt.Errorf("%w: %d bytes announced, the frame has %d left", ErrHeaderLength, headerBytes, payloadBytes)
	case headerBytes > lim.HeaderBytesMax:
		return 0, 0, fmt.Errorf("%w: %d bytes announced, the limit is %d", ErrHeaderTooLarge, headerBytes, lim.HeaderBytesMax)
	}
	return st, headerBytes, nil
}

// FrameMark remembers where a frame that is being written starts. It belongs to one dst:
// pass it, with that dst, to EndFrame, or cut dst back to Start to give the frame up.
type FrameMark struct {
	start int // offset of the length field
	body  int // offset of the first body byte
}

// Start is the offset in dst at which the frame begins.
func (m FrameMark) Start() int { return m.start }

// BodyStart is the offset in dst at which the frame's body begins.
func (m FrameMark) BodyStart() int { return m.body }

// BodyBytes is how much body has been appended to dst so far.
func (m FrameMark) BodyBytes(dst []byte) int { return len(dst) - m.body }

// beginFrame appends the prefix of a frame; endHeader and EndFrame fill it in.
func beginFrame(dst []byte) ([]byte, int) {
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0), len(dst)
}

// endHeader writes the word behind the length field: everything since start is header.
func endHeader(dst []byte, start int, st SerializeType) FrameMark {
	headerBytes := len(dst) - start - FramePrefixBytes
	binary.BigEndian.PutUint32(dst[start+frameLengthBytes:], uint32(st)<<24|uint32(headerBytes)&headerLengthMax)
	return FrameMark{start: start, body: len(dst)}
}

// EndFrame closes the frame that m began and dst ends with: everything after the header
// is its body. A frame that the peer would not accept, because it is larger than
// lim.FrameBytesMax, is taken back: EndFrame returns dst as it was before the frame and
// ErrFrameTooLarge, and the caller can answer something smaller instead.
func EndFrame(dst []byte, m FrameMark, lim *Limits) ([]byte, error) {
	return EndFrameBefore(dst, m, 0, lim)
}

// EndFrameBefore is EndFrame for a frame whose last restBytes are not in dst: the caller
// sends them behind it.
func EndFrameBefore(dst []byte, m FrameMark, restBytes int, lim *Limits) ([]byte, error) {
	totalBytes := len(dst) - m.start + restBytes
	if totalBytes > lim.FrameBytesMax || m.body-m.start-FramePrefixBytes > headerLengthMax {
		return dst[:m.start], fmt.Errorf("%w: %d bytes to send, the limit is %d", ErrFrameTooLarge, totalBytes, lim.FrameBytesMax)
	}
	putFrameLength(dst, m, restBytes)
	return dst, nil
}

// putFrameLength fills in the length of the frame that dst, and restBytes behind it, end with.
func putFrameLength(dst []byte, m FrameMark, restBytes int) {
	binary.BigEndian.PutUint32(dst[m.start:], uint32(len(dst)-m.start-frameLengthBytes+restBytes))
}

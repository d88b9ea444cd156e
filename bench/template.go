package bench

import (
	"bytes"
	"encoding/binary"

	"github.com/pharosmq/pharos/codec"
)

// A correlation id has seven digits in every request, so that a JSON header keeps its
// length. It names the slot of its connection that waits for the reply.
const (
	opaqueMin    = 1_000_000
	opaqueMax    = 9_999_999
	opaqueDigits = 7
)

// template is a frame in which the correlation id and the digits of a topic can be changed
// in place.
type template struct {
	frame    []byte
	opaqueAt int
	binary   bool // the correlation id is four bytes
	topicAt  int  // of the topic's digits; 0 if there is no topic
}

// newTemplate encodes h. topic is the value in h that ends with the digits to change, or "".
func newTemplate(st codec.SerializeType, h *codec.Header, topic string) template {
	h.Opaque = opaqueMin + 234_567 // found again below: no other field looks like it
	t := template{frame: codec.AppendCommand(nil, st, h, nil), binary: st == codec.SerializeRocketMQ}
	mark := []byte(`"opaque":1234567`)
	t.opaqueAt = bytes.Index(t.frame, mark) + len(`"opaque":`)
	if t.binary {
		t.opaqueAt = codec.FramePrefixBytes + 5 // code 2, language 1, version 2
	}
	if topic != "" {
		t.topicAt = bytes.Index(t.frame, []byte(topic)) + len(topic) - topicDigits
	}
	return t
}

// grow makes room in the frame's length for a body that is sent after it.
func (t *template) grow(bodyBytes int) {
	binary.BigEndian.PutUint32(t.frame, uint32(len(t.frame)-4+bodyBytes))
}

// append appends the frame with that correlation id and topic number.
func (t *template) append(dst []byte, opaque int32, topic uint32) []byte {
	at := len(dst)
	dst = append(dst, t.frame...)
	if t.binary {
		binary.BigEndian.PutUint32(dst[at+t.opaqueAt:], uint32(opaque))
	} else {
		putDigits(dst[at+t.opaqueAt:], uint32(opaque))
	}
	if t.topicAt != 0 {
		putDigits(dst[at+t.topicAt:], topic)
	}
	return dst
}

// putDigits writes n < 10,000,000 with seven digits.
func putDigits(dst []byte, n uint32) {
	_ = dst[6]
	high, low := n/10_000, n%10_000
	dst[0] = byte('0' + high/100)
	dst[1], dst[2] = pairs[high%100*2], pairs[high%100*2+1]
	dst[3], dst[4] = pairs[low/100*2], pairs[low/100*2+1]
	dst[5], dst[6] = pairs[low%100*2], pairs[low%100*2+1]
}

// pairs are the numbers 00 to 99.
var pairs = func() (p [200]byte) {
	for i := range 100 {
		p[2*i], p[2*i+1] = byte('0'+i/10), byte('0'+i%10)
	}
	return p
}()

package codec

import (
	"encoding/binary"
	"fmt"
)

// binaryFixedBytes is a ROCKETMQ header without remark and ext fields.
const binaryFixedBytes = 2 + 1 + 2 + 4 + 4 + 4 + 4

// binaryReader reads a ROCKETMQ header. The first read beyond its end, or of a negative
// length, makes it bad: from then on it returns zeros, and complete tells.
type binaryReader struct {
	src []byte
	off int
	bad bool
}

func (r *binaryReader) span(n int) []byte {
	if r.bad || n < 0 || n > len(r.src)-r.off {
		r.bad = true
		return nil
	}
	s := r.src[r.off : r.off+n : r.off+n]
	r.off += n
	return s
}

func (r *binaryReader) byte() byte {
	if s := r.span(1); s != nil {
		return s[0]
	}
	return 0
}

// int16 is sign-extended, as Java's short is when it becomes an int.
func (r *binaryReader) int16() int32 {
	if s := r.span(2); s != nil {
		return int32(int16(binary.BigEndian.Uint16(s)))
	}
	return 0
}

func (r *binaryReader) int32() int32 {
	if s := r.span(4); s != nil {
		return int32(binary.BigEndian.Uint32(s))
	}
	return 0
}

// text reads the n bytes of a string of at most limit bytes. Java makes null of an empty
// one, so does this: nil.
func (r *binaryReader) text(n int32, limit int) []byte {
	if n == 0 {
		return nil
	}
	if int64(n) > int64(limit) {
		r.bad = true
		return nil
	}
	return r.span(int(n))
}

func (r *binaryReader) complete() error {
	if r.bad {
		return headerErrorf(r.off, "a length exceeds what is left, or is negative (%d bytes of header)", len(r.src))
	}
	return nil
}

// decodeBinaryHeader reads a ROCKETMQ header. Bytes behind its content are ignored.
//
// Java: RocketMQSerializable#rocketMQProtocolDecode. Java's reads are not bounded by the
// header length and can run on into the body; it then misses those bytes at the body's
// end and drops the connection, which is what a read beyond the header does here.
func (c *Command) decodeBinaryHeader(header []byte, lim *Limits) error {
	r := binaryReader{src: header}
	c.Code = r.int16()
	c.Language = languageOfCode(r.byte())
	c.Version = r.int16()
	c.Opaque = r.int32()
	c.HasOpaque = true
	c.Flag = r.int32()
	c.Remark = c.validText(r.text(r.int32(), len(header)))
	extBytes := r.int32()
	if extBytes > 0 && int64(extBytes) > int64(len(header)) {
		r.bad = true
	}
	if r.bad || extBytes <= 0 {
		return r.complete()
	}
	c.HasExt = true
	return c.decodeBinaryExt(&r, int(extBytes), lim)
}

// decodeBinaryExt reads the map of extBytes bytes at r. As in Java the map ends with the
// entry that reaches its last byte, even if that entry is longer than the map.
func (c *Command) decodeBinaryExt(r *binaryReader, extBytes int, lim *Limits) error {
	// Java's short: 32768 and more is negative, so an error.
	for end := r.off + extBytes; r.off < end && !r.bad; {
		if c.ext.n >= lim.ExtFieldsMax {
			return fmt.Errorf("%w: the limit is %d", ErrTooManyExtFields, lim.ExtFieldsMax)
		}
		key := r.text(r.int16(), extBytes)
		value := r.text(r.int32(), extBytes)
		c.ext.add(c.validText(key), c.validText(value))
	}
	return r.complete()
}

// appendBinaryHeader appends a ROCKETMQ header. Code and version are cut to 16 bits and
// an empty remark, or ext table, is none: the form has no way to say otherwise.
//
// Java: RocketMQSerializable#rocketMQProtocolEncode.
func appendBinaryHeader(dst []byte, h *Header) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Code))
	dst = append(dst, byte(h.Language))
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Flag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(h.Remark)))
	dst = append(dst, h.Remark...)
	lengthAt := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, f := range h.Ext {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.Key)))
		dst = append(dst, f.Key...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Value)))
		dst = append(dst, f.Value...)
	}
	binary.BigEndian.PutUint32(dst[lengthAt:], uint32(len(dst)-lengthAt-4))
	return dst
}

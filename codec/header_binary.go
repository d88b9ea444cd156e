package codec

import (
	"encoding/binary"
	"fmt"
)

// binaryFixedBytes is a ROCKETMQ header without remark and ext fields.
const binaryFixedBytes = 2 + 1 + 2 + 4 + 4 + 4 + 4

// decodeBinaryHeader reads a ROCKETMQ header. Bytes behind its content are ignored.
//
// Java: RocketMQSerializable#rocketMQProtocolDecode. Java's reads are not bounded by the
// header length and can run on into the body; it then misses those bytes at the body's
// end and drops the connection, which is what a read beyond the header does here.
func (c *Command) decodeBinaryHeader(header []byte, lim *Limits) error {
	if len(header) < binaryFixedBytes {
		return headerErrorf(len(header), "it ends, but has at least %d bytes", binaryFixedBytes)
	}
	be := binary.BigEndian
	c.Code = int32(int16(be.Uint16(header)))
	c.Language = languageOfCode(header[2])
	c.Version = int32(int16(be.Uint16(header[3:])))
	c.Opaque = int32(be.Uint32(header[5:]))
	c.HasOpaque = true
	c.Flag = int32(be.Uint32(header[9:]))
	r := binaryReader{src: header, off: 13, limit: len(header)}
	remark := r.text(r.int32())
	extBytes := r.int32()
	if r.bad {
		return r.err()
	}
	c.Remark = c.validText(remark)
	if extBytes <= 0 {
		return nil
	}
	if int64(extBytes) > int64(len(header)) {
		return headerErrorf(r.off, "%d bytes of ext fields announced, the header has %d", extBytes, len(header))
	}
	c.HasExt = true
	r.limit = int(extBytes)
	return c.decodeBinaryExt(&r, r.off+int(extBytes), lim)
}

// decodeBinaryExt reads the ext fields at r. As in Java they end with the one that
// reaches the offset end, even if it goes beyond. A field without a name cannot be asked
// for, but still takes a place.
func (c *Command) decodeBinaryExt(r *binaryReader, end int, lim *Limits) error {
	ascii := isASCII(r.src[r.off:])
	for r.off < end {
		if c.ext.n >= lim.ExtFieldsMax {
			return fmt.Errorf("%w: the limit is %d", ErrTooManyExtFields, lim.ExtFieldsMax)
		}
		key := r.text(r.int16())
		value := r.text(r.int32())
		if r.bad {
			return r.err()
		}
		if !ascii {
			key, value = c.validText(key), c.validText(value)
		}
		c.ext.add(key, value)
	}
	return nil
}

// binaryReader reads the variable part of a ROCKETMQ header. The first read of what is
// not there makes it bad: from then on it returns zeros and moves no more.
type binaryReader struct {
	src   []byte
	off   int
	limit int // of a text, beside what is there
	bad   bool
}

// int16 reads a length; Java's short, so 32768 and more is negative.
func (r *binaryReader) int16() int32 {
	if r.bad || len(r.src)-r.off < 2 {
		r.bad = true
		return 0
	}
	v := int16(binary.BigEndian.Uint16(r.src[r.off:]))
	r.off += 2
	return int32(v)
}

func (r *binaryReader) int32() int32 {
	if r.bad || len(r.src)-r.off < 4 {
		r.bad = true
		return 0
	}
	v := int32(binary.BigEndian.Uint32(r.src[r.off:]))
	r.off += 4
	return v
}

// text reads a string of n bytes. Java makes null of an empty one: nil.
func (r *binaryReader) text(n int32) []byte {
	if n == 0 {
		return nil
	}
	if r.bad || n < 0 || int(n) > r.limit || int(n) > len(r.src)-r.off {
		r.bad = true
		return nil
	}
	start, end := r.off, r.off+int(n)
	r.off = end
	return r.src[start:end:end]
}

func (r *binaryReader) err() error {
	return headerErrorf(r.off, "a length is negative or exceeds what is there (%d bytes of header)", len(r.src))
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

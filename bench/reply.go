package bench

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/pharosmq/pharos/codec"
)

// errReply: a reply's header could not be read.
var errReply = errors.New("a reply without code and opaque")

// replyReader finds code and correlation id in reply headers. It remembers where they were
// in the last one: a server's replies look alike.
type replyReader struct {
	opaqueAt, codeAt int
}

const (
	opaqueKey = `"opaque":`
	codeKey   = `"code":`
)

// read reads the header of a reply; it is whole.
func (r *replyReader) read(header []byte, st codec.SerializeType) (opaque, code int32, err error) {
	if st == codec.SerializeRocketMQ {
		if len(header) < 13 {
			return 0, 0, errReply
		}
		return int32(binary.BigEndian.Uint32(header[5:])), int32(int16(binary.BigEndian.Uint16(header))), nil
	}
	if r.opaqueAt = follow(header, opaqueKey, r.opaqueAt); r.opaqueAt < 0 {
		return 0, 0, errReply
	}
	if r.codeAt = follow(header, codeKey, r.codeAt); r.codeAt < 0 {
		return 0, 0, errReply
	}
	return number(header[r.opaqueAt:]), number(header[r.codeAt:]), nil
}

// follow returns where the value of key begins: at the guess, if the key is before it. A
// quote within a string is escaped, so that no remark can look like a key.
func follow(header []byte, key string, guess int) int {
	if from := guess - len(key); from >= 0 && guess < len(header) && string(header[from:guess]) == key {
		return guess
	}
	at := bytes.Index(header, []byte(key))
	if at < 0 {
		return -1
	}
	return at + len(key)
}

func number(digits []byte) int32 {
	n, negative := int32(0), false
	for i, c := range digits {
		if c == '-' && i == 0 {
			negative = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int32(c-'0')
	}
	if negative {
		return -n
	}
	return n
}

package codec

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// Dialect is one of the two ways in which RocketMQ writes JSON bodies. Both are compact,
// have their properties in alphabetical order and leave out what is null; they differ in
// map keys that are integers. Strings are escaped alike since 5.5.0 (fastjson2): quote,
// backslash and what is below U+0020, nothing else. 5.3.x (fastjson 1) escaped more in the
// standard dialect (everything above 0x7E, and the slash); Pharos follows 5.5.0.
//
// Who sends and accepts what:
//
//	105 reply, request version >= 401 or acceptStandardJsonOnly   DialectStandard
//	105 reply otherwise, or after the zone filter took effect     DialectPlain
//	106 and 901 replies, for everybody                            DialectPlain
//	103 bodies of 5.x brokers with static topics                  DialectPlain
//	everything else has string keys only                          both are the same
//
// Readers: Java peers read both; the Go client cuts brokerAddrs at ',' and ':' by hand, so
// no blank may ever be written. The parsers of this package read both.
type Dialect uint8

const (
	// DialectPlain has bare integer map keys, {0:"a:1"}, which is not legal JSON.
	DialectPlain Dialect = iota
	// DialectStandard quotes integer map keys, and integers beyond 2^53-1 (Java:
	// BrowserCompatible and MapSortField).
	DialectStandard
)

// standardIntMax is the largest integer that DialectStandard writes without quotes: the
// largest that a JavaScript number holds exactly.
const standardIntMax = 1<<53 - 1

// AppendJSONString appends s as a JSON string with its quotes, escaped as Java 5.5.0 does
// in either dialect. Bytes that are not UTF-8 become U+FFFD, as in a Java string.
func AppendJSONString(dst []byte, s string, _ Dialect) []byte {
	dst = append(dst, '"')
	dst = appendJSONText(dst, s)
	return append(dst, '"')
}

// appendJSONText appends s escaped, without quotes.
func appendJSONText[T string | []byte](dst []byte, s T) []byte {
	for i := 0; i < len(s); {
		n := jsonPlainPrefix(s[i:])
		dst = append(dst, s[i:i+n]...)
		if i += n; i == len(s) {
			break
		}
		c := s[i]
		if c < utf8.RuneSelf {
			dst = appendJSONEscape(dst, c)
			i++
			continue
		}
		// The conversion of at most utf8.UTFMax bytes stays on the stack.
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// jsonPlainPrefix returns how many bytes at the start of s are ASCII that needs no escape.
// It looks at eight bytes at a time: names are short, but a registration has 100,000.
func jsonPlainPrefix[T string | []byte](s T) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		if m := jsonSpecialMask(w); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

const (
	swarLow  = 0x0101010101010101
	swarHigh = 0x8080808080808080
)

// jsonSpecialMask marks, by the high bit of its byte, the first byte of w (lowest address
// first) that ends a run of plain text: a control character, a quote, a backslash or a
// byte of a multi-byte character. Bits above the first may be wrong (borrows).
func jsonSpecialMask(w uint64) uint64 {
	quote := w ^ swarLow*'"'
	slash := w ^ swarLow*'\\'
	return ((w - swarLow*0x20) | (quote - swarLow) | (slash - swarLow) | w) & swarHigh
}

// loadWord reads eight bytes; the caller made sure that they are there.
func loadWord(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

const hexDigits = "0123456789abcdef"

func appendJSONEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}

// appendIntKey appends an integer map key and its colon.
func appendIntKey(dst []byte, k int64, d Dialect) []byte {
	if d == DialectPlain {
		return append(strconv.AppendInt(dst, k, 10), ':')
	}
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, k, 10)
	return append(dst, '"', ':')
}

// appendInt64 appends an int64 property value. DialectStandard quotes what a JavaScript
// number cannot hold.
func appendInt64(dst []byte, v int64, d Dialect) []byte {
	if d == DialectPlain || v >= -standardIntMax && v <= standardIntMax {
		return strconv.AppendInt(dst, v, 10)
	}
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, '"')
}

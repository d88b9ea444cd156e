package codec

import (
	"bytes"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string, at whose quote the scanner stands. The result points into the
// body, or into the arena if it had escapes.
func (s *bodyScanner) quoted() []byte {
	b, i := s.b, s.i+1
	if b[s.i] == '"' {
		for i+8 <= len(b) {
			if m := jsonSpecialMask(loadWord(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
			i += 8
		}
		if i < len(b) && b[i] == '"' {
			text := b[s.i+1 : i : i]
			s.i = i + 1
			return text
		}
	}
	return s.quotedSlow(i)
}

// quotedSlow reads the string at whose quote the scanner stands, known to be plain up to i.
func (s *bodyScanner) quotedSlow(i int) []byte {
	start := s.i + 1
	end, escapes, valid := s.stringEnd(i)
	if s.err != nil {
		return nil
	}
	if !valid {
		s.fail(s.i, "string that is not UTF-8")
		return nil
	}
	text := s.b[start:end:end]
	s.i = end + 1
	if escapes > 0 {
		return s.unescape(text, start)
	}
	return text
}

// skipString skips the string at whose quote the scanner stands, without looking closely.
func (s *bodyScanner) skipString() {
	if end, _, _ := s.stringEnd(s.i + 1); s.err == nil {
		s.i = end + 1
	}
}

// stringEnd finds the closing quote of the string at whose quote the scanner stands,
// counts escapes and checks the UTF-8 from i on.
func (s *bodyScanner) stringEnd(i int) (end, escapes int, valid bool) {
	b, quote := s.b, s.b[s.i]
	valid = true
	for i < len(b) {
		c := b[i]
		switch {
		case c == quote:
			return i, escapes, valid
		case c == '\\':
			escapes++
			i += 2
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			valid = valid && (r != utf8.RuneError || size > 1)
			i += size
		}
		s.pause(i)
	}
	s.fail(s.i, "string without end")
	return 0, 0, false
}

// unescape copies a string with escapes, found at offset, into the arena. It never gets
// longer.
func (s *bodyScanner) unescape(text []byte, offset int) []byte {
	dst := s.reserve(len(text))
	if s.yield != nil {
		s.yieldAt = offset + bodyYieldBytes // this is the second pass over the string
	}
	for i := 0; i < len(text); {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			dst = append(dst, text[i:]...)
			break
		}
		dst = append(dst, text[i:i+n]...)
		i += n
		s.pause(offset + i)
		r, size := unescapeRune(text[i:])
		if size == 0 {
			s.fail(offset+i, "unknown escape %q", clip(text[i:], 6))
			return nil
		}
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	s.arena = s.arena[:len(s.arena)+len(dst)]
	return dst[:len(dst):len(dst)]
}

// reserve returns room for n bytes at the end of the arena. Full arenas are left to the
// strings that point into them.
func (s *bodyScanner) reserve(n int) []byte {
	const arenaBytes = 4 << 10
	if cap(s.arena)-len(s.arena) < n {
		s.arena = make([]byte, 0, max(n, arenaBytes))
	}
	return s.arena[len(s.arena):len(s.arena):cap(s.arena)]
}

// unescapeRune decodes the escape at the start of text and says how long it is, 0 if it is
// none. Half of a surrogate pair becomes U+FFFD. Beyond JSON's own escapes it knows those
// of fastjson2: \' \v \0 to \7 and \xHH.
func unescapeRune(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/', '\'':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return rune(c - '0'), 2
	case 'x':
		if r = hexRune(text, 2, 2); r >= 0 {
			return r, 4
		}
	case 'u':
		return unescapeUnicode(text)
	}
	return 0, 0
}

func unescapeUnicode(text []byte) (r rune, size int) {
	if r = hexRune(text, 2, 4); r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(text, 8, 4)); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hexRune decodes n hexadecimal digits at offset i of text, -1 if there are none such.
func hexRune(text []byte, i, n int) rune {
	if len(text) < i+n {
		return -1
	}
	r := rune(0)
	for _, c := range text[i : i+n] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

package codec

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string in double quotes without escapes or control characters. It aliases
// the header. False: it is none.
func (s *headerScanner) quoted() ([]byte, bool) {
	if s.peek() != '"' {
		return nil, false
	}
	start := s.i + 1
	end := plainStringEnd(s.b, start)
	if end < 0 {
		for end = start; end < len(s.b) && s.b[end] != '"'; end++ {
			if s.b[end] == '\\' {
				return s.escaped(start)
			}
			if s.b[end] < ' ' {
				return nil, false
			}
		}
		if end == len(s.b) || !utf8.Valid(s.b[start:end]) {
			return nil, false
		}
	}
	s.i = end + 1
	return s.b[start:end:end], true
}

// escaped reads a string with the escapes of the JSON standard into the scratch array.
func (s *headerScanner) escaped(start int) ([]byte, bool) {
	c, b, i := s.c, s.b, start
	from := len(c.scratch)
	for i < len(b) && b[i] != '"' {
		if b[i] < ' ' {
			return nil, false
		}
		if b[i] != '\\' {
			c.scratch = append(c.scratch, b[i])
			i++
			continue
		}
		r, size := standardEscape(b[i:])
		if size == 0 {
			return nil, false
		}
		c.scratch = utf8.AppendRune(c.scratch, r)
		i += size
	}
	text := c.scratch[from:len(c.scratch):len(c.scratch)]
	if i >= len(b) || !utf8.Valid(text) {
		return nil, false
	}
	s.i = i + 1
	return text, true
}

// standardEscape reads an escape and its length, 0 for one that is not of the standard or
// half of a surrogate pair.
func standardEscape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	const letters, stand = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for i := range len(letters) {
		if letters[i] == b[1] {
			return rune(stand[i]), 2
		}
	}
	r, ok := unicodeUnit(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, _ := unicodeUnit(b[6:])
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unicodeUnit reads a \u escape with four hexadecimal digits.
func unicodeUnit(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		if hexLoose(c) == 0 && c != '0' {
			return 0, false
		}
		r = r<<4 | hexLoose(c)
	}
	return r, true
}

// plainStringEnd is where the string that starts at b[i] ends: the offset of its closing
// double quote. It is -1 if there is anything but plain ASCII text before that, or if the
// string ends too close to the end of b for a look at eight bytes at a time.
func plainStringEnd(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if m := jsonSpecialMask(loadWord(b[i:])); m != 0 {
			i += bits.TrailingZeros64(m) / 8
			if b[i] != '"' {
				return -1
			}
			return i
		}
	}
	return -1
}

package codec

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapedString reads the rest of a string that has escapes into the scratch array. It
// starts with the byte at start; the scanner stands at the first backslash.
func (s *headerScanner) escapedString(start int) ([]byte, error) {
	c := s.c
	scratchStart := len(c.scratch)
	c.scratch = appendValidText(c.scratch, s.b[start:s.i])
	for s.i < len(s.b) {
		run := s.i
		for s.i < len(s.b) && s.b[s.i] != '"' && s.b[s.i] != '\\' {
			s.i++
		}
		c.scratch = appendValidText(c.scratch, s.b[run:s.i])
		if s.peek() == '"' {
			s.i++
			return c.scratch[scratchStart:len(c.scratch):len(c.scratch)], nil
		}
		if err := s.escape(); err != nil {
			return nil, err
		}
	}
	return nil, s.unexpected("a closing quote")
}

// escape reads one escape and appends what it stands for to the scratch array.
func (s *headerScanner) escape() error {
	if len(s.b)-s.i < 2 {
		s.i = len(s.b)
		return s.unexpected("an escape")
	}
	c, ch := s.c, s.b[s.i+1]
	switch ch {
	case '"', '\\', '/':
	case 'b':
		ch = '\b'
	case 'f':
		ch = '\f'
	case 'n':
		ch = '\n'
	case 'r':
		ch = '\r'
	case 't':
		ch = '\t'
	case 'u':
		return s.unicodeEscape()
	default:
		return s.unexpected("an escape")
	}
	s.i += 2
	c.scratch = append(c.scratch, ch)
	return nil
}

// unicodeEscape reads \uXXXX, and a second one that completes a surrogate pair. Half a
// pair cannot be written as UTF-8 and becomes U+FFFD.
func (s *headerScanner) unicodeEscape() error {
	r, ok := s.hex4()
	if !ok {
		return s.unexpected("four hexadecimal digits after \\u")
	}
	s.i += 6
	if utf16.IsSurrogate(r) {
		low, ok := s.hex4()
		pair := rune(utf8.RuneError)
		if ok {
			pair = utf16.DecodeRune(r, low)
		}
		if pair != utf8.RuneError {
			s.i += 6
		}
		r = pair
	}
	s.c.scratch = utf8.AppendRune(s.c.scratch, r)
	return nil
}

// hex4 reads the \uXXXX at the scanner's place without moving it.
func (s *headerScanner) hex4() (rune, bool) {
	if len(s.b)-s.i < 6 || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, ch := range s.b[s.i+2 : s.i+6] {
		switch {
		case ch >= '0' && ch <= '9':
			ch -= '0'
		case ch >= 'a' && ch <= 'f':
			ch -= 'a' - 10
		case ch >= 'A' && ch <= 'F':
			ch -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(ch)
	}
	return r, true
}

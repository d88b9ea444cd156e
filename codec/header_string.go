package codec

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads the string that starts at the scanner's place, a quote. It aliases the
// header unless it has escapes or is not UTF-8.
func (s *headerScanner) quoted(quote byte) ([]byte, error) {
	start := s.i + 1
	if quote == '"' {
		if end := plainStringEnd(s.b, start); end >= 0 {
			s.i = end + 1
			return s.b[start:end:end], nil
		}
	}
	return s.oddQuoted(start, quote)
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

// oddQuoted reads a string with anything in it, or one at the end of the header; its
// first byte is at start. Control characters stand for themselves, as for fastjson2.
func (s *headerScanner) oddQuoted(start int, quote byte) ([]byte, error) {
	for i := start; i < len(s.b); i++ {
		switch s.b[i] {
		case quote:
			s.i = i + 1
			return s.c.validText(s.b[start:i:i]), nil
		case '\\':
			s.i = start
			return s.escaped(quote)
		}
	}
	s.i = len(s.b)
	return nil, s.expected("a closing quote")
}

// escaped reads the rest of a string with escapes into the scratch array.
func (s *headerScanner) escaped(quote byte) ([]byte, error) {
	c, scratchStart := s.c, len(s.c.scratch)
	for s.i < len(s.b) {
		run := s.i
		for s.i < len(s.b) && s.b[s.i] != quote && s.b[s.i] != '\\' {
			s.i++
		}
		c.scratch = appendValidText(c.scratch, s.b[run:s.i])
		if s.peek() == quote {
			s.i++
			return c.scratch[scratchStart:len(c.scratch):len(c.scratch)], nil
		}
		if s.i < len(s.b) {
			if err := s.escape(); err != nil {
				return nil, err
			}
		}
	}
	return nil, s.expected("a closing quote")
}

// escapePlain are the characters that fastjson2 lets a backslash precede to no effect,
// and escapeControl those that stand for a control character.
const (
	escapePlain      = `"'\/ #&(),.@[]_~`
	escapeControl    = "01234567btnvfFr"
	escapeControlFor = "\x00\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\f\r"
)

// escape reads one escape, at whose backslash the scanner stands, and appends what it
// stands for to the scratch array.
func (s *headerScanner) escape() error {
	c := s.c
	at := s.i
	s.i++
	ch := s.peek()
	switch {
	case ch == 'u':
		s.i = at
		return s.unicodeEscape()
	case ch == 'x':
		r, ok := hexValue(s.b, s.i+1, 2)
		if !ok {
			return s.expected("an escape with two hexadecimal digits")
		}
		s.i += 3
		c.scratch = utf8.AppendRune(c.scratch, r)
		return nil
	}
	for i := range len(escapePlain) {
		if escapePlain[i] == ch {
			s.i++
			c.scratch = append(c.scratch, ch)
			return nil
		}
	}
	for i := range len(escapeControl) {
		if escapeControl[i] == ch {
			s.i++
			c.scratch = append(c.scratch, escapeControlFor[i])
			return nil
		}
	}
	return s.expected("an escape")
}

// unicodeEscape reads \uXXXX, with a second one if they are a surrogate pair. Half a pair
// has no UTF-8 form and becomes U+FFFD.
func (s *headerScanner) unicodeEscape() error {
	r, ok := s.utf16Escape()
	if !ok {
		return s.expected(`\u and four hexadecimal digits`)
	}
	s.i += 6
	if utf16.IsSurrogate(r) {
		low, _ := s.utf16Escape()
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			s.i += 6
		}
	}
	s.c.scratch = utf8.AppendRune(s.c.scratch, r)
	return nil
}

// utf16Escape returns the unit of the \uXXXX at the scanner's place, if there is one.
func (s *headerScanner) utf16Escape() (rune, bool) {
	if !(len(s.b)-s.i >= 2 && s.b[s.i] == '\\' && s.b[s.i+1] == 'u') {
		return 0, false
	}
	return hexValue(s.b, s.i+2, 4)
}

// hexValue reads the n hexadecimal digits of b at i.
func hexValue(b []byte, i, n int) (r rune, ok bool) {
	if len(b)-i < n {
		return 0, false
	}
	for _, ch := range b[i : i+n] {
		switch {
		case ch-'0' <= 9:
			ch -= '0'
		case (ch|0x20) >= 'a' && (ch|0x20) <= 'f':
			ch = (ch | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(ch)
	}
	return r, true
}

package codec

import "unicode/utf8"

// isASCII is a quick look that saves looking at each string: no byte of b, lengths
// between the strings included, is above 0x7F.
func isASCII(b []byte) bool {
	var all uint64
	for ; len(b) >= 8; b = b[8:] {
		all |= loadWord(b)
	}
	for _, ch := range b {
		all |= uint64(ch)
	}
	return all&swarHigh == 0
}

// validText returns s, or a copy in which what is not UTF-8 is U+FFFD, as in a Java
// string made of such bytes. The copy lives in c's scratch array.
func (c *Command) validText(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	start := len(c.scratch)
	c.scratch = appendValidText(c.scratch, s)
	return c.scratch[start:len(c.scratch):len(c.scratch)]
}

// appendValidText appends s with U+FFFD for each piece that is not UTF-8. The pieces are
// Java's: the longest start of a character that could have been one, else one byte.
func appendValidText(dst, s []byte) []byte {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			size = malformedBytes(s)
		}
		dst = utf8.AppendRune(dst, r)
		s = s[size:]
	}
	return dst
}

// malformedBytes is how many bytes at the start of s, which do not start with a
// character, Java's decoder replaces by one U+FFFD.
func malformedBytes(s []byte) int {
	lead, second := s[0], byte(0)
	if len(s) > 1 {
		second = s[1]
	}
	continued := func(i int) bool { return i < len(s) && s[i]&0xC0 == 0x80 }
	switch {
	case lead >= 0xE0 && lead <= 0xEF:
		if !continued(1) || lead == 0xE0 && second < 0xA0 {
			return 1
		}
		if continued(2) {
			return 3 // a surrogate
		}
		return 2
	case lead >= 0xF0 && lead <= 0xF4:
		if !continued(1) || lead == 0xF0 && second < 0x90 || lead == 0xF4 && second > 0x8F {
			return 1
		}
		if !continued(2) {
			return 2
		}
		return 3
	}
	return 1
}

package codec

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string, at whose quote the scanner stands, and what follows a value. The
// result points into the body, or into the arena if it had escapes or was not UTF-8.
func (s *bodyScanner) quoted() []byte {
	text := s.quotedText()
	if s.err == nil {
		s.endValue()
	}
	return text
}

// quotedText reads a string and stands behind its closing quote.
func (s *bodyScanner) quotedText() []byte {
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
	start, quote := s.i+1, s.b[s.i]
	u := unquoter{b: s.b, i: i, quote: quote}
	u.find(s)
	if u.bad != "" {
		s.fail(start-1, "string with %s", u.bad)
		return nil
	}
	s.i = u.i + 1
	if u.escapes == 0 {
		return s.validText(s.b[start:u.i:u.i])
	}
	return s.unescape(start, u.i, quote, 0, false)
}

// validText is text with U+FFFD for what is not UTF-8, as Java's own decoder puts it.
func (s *bodyScanner) validText(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	const bytesMax = 64 << 10
	if len(text) > bytesMax {
		s.stop(bodyTooLargef(s.base+s.i, "string of more than %d bytes that is not UTF-8", bytesMax))
		return nil
	}
	dst := appendValidText(s.reserve(3*len(text)), text)
	return s.keep(dst)
}

// unescape copies the string from start to end, which has escapes, into the arena. It
// never gets longer. As a map's key it takes a few more escapes and, in single quotes, ends
// at a double one: the rest of its elements are NULs.
func (s *bodyScanner) unescape(start, end int, quote byte, elements int, key bool) []byte {
	u := unquoter{b: s.b[:end], i: start, quote: quote}
	if s.yield != nil {
		s.yieldAt = start + bodyYieldBytes // this is the second pass over the string
	}
	w := unitWriter{dst: s.reserve(end - start)}
	n := 0
	for ; u.i < end && u.bad == ""; n++ {
		c := u.b[u.i]
		switch {
		case c == '\\':
			w.unit(u.escape(key))
		case c < 0x80:
			if key && c == '"' {
				for ; n < elements; n++ {
					w.unit(0)
				}
				u.i = end
				continue
			}
			w.unit(rune(c))
			u.i++
		case key:
			w.unit(u.checked())
		default:
			w.unit(u.unchecked())
		}
		s.pause(u.i)
	}
	if u.bad != "" {
		s.fail(u.i, "string with %s", u.bad)
		return nil
	}
	return s.keep(w.end())
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

// keep ends what was appended to a reserved piece.
func (s *bodyScanner) keep(dst []byte) []byte {
	s.arena = s.arena[:len(s.arena)+len(dst)]
	return dst[:len(dst):len(dst)]
}

// halfPair stands for half of a surrogate pair, which UTF-8 cannot hold. It is what Java
// writes for one.
const halfPair = '?'

// unitWriter appends the UTF-16 units of a Java string as UTF-8.
type unitWriter struct {
	dst  []byte
	half rune // a high surrogate that waits for its low one
}

// unit appends a unit, or a whole character beyond U+FFFF.
func (w *unitWriter) unit(r rune) {
	if w.half != 0 {
		pair := utf16.DecodeRune(w.half, r)
		w.half = 0
		if pair != utf8.RuneError {
			w.dst = utf8.AppendRune(w.dst, pair)
			return
		}
		w.dst = append(w.dst, halfPair)
	}
	switch {
	case r >= 0xd800 && r < 0xdc00:
		w.half = r
	case r >= 0xdc00 && r < 0xe000:
		w.dst = append(w.dst, halfPair)
	default:
		w.dst = utf8.AppendRune(w.dst, r)
	}
}

func (w *unitWriter) end() []byte {
	if w.half != 0 {
		w.dst = append(w.dst, halfPair)
	}
	return w.dst
}

// unquoter reads the characters of one string as fastjson2 does, which neither checks much
// of UTF-8 nor of escapes.
type unquoter struct {
	b        []byte
	i        int
	quote    byte
	escapes  int
	elements int    // characters and escapes up to i
	bad      string // what is wrong
}

// byteAt is the byte at i, which must be there.
func (u *unquoter) byteAt(i int) byte {
	if i < len(u.b) {
		return u.b[i]
	}
	u.bad = "no end"
	return 0
}

// find moves to the closing quote. What is not a character is only looked for by its first
// byte, so that a truncated one swallows the quote.
func (u *unquoter) find(s *bodyScanner) {
	for ; u.i < len(u.b); u.elements++ {
		c := u.b[u.i]
		switch {
		case c == u.quote:
			return
		case c == '\\':
			u.escapes++
			switch u.byteAt(u.i + 1) {
			case 'u':
				u.i += 6
			case 'x':
				u.i += 4
			default:
				u.i += 2
			}
		case c < 0x80:
			u.i++
		default:
			n := utf8Bytes(c)
			if n == 0 {
				u.bad = "bytes that are not UTF-8"
				return
			}
			u.i += n
		}
		s.pause(u.i)
	}
	u.bad = "no end"
}

// utf8Bytes is how many bytes a character has that starts with c; 0 for none.
func utf8Bytes(c byte) int {
	switch {
	case c >= 0xc0 && c < 0xe0:
		return 2
	case c >= 0xe0 && c < 0xf0:
		return 3
	case c >= 0xf0 && c < 0xf8:
		return 4
	}
	return 0
}

// unchecked reads a character of several bytes, of which fastjson2 checks those of four
// only.
func (u *unquoter) unchecked() rune {
	c := rune(u.b[u.i])
	n := utf8Bytes(byte(c))
	if n == 4 {
		r, size := utf8.DecodeRune(u.b[u.i:])
		if size != 4 {
			u.bad = "bytes that are not UTF-8"
		}
		u.i += 4
		return r
	}
	rest := rune(u.byteAt(u.i+1) & 0x3f)
	if n == 2 {
		u.i += 2
		return c&0x1f<<6 | rest
	}
	last := rune(u.byteAt(u.i+2) & 0x3f)
	u.i += 3
	return c&0x0f<<12 | rest<<6 | last
}

// checked reads a character of several bytes with a look at what follows the first.
// fastjson2 refuses one beyond U+FFFF beside an escape, also where it has written it itself:
// that is read here.
func (u *unquoter) checked() rune {
	n := utf8Bytes(u.b[u.i])
	for k := 1; k < n; k++ {
		if u.byteAt(u.i+k)&0xc0 != 0x80 {
			n = 0
		}
	}
	if n == 0 {
		u.bad = "bytes that are not UTF-8"
		return 0
	}
	return u.unchecked()
}

// Escapes of one letter: those that stand for themselves, those that do so in the key of a
// map, and those for control characters, whose place in the string is their value.
const (
	escapesPlain   = `"'\/.#&[]@()_,~ `
	escapesOfKeys  = `.-+*/><=@:`
	escapesControl = "01234567btnvfr"
)

// escape reads the escape at whose backslash u stands: a UTF-16 unit.
func (u *unquoter) escape(key bool) rune {
	c := u.byteAt(u.i + 1)
	switch c {
	case 'u':
		return u.unicodeEscape()
	case 'x':
		high, low := u.byteAt(u.i+2), u.byteAt(u.i+3)
		if high > 'f' || low > 'f' { // the end of its table
			u.bad = "a \\x that is not followed by hexadecimal digits"
		}
		u.i += 4
		return hexLoose(high)<<4 | hexLoose(low)
	case 'F':
		u.i += 2
		return '\f'
	}
	u.i += 2
	for i := range len(escapesControl) {
		if escapesControl[i] == c {
			return rune(i)
		}
	}
	for i := range len(escapesPlain) {
		if escapesPlain[i] == c {
			return rune(c)
		}
	}
	for i := 0; key && i < len(escapesOfKeys); i++ {
		if escapesOfKeys[i] == c {
			return rune(c)
		}
	}
	u.bad = "an unknown escape"
	return 0
}

// unicodeEscape reads four hexadecimal digits. Of any other byte fastjson2 takes the low
// bits, and nine more where a letter's bit is set.
func (u *unquoter) unicodeEscape() (r rune) {
	for k := 2; k < 6; k++ {
		c := rune(u.byteAt(u.i + k))
		r = r<<4 | (c&0xf+c>>6&1*9)&0xf
	}
	u.i += 6
	return r
}

// hexLoose is the value of a hexadecimal digit, 0 of any other byte.
func hexLoose(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		return rune(c&0xf + 9)
	}
	return 0
}

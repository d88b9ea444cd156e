package codec

import (
	"bytes"
	"math/bits"
)

// nextKey reads the next property name of the innermost object and its colon, and stands
// at the value. False: the object ended, and its } is read, or there was an error. An
// object also ends, and the } stays for whoever is around it, behind a comment, and before
// a null where a name is due: fastjson2 takes both for the end.
func (s *bodyScanner) nextKey() (key []byte, ok bool) {
	s.pause(s.i)
	if s.close('}') {
		return nil, false
	}
	if s.peek() == '/' {
		s.skipComment()
	}
	switch c := s.peek(); {
	case c == '"' || c == '\'':
		key, ok = s.property()
		if !ok { // a name whose hash is -1, which says "no name"
			s.depth--
		}
		return key, ok && s.err == nil
	case c == '}' && s.err == nil, s.isNull():
		s.depth--
	default:
		s.unexpected("a key or }")
	}
	return nil, false
}

// plainKey reads a name of plain ASCII in double quotes with its colon, if that is what is
// here.
func (s *bodyScanner) plainKey() (key []byte, ok bool) {
	b, start := s.b, s.i+1
	if b[s.i] != '"' {
		return nil, false
	}
	for i := start; i+8 <= len(b); i += 8 {
		m := jsonSpecialMask(loadWord(b[i:]))
		if m == 0 {
			continue
		}
		if i += bits.TrailingZeros64(m) / 8; b[i] != '"' || i+1 >= len(b) || b[i+1] != ':' {
			return nil, false
		}
		s.i = i + 2
		if s.i < len(b) && jsonBlanks[b[s.i]] {
			s.blanks()
		}
		return b[start:i:i], true
	}
	return nil, false
}

// property reads the name of a property, at whose quote the scanner stands. Only what can
// equal a name that counts is decoded; for any other the result is some text that does
// not. ok is false for a name of one to eight U+00FF.
func (s *bodyScanner) property() (name []byte, ok bool) {
	s.compact = true
	if name, ok := s.plainKey(); ok {
		return name, true
	}
	start := s.i + 1
	u := unquoter{b: s.b, i: s.i + 1, quote: s.b[s.i]}
	short := u
	name, whole := short.shortName()
	if whole {
		u = short
	} else {
		name = u.longName(s)
	}
	if u.bad != "" {
		s.fail(u.i, "name with %s", u.bad)
		return nil, true
	}
	s.i = u.i
	s.compact = u.quote == '"' && s.peek() == ':' && bytes.Equal(s.b[start:s.i-1], name)
	s.colon()
	return name, !whole || bytes.Count(name, []byte{0xff}) < len(name) || len(name) == 0
}

// colon moves over a colon and the blanks around it.
func (s *bodyScanner) colon() {
	s.blanks()
	if s.peek() != ':' {
		s.unexpected("a colon after a key")
		return
	}
	s.i++
	s.blanks()
}

// shortName reads a name of up to eight characters below U+0100, which fastjson2 packs
// into a long: NULs at its end do not count, and what follows a C2 or C3 is not checked.
// False: it is none.
func (u *unquoter) shortName() (name []byte, ok bool) {
	for n := 0; u.bad == ""; n++ {
		if u.i >= len(u.b) {
			return nil, false
		}
		c := rune(u.b[u.i])
		switch {
		case c == rune(u.quote):
			u.i++
			return bytes.TrimRight(name, "\x00"), n > 0
		case c == '\\':
			c = u.escape(false)
		case c == 0xc2 || c == 0xc3:
			if u.i+1 >= len(u.b) {
				return nil, false
			}
			c = c&0x1f<<6 | rune(u.b[u.i+1]&0x3f)
			u.i += 2
		default:
			u.i++
			if c >= 0x80 {
				return nil, false
			}
		}
		if c > 0xff || n >= 8 || n == 0 && c == 0 {
			return nil, false
		}
		name = append(name, byte(c))
	}
	return nil, false
}

// longName reads any other name, of which fastjson2 takes the hash.
func (u *unquoter) longName(s *bodyScanner) (name []byte) {
	for u.bad == "" {
		c := u.byteAt(u.i)
		switch {
		case u.bad != "":
		case c == u.quote:
			u.i++
			return name
		case c == '\\':
			if r := u.escape(false); r < 0x80 {
				name = append(name, byte(r))
				continue
			}
			name = append(name, 0x80)
		case c < 0x80:
			u.i++
			name = append(name, c)
		default:
			u.checked()
			name = append(name, 0x80)
		}
		s.pause(u.i)
	}
	return name
}

// nextEntry reads the next key of an object with text keys, and stands at the value. It is
// read as a Java map with typed values is: a null key is nil, any other a name or a value
// of any kind, whose text is the key.
func (s *bodyScanner) nextEntry() (key []byte, ok bool) {
	s.pause(s.i)
	s.compact = false
	switch c := s.peek(); {
	case c == '"':
		key = s.mapKey()
	case s.close('}'):
		s.nextComma()
		return nil, false
	case c == endOfInput:
		s.depth--
		return nil, false
	case s.isNull():
		s.readNull()
		s.mapColon()
	case c == '\'':
		key = s.mapKey()
	default:
		key, _ = s.text()
		s.compact = false // a key within this one may have been
		s.mapColon()
	}
	return key, s.err == nil
}

// mapColon moves over a colon behind a key that is no string.
func (s *bodyScanner) mapColon() {
	s.blanks()
	if s.peek() != ':' {
		s.unexpected("a colon after a key")
		return
	}
	s.next()
}

// mapKey reads a map's key, at whose quote the scanner stands, and its colon.
func (s *bodyScanner) mapKey() []byte {
	if key, ok := s.plainKey(); ok {
		s.compact = true
		return key
	}
	start, quote := s.i+1, s.b[s.i]
	u := unquoter{b: s.b, i: start, quote: quote}
	u.find(s)
	if u.bad != "" {
		s.fail(start, "key with %s", u.bad)
		return nil
	}
	end := u.i
	var key []byte
	if u.escapes == 0 {
		key = s.validText(s.b[start:end:end])
	} else if key = s.unescape(start, end, quote, u.elements, true); s.err != nil {
		return nil
	}
	s.i = end + 1
	s.colon()
	return key
}

package codec

import (
	"bytes"
	"strconv"
	"strings"
)

// text reads a string property. A number, a boolean, an object or an array gives the text
// that Java makes of it; null gives ok=false. The result may point into the body.
func (s *bodyScanner) text() (text []byte, ok bool) {
	switch c := s.peek(); c {
	case '"', '\'':
		return s.quoted(), s.err == nil
	case 'n':
		s.readNull()
		return nil, false
	case 't', 'f':
		return strconv.AppendBool(nil, s.bool()), s.err == nil
	case '{', '[':
		return s.compositeText()
	default:
		if c != '-' && c != '+' && c-'0' > 9 {
			s.unexpected("a value")
			return nil, false
		}
	}
	n := s.number()
	if s.err != nil {
		return nil, false
	}
	return n.appendText(nil, false), true
}

// string reads a string property that is kept: a copy. Null is "".
func (s *bodyScanner) string() string {
	text, _ := s.text()
	return string(text)
}

// nullString reads a string property that is kept and may be null.
func (s *bodyScanner) nullString() NullString {
	text, ok := s.text()
	return NullString{String: string(text), Valid: ok}
}

// numberString reads a string in quotes where a number is due, which has the oddities of a
// map's key in single quotes, and NULs and comments behind its comma.
func (s *bodyScanner) numberString() []byte {
	text := s.quotedText()
	if s.err == nil {
		s.blanks()
		if s.comma = s.peek() == ','; s.comma {
			s.next()
		}
	}
	return text
}

// objectNumber reads an object where a number is due: its member val, if that is a number.
func (s *bodyScanner) objectNumber() (v int64, ok bool) {
	c := s.composite()
	return c.val, c.hasVal
}

// onlyNumber reads an array where a number is due: of one number, or of one string with an
// integer.
func (s *bodyScanner) onlyNumber(offset int) int32 {
	c := s.composite()
	if !c.hasOnly && s.err == nil {
		s.fail(offset, "array where one number belongs")
	}
	return int32(c.only)
}

// bool reads a Java boolean: true, false, a number (1 and -1 are true), the usual words in
// quotes, or an array of one of these; null and "" are false.
func (s *bodyScanner) bool() bool {
	rest := s.b[min(s.i, len(s.b)):]
	switch c := s.peek(); {
	case bytes.HasPrefix(rest, []byte("true")):
		s.i += 4
		s.endValue()
		return true
	case bytes.HasPrefix(rest, []byte("false")):
		s.i += 5
		s.endValue()
		return false
	case c == 'n':
		s.readNull()
		return false
	case c == '"' || c == '\'':
		return s.quotedBool()
	case c == '-' || c-'0' <= 9:
		n := s.number()
		return n.kind == numberInt && n.narrow == 0 && strings.TrimLeft(string(n.digits), "0") == "1"
	case c == '[':
		if !s.enter() {
			return false
		}
		s.next()
		v := s.bool()
		s.depth--
		if s.blanks(); s.peek() != ']' {
			s.unexpected("the ] behind a boolean")
			return false
		}
		s.next()
		return v
	}
	s.unexpected("a boolean")
	return false
}

func (s *bodyScanner) quotedBool() bool {
	offset, quote := s.i, s.b[s.i]
	if s.i+2 < len(s.b) && s.b[s.i+2] == quote { // of one byte
		c := s.b[s.i+1]
		s.i += 3
		s.endValue()
		switch c {
		case '1', 'Y':
			return true
		case '0', 'N':
			return false
		}
	} else {
		switch text := string(s.quoted()); {
		case strings.EqualFold(text, "true"):
			return true
		case strings.EqualFold(text, "false"), strings.EqualFold(text, "null"), text == "":
			return false
		}
	}
	s.fail(offset, "string that is not a boolean")
	return false
}

// skip reads over a value of any kind, as fastjson2 does where a property is not known: it
// insists on commas between and none before a bracket.
func (s *bodyScanner) skip() {
	s.pause(s.i)
	switch c := s.peek(); c {
	case '{', '[':
		s.skipComposite(c + 2) // its closing bracket
	case '"', '\'':
		u := unquoter{b: s.b, i: s.i + 1, quote: c}
		u.skim(s)
		if u.bad != "" {
			s.fail(s.i, "string with %s", u.bad)
			return
		}
		s.i = u.i + 1
	case 't', 'f', 'n':
		s.skipWord()
	case 'S':
		if !s.isSet() {
			s.unexpected("a value")
			return
		}
		s.i += len(jsonSet)
		s.blanks()
		s.skipComposite(']') // whatever stands there instead of its bracket
	default:
		s.skipNumber()
	}
	if s.err != nil {
		return
	}
	s.blanks()
	if s.comma = s.peek() == ','; s.comma {
		s.i++
		s.blanks()
	}
	if c := s.peek(); s.comma == (c == '}' || c == ']' || c == endOfInput) {
		s.unexpected("a comma and a value, or a bracket")
	}
}

// skim moves to the closing quote of a string that is passed over.
func (u *unquoter) skim(s *bodyScanner) {
	for ; u.i < len(u.b) && u.bad == ""; u.i++ {
		switch c := u.b[u.i]; c {
		case u.quote:
			return
		case '\\':
			switch u.byteAt(u.i + 1) {
			case 'u':
				u.i += 5
			case 'x':
				u.i += 3
			default:
				u.escape(false)
				u.i--
			}
		}
		s.pause(u.i)
	}
	if u.bad == "" {
		u.bad = "no end"
	}
}

// jsonSet may stand before an array.
const jsonSet = "Set"

func (s *bodyScanner) isSet() bool {
	return bytes.HasPrefix(s.b[min(s.i, len(s.b)):], []byte(jsonSet))
}

func (s *bodyScanner) skipComposite(bracket byte) {
	if !s.enter() {
		return
	}
	s.next()
	for first := true; s.err == nil && s.peek() != bracket; first = false {
		if !first && !s.comma {
			s.unexpected("a comma")
			return
		}
		if bracket == '}' {
			s.skipName()
		}
		s.skip()
	}
	if s.err == nil {
		s.depth--
		s.i++
	}
}

func (s *bodyScanner) skipName() {
	c := s.peek()
	if c != '"' && c != '\'' {
		s.unexpected("a key")
		return
	}
	u := unquoter{b: s.b, i: s.i + 1, quote: c}
	if u.skim(s); u.bad != "" {
		s.fail(s.i, "key with %s", u.bad)
		return
	}
	s.i = u.i + 1
	s.colon()
}

func (s *bodyScanner) skipWord() {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.b[s.i:], []byte(word)) {
			s.i += len(word)
			return
		}
	}
	s.unexpected("a value")
}

// skipNumber reads over a number: digits on either side of the point, an exponent that may
// lack its digits if it has no sign, a suffix.
func (s *bodyScanner) skipNumber() {
	start := s.i
	run := func() bool {
		at := s.i
		for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
			s.i++
			s.pause(s.i)
		}
		return s.i > at
	}
	if c := s.peek(); c == '-' || c == '+' {
		s.i++
	}
	whole := run()
	if whole && isSuffix(s.peek()) {
		s.i++
		return
	}
	point := s.peek() == '.'
	if point {
		s.i++
		run()
	}
	ok := whole || point
	if ok && s.peek()|0x20 == 'e' {
		s.i++
		signed := s.peek() == '+' || s.peek() == '-'
		if signed {
			s.i++
		}
		ok = run() || !signed
	}
	if c := s.peek(); c == 'F' || c == 'D' {
		s.i++
	}
	if !ok {
		s.i = start
		s.unexpected("a value")
	}
}

// enum reads the name of a Java enum's value, or its ordinal, which must be below count;
// null gives neither. What comes of a name that is not ASCII is no name of any.
func (s *bodyScanner) enum(count int32, what string) (name []byte, ordinal int32) {
	offset := s.i
	switch c := s.peek(); {
	case c == '-' || c == '+' || c-'0' <= 9:
		if ordinal = s.int32(); (ordinal < 0 || ordinal >= count) && s.err == nil {
			s.fail(offset, "no %s has the number %d", what, ordinal)
		}
		return nil, ordinal
	case s.null():
		return nil, -1
	case c != '"' && c != '\'':
		s.unexpected(what)
		return nil, -1
	}
	u := unquoter{b: s.b, i: s.i + 1, quote: s.b[s.i]}
	short := u
	name, ok := short.shortName()
	if ok {
		u = short
	} else {
		u.quote = '"' // in single quotes it goes on to a double one
		name = u.longName(s)
	}
	if u.bad != "" {
		s.fail(offset, "%s with %s", what, u.bad)
		return nil, -1
	}
	s.i = u.i
	s.endValue()
	return name, -1
}

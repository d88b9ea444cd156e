package codec

import (
	"fmt"
)

// headerScanner walks over one JSON header once, filling in c.
type headerScanner struct {
	c   *Command
	b   []byte
	i   int
	lim *Limits
}

// decodeJSONHeader reads a JSON header as fastjson2 reads it for Java 5.5.0.
//
// Java: RemotingSerializable#decode.
func (c *Command) decodeJSONHeader(header []byte, lim *Limits) error {
	s := headerScanner{c: c, b: header, lim: lim}
	s.skipBlanks()
	if s.peek() != '{' {
		return s.unexpected("the header's opening brace")
	}
	s.i++
	if err := s.members(s.commandMember); err != nil {
		return err
	}
	s.skipBlanks()
	if s.i != len(s.b) {
		return s.unexpected("the end of the header")
	}
	return nil
}

// peek returns the next byte; 0, which no JSON token starts with, at the end.
func (s *headerScanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *headerScanner) skipBlanks() {
	for s.i < len(s.b) && isJSONBlank(s.b[s.i]) {
		s.i++
	}
}

func isJSONBlank(ch byte) bool {
	return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t' || ch == '\f' || ch == '\b'
}

func (s *headerScanner) unexpected(wanted string) error {
	if s.i >= len(s.b) {
		return headerErrorf(s.i, "%s expected, but it ends", wanted)
	}
	return headerErrorf(s.i, "%s expected, not %q", wanted, s.b[s.i])
}

// members reads what is between the braces of an object and the closing one.
func (s *headerScanner) members(member func(key []byte) error) error {
	for {
		s.skipBlanks()
		if s.peek() == '}' {
			s.i++
			return nil
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		s.skipBlanks()
		if s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.i++
		s.skipBlanks()
		if err := member(key); err != nil {
			return err
		}
		s.skipBlanks()
		switch s.peek() {
		case ',':
			s.i++
		case '}':
		default:
			return s.unexpected("a comma or closing brace")
		}
	}
}

func (s *headerScanner) commandMember(key []byte) (err error) {
	c := s.c
	switch string(key) {
	case "code":
		c.Code, _, err = s.int32(c.Code)
	case "flag":
		c.Flag, _, err = s.int32(c.Flag)
	case "version":
		c.Version, _, err = s.int32(c.Version)
	case "opaque":
		var named bool
		c.Opaque, named, err = s.int32(c.Opaque)
		c.HasOpaque = c.HasOpaque || named
	case "language":
		err = s.language()
	case "remark":
		c.Remark, err = s.text()
	case "extFields":
		err = s.extFields()
	default:
		err = s.skipValue(1)
	}
	return err
}

func (s *headerScanner) extMember(key []byte) error {
	if s.c.ext.n >= s.lim.ExtFieldsMax {
		return fmt.Errorf("%w: the limit is %d", ErrTooManyExtFields, s.lim.ExtFieldsMax)
	}
	value, err := s.text()
	if err != nil {
		return err
	}
	s.c.ext.add(key, value)
	return nil
}

func (s *headerScanner) extFields() error {
	s.c.ext.reset()
	s.c.HasExt = false
	if s.literal("null") {
		return nil
	}
	if s.peek() != '{' {
		return s.unexpected("an object or null")
	}
	s.i++
	s.c.HasExt = true
	return s.members(s.extMember)
}

func (s *headerScanner) literal(word string) bool {
	if len(s.b)-s.i >= len(word) && string(s.b[s.i:s.i+len(word)]) == word {
		s.i += len(word)
		return true
	}
	return false
}

// str reads a string in double quotes; escapes go to the scratch array.
func (s *headerScanner) str() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.unexpected("a string")
	}
	s.i++
	start := s.i
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			text := s.b[start:s.i:s.i]
			s.i++
			return s.c.validText(text), nil
		case '\\':
			return s.escapedString(start)
		}
		s.i++
	}
	return nil, s.unexpected("a closing quote")
}

// text reads a value that Java stores in a string: nil is null.
func (s *headerScanner) text() ([]byte, error) {
	start := s.i
	switch ch := s.peek(); {
	case ch == '"':
		return s.str()
	case s.literal("null"):
		return nil, nil
	case s.literal("true"), s.literal("false"):
		return s.b[start:s.i:s.i], nil
	case ch == '-' || ch >= '0' && ch <= '9':
		return s.number(), nil
	}
	return nil, s.unexpected("a string, number, boolean or null")
}

func (s *headerScanner) number() []byte {
	start := s.i
	for s.i < len(s.b) {
		switch ch := s.b[s.i]; {
		case ch >= '0' && ch <= '9', ch == '-', ch == '+', ch == '.', ch == 'e', ch == 'E':
			s.i++
			continue
		}
		break
	}
	return s.b[start:s.i:s.i]
}

// int32 reads a value that Java stores in an int. named is false for null, which leaves
// the field as it was.
func (s *headerScanner) int32(was int32) (v int32, named bool, err error) {
	at := s.i
	text, err := s.text()
	if err != nil || text == nil {
		return was, false, err
	}
	v64, ok := parseExtInt(text, 32)
	if !ok {
		return 0, false, headerErrorf(at, "a 32-bit integer expected, not %q", text)
	}
	return int32(v64), true, nil
}

func (s *headerScanner) language() error {
	at := s.i
	quoted := s.peek() == '"'
	text, err := s.text()
	if err != nil {
		return err
	}
	if quoted || text == nil {
		s.c.Language = languageOfName(text)
		return nil
	}
	ordinal, ok := parseExtInt(text, 32)
	if !ok || ordinal < 0 || ordinal >= int64(len(languageNames)) {
		return headerErrorf(at, "no language has the number %q", text)
	}
	s.c.Language = LanguageCode(ordinal)
	return nil
}

// skipValue passes over a value of a key that means nothing here.
func (s *headerScanner) skipValue(depth int) error {
	if depth > s.lim.JSONDepthMax {
		return headerErrorf(s.i, "nested deeper than %d", s.lim.JSONDepthMax)
	}
	switch s.peek() {
	case '{':
		s.i++
		return s.members(func([]byte) error { return s.skipValue(depth + 1) })
	case '[':
		s.i++
		return s.skipElements(depth + 1)
	}
	_, err := s.text()
	return err
}

func (s *headerScanner) skipElements(depth int) error {
	for {
		s.skipBlanks()
		if s.peek() == ']' {
			s.i++
			return nil
		}
		if err := s.skipValue(depth); err != nil {
			return err
		}
		s.skipBlanks()
		switch s.peek() {
		case ',':
			s.i++
		case ']':
		default:
			return s.unexpected("a comma or closing bracket")
		}
	}
}

package codec

import "fmt"

// A JSON header is read as fastjson2 2.0.59 reads it for Java 5.5.0, tried out input by
// input, because a header it refuses closes the connection and one it accepts must not.
//
// Beyond the standard it takes: any order and any subset of the keys; unknown keys with
// any value; numbers as strings, and numbers and booleans where a string belongs; single
// quotes; raw control characters in strings; a comma too many before a closing brace, or
// none between two members; blanks, NULs and the DOS end-of-file mark behind the header.
// It refuses, like fastjson2: bare keys, a comma before the first member or two in a row,
// anything else behind the header. Key names count in their own case only. Of a name that
// occurs twice the last one counts.
//
// Chosen otherwise than fastjson2, each for want of a sender:
//   - comments are refused everywhere, not only in some places;
//   - an array or object where a number belongs is refused, and so is a number with a
//     fraction or an exponent that does not fit an int (Java saturates or wraps);
//   - an array or object as an ext value keeps its own text (Java re-serialises it), and
//     so does a number with a fraction or an exponent;
//   - the commas around an unknown member are as optional as those around a known one;
//   - bytes that are not UTF-8 never close the connection (see appendValidText);
//   - "$ref", which fastjson2 resolves even here, is a name like any other;
//   - nesting ends at Limits.JSONDepthMax, ext fields at Limits.ExtFieldsMax.

// headerScanner walks once over one JSON header and fills in c.
type headerScanner struct {
	b   []byte
	i   int
	c   *Command
	lim *Limits
}

// decodeJSONHeader reads a JSON header (Java: RemotingSerializable#decode).
func (c *Command) decodeJSONHeader(header []byte, lim *Limits) error {
	s := headerScanner{b: header, c: c, lim: lim}
	s.skipBlanks()
	if s.peek() != '{' {
		return s.expected("an opening brace")
	}
	s.i++
	if err := s.command(); err != nil {
		return err
	}
	for s.i < len(header) && isTrailingBlank(header[s.i]) {
		s.i++
	}
	if s.i != len(header) {
		return s.expected("the end of the header")
	}
	return nil
}

// command reads the members of the header itself, the opening brace being behind.
func (s *headerScanner) command() error {
	c := s.c
	for first := true; ; first = false {
		k := s.compactKey(first)
		var key []byte
		var err error
		if k == keyUnknown {
			var ok bool
			if key, ok, err = s.nextMember(first); err != nil || !ok {
				return err
			}
			k = headerKeyOf(key)
		}
		switch k {
		case keyCode:
			err = s.int32(&c.Code)
		case keyFlag:
			err = s.int32(&c.Flag)
		case keyOpaque:
			c.HasOpaque = true
			err = s.int32(&c.Opaque)
		case keyVersion:
			err = s.int32(&c.Version)
		case keyLanguage:
			err = s.language()
		case keyRemark:
			c.Remark, err = s.text()
		case keyExtFields:
			err = s.extFields()
		case keySerializeType:
			err = s.unusedSerializeType()
		default:
			err = s.unusedProperty(key)
		}
		if err != nil {
			return err
		}
	}
}

// extFields reads the value of extFields: an object, or a null in one of its three forms.
func (s *headerScanner) extFields() error {
	c := s.c
	c.ext.reset()
	c.HasExt = false
	if s.peek() != '{' {
		at := s.i
		text, err := s.text()
		if err == nil && !isNullText(text) {
			err = headerErrorf(at, "an object or null expected as extFields")
		}
		return err
	}
	s.i++
	c.HasExt = true
	for first := true; ; first = false {
		if c.ext.n > s.lim.ExtFieldsMax {
			return fmt.Errorf("%w: the limit is %d", ErrTooManyExtFields, s.lim.ExtFieldsMax)
		}
		if s.compactField(first) {
			continue
		}
		key, ok, err := s.nextMember(first)
		if err != nil || !ok {
			return err
		}
		value, err := s.text()
		if err != nil {
			return err
		}
		c.ext.add(key, value)
	}
}

// nextMember moves to the value of an object's next member and returns its key, or moves
// behind the closing brace and returns false. Only the first one has no comma before it.
func (s *headerScanner) nextMember(first bool) (key []byte, ok bool, err error) {
	s.skipBlanks()
	if !first && s.peek() == ',' {
		s.i++
		s.skipBlanks()
	}
	switch ch := s.peek(); ch {
	case '"', '\'':
		key, err = s.quoted(ch)
	case '}':
		s.i++
		return nil, false, nil
	default:
		err = s.expected("a key or closing brace")
	}
	if err != nil {
		return nil, false, err
	}
	if err := s.colon(); err != nil {
		return nil, false, err
	}
	return key, true, nil
}

// colon moves over a colon and the blanks around it.
func (s *headerScanner) colon() error {
	s.skipBlanks()
	if s.peek() != ':' {
		return s.expected("a colon")
	}
	s.i++
	s.skipBlanks()
	return nil
}

// peek returns the next byte, or 0 at the end; no token starts with a 0.
func (s *headerScanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *headerScanner) skipBlanks() {
	for s.i < len(s.b) && isBlank(s.b[s.i]) {
		s.i++
	}
}

// isBlank: fastjson2 also counts backspace and form feed.
func isBlank(ch byte) bool {
	const blanks = 1<<' ' | 1<<'\n' | 1<<'\r' | 1<<'\t' | 1<<'\f' | 1<<'\b'
	return ch <= ' ' && uint64(blanks)>>ch&1 != 0
}

// isTrailingBlank: behind the header a C string's end and DOS's end of file count too.
func isTrailingBlank(ch byte) bool { return isBlank(ch) || ch == 0 || ch == 0x1A }

// expected says what was wanted at the scanner's place and what is there.
func (s *headerScanner) expected(what string) error {
	if s.i >= len(s.b) {
		return headerErrorf(len(s.b), "%s expected, but it ends", what)
	}
	return headerErrorf(s.i, "%s expected, not %q", what, s.b[s.i])
}

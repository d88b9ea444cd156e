package codec

// A JSON header is read as fastjson2 2.0.59 reads it for Java 5.5.0, because a header it
// refuses closes the connection and one it accepts must not. There are two ways to do it.
// headerScanner knows what peers write: the properties that count, numbers of up to nine
// digits, strings, blanks where JSON has them. Whatever else it meets, it gives up, and the
// header is read again by bodyScanner (header_odd.go), which takes all that fastjson2 takes.
// What both read means the same.
//
// Key names count in their own case only. Of a name that occurs twice the last one counts.

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
	if s.header() {
		return nil
	}
	return c.decodeOddHeader(header, lim)
}

// header reads the whole header. False: it is for decodeOddHeader to read.
func (s *headerScanner) header() bool {
	if s.skipBlanks(); s.peek() != '{' {
		return false
	}
	if s.i++; !s.command() {
		return false
	}
	s.skipBlanks()
	return s.i == len(s.b)
}

// command reads the members of the header itself, the opening brace being behind.
func (s *headerScanner) command() bool {
	c := s.c
	for first := true; ; first = false {
		k := s.compactKey(first)
		if k == keyUnknown {
			key, more := s.nextMember(first)
			if !more {
				return key == nil
			}
			k = headerKeyOf(key)
		}
		ok := false
		switch k {
		case keyCode:
			ok = s.int32(&c.Code)
		case keyFlag:
			ok = s.int32(&c.Flag)
		case keyOpaque:
			c.HasOpaque = true
			ok = s.int32(&c.Opaque)
		case keyVersion:
			ok = s.int32(&c.Version)
		case keyLanguage:
			ok = s.language()
		case keyRemark:
			ok = s.remark()
		case keyExtFields:
			ok = s.extFields()
		case keySerializeType:
			ok = s.literal(`"JSON"`) || s.literal(`"ROCKETMQ"`) // the frame's type byte has said it
		}
		if !ok {
			return false
		}
	}
}

// extFields reads the value of extFields, if it is an object of strings.
func (s *headerScanner) extFields() bool {
	c := s.c
	c.ext.reset()
	if s.peek() != '{' {
		return false
	}
	s.i++
	c.HasExt = true
	for first := true; ; first = false {
		if c.ext.n > s.lim.ExtFieldsMax {
			return false
		}
		if s.compactField(first) {
			continue
		}
		key, more := s.nextMember(first)
		if !more {
			return key == nil && (c.ext.n == 0 || string(c.ext.at(0).key) != "$ref")
		}
		value, ok := s.quoted()
		if !ok {
			return false
		}
		c.ext.add(key, value)
	}
}

// noKey is what nextMember returns as the key when it gives up.
var noKey = []byte{}

// nextMember moves to the value of an object's next member and returns its key. It moves
// behind the closing brace and returns nil and false, or gives up: noKey and false.
func (s *headerScanner) nextMember(first bool) (key []byte, more bool) {
	s.skipBlanks()
	switch ch := s.peek(); {
	case ch == '}' && s.i < len(s.b):
		s.i++
		return nil, false
	case first:
	case ch == ',':
		s.i++
		s.skipBlanks()
	default:
		return noKey, false
	}
	key, ok := s.quoted()
	if !ok {
		return noKey, false
	}
	s.skipBlanks()
	if s.peek() != ':' {
		return noKey, false
	}
	s.i++
	s.skipBlanks()
	return key, true
}

// int32 reads a value that Java keeps in an int: one to nine digits with nothing odd behind.
func (s *headerScanner) int32(v *int32) bool {
	i := s.i
	negative := i < len(s.b) && s.b[i] == '-'
	if negative {
		i++
	}
	n, first := int32(0), i
	for i < len(s.b) && s.b[i]-'0' <= 9 {
		n = n*10 + int32(s.b[i]-'0') // wraps for ten digits and more: they are not used
		i++
	}
	if digits := i - first; digits == 0 || digits > 9 || i == len(s.b) || s.b[i] != ',' && s.b[i] != '}' && !isBlank(s.b[i]) {
		return false
	}
	if negative {
		n = -n
	}
	s.i = i
	*v = n
	return true
}

// language reads the language's name.
func (s *headerScanner) language() bool {
	if s.literal(`"JAVA"`) {
		s.c.Language = LanguageJava
		return true
	}
	name, ok := s.quoted()
	if !ok || isDigits(name) {
		return false
	}
	s.c.Language = languageOfName(name)
	return true
}

// remark reads a string or null.
func (s *headerScanner) remark() (ok bool) {
	if s.literal("null") {
		s.c.Remark = nil
		return true
	}
	s.c.Remark, ok = s.quoted()
	return ok
}

// literal moves over word if it is next.
func (s *headerScanner) literal(word string) bool {
	end := s.i + len(word)
	if end > len(s.b) || string(s.b[s.i:end]) != word {
		return false
	}
	s.i = end
	return true
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

func isBlank(ch byte) bool {
	const blanks = 1<<' ' | 1<<'\n' | 1<<'\r' | 1<<'\t'
	return ch <= ' ' && uint64(blanks)>>ch&1 != 0
}

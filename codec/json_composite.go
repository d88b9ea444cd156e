package codec

import (
	"math/big"
	"strconv"
	"strings"
)

// What may be read of objects and arrays that stand where a string or a number belongs, in
// one body or header: fastjson2 reads them and writes them again, which no peer needs and
// which costs many times what other bytes cost. Headers are read on event loops.
const (
	bodyCompositesMax   = 64 << 10
	headerCompositesMax = 4 << 10
)

// composite is what an object or an array is where a string or a number belongs.
type composite struct {
	text    []byte // as Java writes it again
	val     int64  // of an object: its member val, low 32 bits of a number
	hasVal  bool
	only    int64 // of an array of one number, or one string with an integer
	hasOnly bool
	single  []byte // of an array: its only element, a string or null
	isText  bool   // single is a string
	isNull  bool   // the only element is null
}

// compositeText reads an object or an array where a string belongs. An array of one string
// is that string.
func (s *bodyScanner) compositeText() (text []byte, ok bool) {
	c := s.composite()
	switch {
	case s.err != nil, c.isNull:
		return nil, false
	case c.isText:
		return c.single, true
	}
	return c.text, true
}

// composite reads an object or an array and the comma behind it.
func (s *bodyScanner) composite() (c composite) {
	start := s.i
	if s.peek() == '[' {
		s.arrayOf(&c)
	} else {
		s.objectOf(&c)
	}
	if s.compositesLeft -= s.i - start; s.err == nil && s.compositesLeft < 0 {
		s.stop(bodyTooLargef(s.base+start, "too large objects or arrays where strings or numbers belong"))
	}
	return c
}

// arrayOf reads an array. Commas count for nothing.
func (s *bodyScanner) arrayOf(c *composite) {
	if !s.enter() {
		return
	}
	start, n := s.i, 0
	c.text = append(c.text, '[')
	for s.next(); s.err == nil && s.peek() != ']'; {
		if s.peek() == '/' {
			s.skipComment()
			continue
		}
		if n++; n > 1 {
			c.text = append(c.text, ',')
		}
		c.single, c.isText, c.isNull, c.hasOnly = nil, false, false, false
		if s.element(c, nil); s.i-start > s.compositesLeft {
			return
		}
	}
	if n != 1 {
		c.isText, c.isNull, c.hasOnly = false, false, false
	}
	c.text = append(c.text, ']')
	s.endComposite()
}

// endComposite reads a closing bracket and the comma behind it.
func (s *bodyScanner) endComposite() {
	if s.err != nil {
		return
	}
	s.depth--
	s.next()
	if s.comma = s.peek() == ','; s.comma {
		s.next()
	}
}

// member is a member of an object that was read: where its text is.
type member struct {
	start, end int
	null       bool
}

// objectOf reads an object. Members that are null are not written again; of a key that
// occurs twice the last value counts, in the place of the first.
func (s *bodyScanner) objectOf(c *composite) {
	if !s.enter() {
		return
	}
	var members []member
	index := map[string]int{}
	values := composite{}
	start := s.i
	for s.next(); s.err == nil; {
		if s.peek() == '/' {
			s.skipComment()
		}
		if s.peek() == '}' {
			break
		}
		key := s.anyKey()
		if s.err != nil {
			return
		}
		m := member{start: len(values.text)}
		values.text = append(append(values.text, key...), ':')
		values.hasOnly, values.isText, values.isNull = false, false, false
		if s.element(&values, &m); s.i-start > s.compositesLeft {
			return
		}
		m.end = len(values.text)
		if string(key) == `"val"` {
			c.val, c.hasVal = values.val, values.hasVal
		}
		if i, again := index[string(key)]; again {
			members[i] = m
			continue
		}
		index[string(key)] = len(members)
		members = append(members, m)
	}
	c.text = append(c.text, '{')
	n := 0
	for _, m := range members {
		if m.null {
			continue
		}
		if n++; n > 1 {
			c.text = append(c.text, ',')
		}
		c.text = append(c.text, values.text[m.start:m.end]...)
	}
	c.text = append(c.text, '}')
	s.endComposite()
}

// anyKey reads a key of an object of any kind and gives it as JSON: a string, a number, or
// a name without quotes.
func (s *bodyScanner) anyKey() (key []byte) {
	c := s.peek()
	if c == '"' || c == '\'' {
		return AppendJSONString(nil, string(s.mapKey()), DialectPlain)
	}
	if c == '-' || c-'0' <= 9 {
		n := s.number()
		key = n.appendText(nil, true)
	} else {
		start := s.i
		for s.i < len(s.b) && !jsonBlanks[s.b[s.i]] && strings.IndexByte(".-+*/><=![]{}(),:\x1a", s.b[s.i]) < 0 {
			s.i++
		}
		if s.i == start {
			s.unexpected("a key or }")
			return nil
		}
		key = AppendJSONString(nil, string(s.validText(s.b[start:s.i:s.i])), DialectPlain)
		if s.blanks(); s.peek() == ':' {
			s.i++
			s.blanks()
		}
	}
	if s.blanks(); s.peek() == ':' {
		s.next()
	}
	return key
}

// element reads a value inside of an object (m is its member) or an array.
func (s *bodyScanner) element(c *composite, m *member) {
	c.hasVal = false
	switch b := s.peek(); {
	case s.isSet():
		s.i += len(jsonSet)
		s.blanks()
		s.arrayOf(c)
	case b == '[' || b == '{':
		if b == '{' && s.isReference() { // a null that is resolved when the text is written
			s.passing = true
			s.openMap("a reference")
			s.passing = false
			if s.close('}'); m != nil {
				m.null = true
			}
			c.text, c.isNull = append(c.text, "null"...), true
			return
		}
		inner := composite{text: c.text}
		if b == '[' {
			s.arrayOf(&inner)
		} else {
			s.objectOf(&inner)
		}
		c.text = inner.text
	case b == '"' || b == '\'':
		text := s.quoted()
		c.text = AppendJSONString(c.text, string(text), DialectPlain)
		c.single, c.isText = text, true
		c.only, c.hasOnly = parseExtInt(text, 32)
	case b == 't' || b == 'f':
		c.text = strconv.AppendBool(c.text, s.bool())
	case b == 'n':
		s.readNull()
		c.text = append(c.text, "null"...)
		c.isNull = true
		if m != nil {
			m.null = true
		}
	case b == '-' || b == '+' || b-'0' <= 9:
		n := s.number()
		if s.err == nil {
			c.text = n.appendText(c.text, true)
			c.only, c.hasOnly = n.intValue(), true
			c.val, c.hasVal = c.only, true
		}
	default:
		s.unexpected("a value")
	}
}

// intValue is Java's Number.intValue.
func (n *jsonNumber) intValue() int64 {
	if v, ok := n.small(); ok {
		return int64(int32(v))
	}
	switch {
	case n.kind == numberDecimal && n.exponent == 0:
		v, _ := n.int64()
		return int64(int32(v))
	case n.kind >= numberDecimal && n.kind <= numberDouble && n.kind != numberHuge:
		v, _ := n.int64()
		return min(max(v, -1<<31), 1<<31-1)
	}
	m := n.magnitude()
	if n.kind == numberHuge {
		m.Quo(m, pow10(n.scale))
	}
	if n.negative {
		m.Neg(m)
	}
	return int64(int32(lowBits(m)))
}

// appendText appends what Java makes of a number when it becomes a string, or, as json,
// when it is written again.
func (n *jsonNumber) appendText(dst []byte, json bool) []byte {
	switch {
	case n.kind == numberFloat || n.kind == numberDouble || n.kind == numberDecimal && n.exponent != 0:
		return appendJavaDouble(dst, n, json)
	case n.kind == numberDecimal || n.kind == numberHuge:
		return appendJavaDecimal(dst, n, json)
	}
	if v, ok := n.small(); ok {
		switch n.narrow {
		case 'B':
			v = int64(int8(v))
		case 'S':
			v = int64(int16(v))
		}
		return strconv.AppendInt(dst, v, 10)
	}
	m := n.magnitude()
	if n.negative {
		m.Neg(m)
	}
	switch n.narrow {
	case 'B':
		m = big.NewInt(int64(int8(lowBits(m))))
	case 'S':
		m = big.NewInt(int64(int16(lowBits(m))))
	}
	return m.Append(dst, 10)
}

// appendJavaDecimal appends a BigDecimal: as toString does, with an exponent when there are
// more than six zeros behind the point.
func appendJavaDecimal(dst []byte, n *jsonNumber, json bool) []byte {
	digits := string(n.significant())
	switch {
	case digits == "":
		digits = "0"
	case n.negative:
		dst = append(dst, '-')
	}
	if n.scale == 0 {
		return append(dst, digits...)
	}
	adjusted := len(digits) - 1 - n.scale
	if adjusted >= -6 || json {
		for len(digits) <= n.scale {
			digits = "0" + digits
		}
		point := len(digits) - n.scale
		return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(adjusted), 10)
}

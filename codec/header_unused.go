package codec

import "strings"

// unusedProperty moves over the value of a member that means nothing to a name server. Java
// reads a header into a bean, so properties of that bean which never travel have a type all
// the same: a value that does not fit is refused, as any other damaged header is. The
// forms that fit were tried out on Java 5.5.0.
func (s *headerScanner) unusedProperty(key []byte) error {
	switch string(key) {
	case "body":
		return s.unusedBytes(1)
	case "suspended":
		return s.unusedBool()
	case "callbackList":
		return s.unusedList()
	case "processTimer":
		return s.unusedObject()
	}
	return s.skipValue(1)
}

// unusedSerializeType moves over serializeTypeCurrentRPC: any string, null, or one of the
// ordinals 0 and 1. The frame's type byte has said it.
func (s *headerScanner) unusedSerializeType() error {
	if s.literal(`"JSON"`) {
		return nil
	}
	start := s.i
	switch s.peek() {
	case '"', '\'', 'n':
		_, err := s.text()
		return err
	case 't', 'f':
		return s.expected("a serialize type")
	}
	var ordinal int32
	if err := s.int32(&ordinal); err != nil {
		return err
	}
	if ordinal < 0 || ordinal > int32(SerializeRocketMQ) {
		return headerErrorf(start, "no serialize type has the number %d", ordinal)
	}
	return nil
}

// unusedBool moves over a boolean: one, a number, null, or one of their names.
func (s *headerScanner) unusedBool() error {
	start := s.i
	switch s.peek() {
	case '{', '[':
		return s.expected("a boolean")
	case '"', '\'':
		text, err := s.text()
		if err != nil {
			return err
		}
		switch strings.ToLower(string(text[:min(len(text), len("false")+1)])) {
		case "", "null", "true", "false", "1", "0":
			return nil
		}
		if string(text) == "Y" || string(text) == "N" {
			return nil
		}
		return headerErrorf(start, "a boolean expected, not another string")
	}
	_, err := s.text()
	return err
}

// unusedObject moves over an object or null.
func (s *headerScanner) unusedObject() error {
	switch s.peek() {
	case '{':
		return s.skipValue(1)
	case '"', '\'', 'n':
		return s.nullText("an object")
	}
	return s.expected("an object")
}

// unusedList moves over a list of objects. A boolean, or a lone object, counts as one, and
// booleans and nulls as objects.
func (s *headerScanner) unusedList() error {
	switch s.peek() {
	case '[':
		return s.elements(func() error {
			switch s.peek() {
			case '{', 'n', 't', 'f':
				return s.skipValue(2)
			}
			return s.expected("an object")
		})
	case '{', 't', 'f':
		return s.skipValue(1)
	case '"', '\'', 'n':
		return s.nullText("a list")
	}
	return s.expected("a list")
}

// unusedBytes moves over a list of bytes at that depth: numbers, booleans, nulls, also in
// quotes; objects count too, and lists of one such element.
func (s *headerScanner) unusedBytes(depth int) error {
	switch s.peek() {
	case '[':
		return s.elements(func() error { return s.unusedByte(depth + 1) })
	case '"', '\'':
		start := s.i
		text, err := s.text()
		if err == nil && len(text) > 0 {
			err = headerErrorf(start, "a list of bytes expected, not a string")
		}
		return err
	case 'n':
		return s.nullText("a list of bytes")
	}
	return s.expected("a list of bytes")
}

func (s *headerScanner) unusedByte(depth int) error {
	start := s.i
	if depth > s.lim.JSONDepthMax {
		return headerErrorf(start, "nested deeper than the limit of %d", s.lim.JSONDepthMax)
	}
	switch s.peek() {
	case '[':
		n := 0
		err := s.elements(func() error {
			n++
			return s.unusedByte(depth + 1)
		})
		if err == nil && n != 1 {
			err = headerErrorf(start, "a byte expected, not a list")
		}
		return err
	case '{', 'n', 't', 'f':
		return s.skipValue(depth)
	}
	text, err := s.text()
	if err != nil || isNullText(text) || string(text) == "true" || string(text) == "false" {
		return err
	}
	if ch := text[0]; ch-'0' > 9 && ch != '-' && ch != '+' && ch != '.' {
		return headerErrorf(start, "a byte expected, not a string")
	}
	if digits := strings.Trim(string(text[1:]), "0123456789"); digits == "" && len(text) > len("2147483647") {
		if _, ok := parseExtInt(text, 32); !ok {
			return headerErrorf(start, "a byte expected, not a number beyond 32 bits")
		}
	}
	return nil
}

// nullText moves over null in one of its three forms; what is the wanted thing's name.
func (s *headerScanner) nullText(what string) error {
	start := s.i
	text, err := s.text()
	if err == nil && !isNullText(text) {
		err = headerErrorf(start, "%s expected, not a string", what)
	}
	return err
}

// elements moves over a list, element by element. Commas between them are optional, as
// they are where fastjson2 knows the type.
func (s *headerScanner) elements(element func() error) error {
	s.i++
	for first := true; ; first = false {
		s.skipBlanks()
		if !first && s.peek() == ',' {
			s.i++
			s.skipBlanks()
		}
		if s.peek() == ']' {
			s.i++
			return nil
		}
		if err := element(); err != nil {
			return err
		}
	}
}

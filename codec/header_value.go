package codec

// text reads a value that Java keeps in a string; nil is null. Whatever is not a string
// becomes its own text.
func (s *headerScanner) text() ([]byte, error) {
	start := s.i
	switch ch := s.peek(); ch {
	case '"', '\'':
		return s.quoted(ch)
	case '{', '[':
		if err := s.skipValue(1); err != nil {
			return nil, err
		}
		return s.c.validText(s.b[start:s.i:s.i]), nil
	case 'n':
		if s.literal("null") {
			return nil, nil
		}
	case 't':
		if s.literal("true") {
			return s.b[start:s.i:s.i], nil
		}
	case 'f':
		if s.literal("false") {
			return s.b[start:s.i:s.i], nil
		}
	default:
		if text, ok := s.number(); ok {
			return s.numberText(text), nil
		}
		s.i = start
	}
	return nil, s.expected("a value")
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

// isNullText: null, and the strings that fastjson2 reads as null where it wants a number
// or an object.
func isNullText(text []byte) bool {
	return len(text) == 0 || string(text) == "null"
}

// language reads the language: a name, or its ordinal, which must exist unless it is
// written as a string.
func (s *headerScanner) language() error {
	if s.literal(`"JAVA"`) {
		s.c.Language = LanguageJava
		return nil
	}
	start := s.i
	switch ch := s.peek(); ch {
	case '"', '\'':
		name, err := s.quoted(ch)
		s.c.Language = languageOfName(name)
		return err
	case 'n':
		if s.literal("null") {
			s.c.Language = LanguageUnknown
			return nil
		}
		return s.expected("a language")
	case 't', 'f':
		return s.expected("a language")
	}
	var ordinal int32
	if err := s.int32(&ordinal); err != nil {
		return err
	}
	if ordinal < 0 || int(ordinal) >= len(languageNames) {
		return headerErrorf(start, "no language has the number %d", ordinal)
	}
	s.c.Language = LanguageCode(ordinal)
	return nil
}

// skipValue moves over a value that means nothing here, at that depth below the header.
func (s *headerScanner) skipValue(depth int) error {
	if depth > s.lim.JSONDepthMax {
		return headerErrorf(s.i, "nested deeper than the limit of %d", s.lim.JSONDepthMax)
	}
	switch s.peek() {
	case '{':
		return s.skipContainer(depth, '}')
	case '[':
		return s.skipContainer(depth, ']')
	}
	_, err := s.text()
	return err
}

// skipContainer moves over the object or array at whose opening byte the scanner stands.
// Unlike in the header itself, fastjson2 insists on commas here.
func (s *headerScanner) skipContainer(depth int, closing byte) error {
	s.i++
	s.skipBlanks()
	if s.peek() == closing {
		s.i++
		return nil
	}
	for {
		if closing == '}' {
			if err := s.skipKey(); err != nil {
				return err
			}
		}
		if err := s.skipValue(depth + 1); err != nil {
			return err
		}
		s.skipBlanks()
		switch s.peek() {
		case closing:
			s.i++
			return nil
		case ',':
			s.i++
			s.skipBlanks()
		default:
			return s.expected("a comma or the end of an array or object")
		}
	}
}

// skipKey moves over a key, its colon and the blanks around them.
func (s *headerScanner) skipKey() error {
	quote := s.peek()
	if quote != '"' && quote != '\'' {
		return s.expected("a key")
	}
	if _, err := s.quoted(quote); err != nil {
		return err
	}
	return s.colon()
}

package codec

// ParseTopicList reads the body of the replies to 206, 224, 304, 311, 312 and 313. No body
// and null give the zero value. lim may be nil for the default limits.
func ParseTopicList(body []byte, lim *Limits) (TopicList, error) {
	s := newBodyScanner(body, lim)
	if s.itemsMax = defaultTopicsMax; lim != nil { // names are shorter than objects
		s.itemsMax = lim.TopicsMax
	}
	t := TopicList{}
	if len(body) > 0 && !s.null() {
		s.openObject("TopicList")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			switch string(key) {
			case "brokerAddr":
				t.BrokerAddr = s.nullString()
			case "topicList":
				t.Topics = s.strings("topicList")
			default:
				s.skip()
			}
		}
	}
	s.endBody(body)
	return t, s.err
}

// ParseKVTable reads the body of the replies to 219 and 103: one namespace of the KV
// configuration. No body, null and a null table give nil; {} gives an empty table, as in
// Java. lim may be nil for the default limits.
func ParseKVTable(body []byte, lim *Limits) (map[string]string, error) {
	s := newBodyScanner(body, lim)
	var table map[string]string
	if len(body) > 0 && !s.null() {
		table = map[string]string{}
		s.openObject("KVTable")
		for key, ok := s.nextKey(); ok; key, ok = s.nextKey() {
			if string(key) == "table" {
				table = s.stringMap("table")
			} else {
				s.skip()
			}
		}
	}
	s.endBody(body)
	return table, s.err
}

// endBody fails if a body goes on behind its value. Having none is fine.
func (s *bodyScanner) endBody(body []byte) {
	if len(body) > 0 {
		s.end()
	}
}

// list calls element at each element of a list that is not null. Null is an empty list, and
// an object a list of one.
func (s *bodyScanner) list(what string, element func()) {
	s.noReference()
	if s.null() {
		return
	}
	if s.peek() == '{' {
		element()
		s.nextComma()
		return
	}
	n := 0
	for s.openArray(what); s.nextElement() && s.fits(n+1, what); n++ {
		if s.noReference(); !s.null() {
			element()
		}
		s.nextComma()
	}
}

// entries calls entry at each value of a map that is not null; null is an empty map.
// Entries with a null key are dropped, if keys can be null; else they are an error.
func (s *bodyScanner) entries(what string, nullKeys bool, entry func(key string)) {
	if s.null() {
		return
	}
	n := 0
	s.openMap(what)
	for key, ok := s.nextEntry(); ok && s.fits(n+1, what); key, ok = s.nextEntry() {
		s.noReference()
		n++
		if key == nil && !nullKeys {
			s.fail(s.i, "null as a key of %s", what)
			return
		}
		if name := string(key); !s.null() {
			entry(name)
		}
	}
}

// strings reads a list of strings that is a property: null and what is neither a list nor a
// string give nil; a single string is a list of one, "" and "null" an empty list. Elements
// that are null are NullElement.
func (s *bodyScanner) strings(what string) []string {
	switch c := s.peek(); {
	case s.isNull():
		s.readNull()
		return nil
	case !s.compact: // Java has two ways to read a list, which are not quite the same
		s.noReference()
		return s.stringList(what)
	case c == '[':
		list := s.elements(what)
		s.nextComma()
		return list
	case c != '"' && c != '\'':
		s.noReference()
		s.skip()
		return nil
	case s.null():
		return []string{}
	}
	return []string{s.string()}
}

// elements reads the elements of an array of strings.
func (s *bodyScanner) elements(what string) []string {
	list := []string{}
	for s.openArray(what); s.nextElement() && s.fits(len(list)+1, what); {
		if text, ok := s.text(); ok {
			list = append(list, string(text))
		} else {
			list = append(list, NullElement)
		}
		s.nextComma()
	}
	return list
}

// stringList reads a list of strings that is a value of a map: null gives nil, a single
// string or an object a list of one, and "" an empty list.
func (s *bodyScanner) stringList(what string) []string {
	list := []string{}
	if s.isSet() {
		s.i += len(jsonSet)
		s.blanks()
	}
	switch c := s.peek(); c {
	case 'n':
		s.readNull()
		return nil
	case '[':
		list = s.elements(what)
	case '"', '\'', '{':
		if text, ok := s.text(); ok && len(text) > 0 {
			list = append(list, string(text))
		}
	default:
		s.unexpected("the [ of " + what)
	}
	s.nextComma()
	return list
}

// stringLists reads a map of lists of strings; null gives nil. Lists that are null are
// left out.
func (s *bodyScanner) stringLists(what string) map[string][]string {
	if s.null() {
		return nil
	}
	m := map[string][]string{}
	s.noReference()
	s.openMap(what)
	for key, ok := s.nextEntry(); ok && s.fits(len(m)+1, what) && s.fitsBrokers(len(m)+1, what); key, ok = s.nextEntry() {
		s.noReference()
		name, null := string(key), key == nil
		if list := s.stringList(what); list != nil && !null {
			m[name] = list
		}
	}
	return m
}

// stringMap reads a map of strings; null gives nil. Entries that are null are left out.
func (s *bodyScanner) stringMap(what string) map[string]string {
	if s.null() {
		return nil
	}
	m := map[string]string{}
	s.pairs(what, func(key, value []byte) {
		switch {
		case key == nil:
		case value == nil:
			delete(m, string(key))
		default:
			m[string(key)] = string(value)
		}
	})
	return m
}

// pairs calls pair with each key and value of a map of strings, either of which is nil for
// null: so is a key that is no string. The object may be the only element of an array, and
// its brace may be missing.
func (s *bodyScanner) pairs(what string, pair func(key, value []byte)) {
	if s.peek() == '[' {
		s.open()
		if s.peek() != '{' {
			s.unexpected("the { of " + what)
			return
		}
		s.pairs(what, pair)
		if s.close(']') {
			s.nextComma()
		} else {
			s.unexpected("the ] behind " + what)
		}
		return
	}
	if s.peek() == '{' {
		s.open()
	} else if !s.enter() {
		return
	}
	for n := 1; s.err == nil && s.fits(n, what); n++ {
		s.pause(s.i)
		if s.close('}') {
			s.nextComma()
			return
		}
		var key []byte
		if c := s.peek(); c == '"' || c == '\'' {
			if key = s.mapKey(); key == nil {
				key = []byte{}
			}
		}
		value, ok := s.text()
		if ok && value == nil {
			value = []byte{}
		}
		if s.err == nil {
			pair(key, value)
		}
	}
}
